/* Money first, because an order follows its payment; then stock. A saga that goes on by itself, by deadlines, repeated
 * commands and the provider's idempotency keys, is no contradiction. */
#include "misfit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

const char *const misfit_repair_names[MISFIT_REPAIRS + 1] = {
    "by_hand",       "adopt",         "reserve",       "release",      "sell",          "return", "refund",
    "tell_reserved", "tell_released", "tell_captured", "tell_refused", "tell_refunded", NULL};
static const char *const order_words[MISFIT_ORDER_STATES] = {"none",      "PENDING",  "RESERVED",  "COMPENSATING",
                                                             "CONFIRMED", "REJECTED", "CANCELLED", "AWAITING_PAYMENT"};
static const char *const stock_words[MISFIT_STOCK_STATES] = {"none",     "RESERVED", "COMMITTED",
                                                             "RELEASED", "RETURNED", "REJECTED"};
static const char *const payment_words[MISFIT_PAYMENT_STATES] = {"processing", "captured",  "declined", "failed",
                                                                 "voided",     "refunding", "refunded", "unknown"};

static bool find_word(struct bus_str word, const char *const *words, size_t from, size_t count, size_t *ret) {
  for (size_t i = from; i < count; i++)
    if (bus_str_is(word, words[i])) {
      *ret = i;
      return true;
    }
  return false;
}

bool misfit_order_state_of(struct bus_str word, enum misfit_order_state *ret) {
  size_t found = MISFIT_RESERVED;
  bool good = bus_str_is(word, "PAID") || find_word(word, order_words, 1, MISFIT_ORDER_STATES, &found);
  if (good)
    *ret = (enum misfit_order_state)found;
  return good;
}

bool misfit_stock_state_of(struct bus_str word, enum misfit_stock_state *ret) {
  size_t found;
  bool good = find_word(word, stock_words, 1, MISFIT_STOCK_STATES, &found);
  if (good)
    *ret = (enum misfit_stock_state)found;
  return good;
}

bool misfit_payment_state_of(struct bus_str word, enum misfit_payment_state *ret) {
  size_t found;
  bool good = find_word(word, payment_words, 0, MISFIT_PAYMENT_STATES, &found);
  if (good)
    *ret = (enum misfit_payment_state)found;
  return good;
}

/* ---- what is found ---- */

/* The payment of an order whose money moved, as it is after its adoption. */
struct money {
  bool is_clear;    /* at most one capture, and no contradiction that a person must settle */
  int64_t attempt;  /* of the capture, or of the last payment */
  int64_t captured; /* 0: nothing */
  int64_t refunded;
  bool is_open;                         /* a call to the provider may follow */
  const struct misfit_payment *refused; /* the last attempt, if it was declined or failed */
};

struct finding {
  const struct misfit_facts *facts;
  struct money money;
  struct misfit *found;
  size_t count;
};

static struct misfit *add(struct finding *finding, enum misfit_repair repair) {
  assert(finding->count < MISFITS_MAX);
  struct misfit *misfit = &finding->found[finding->count++];
  *misfit = (struct misfit){.repair = repair, .attempt = finding->money.attempt};
  return misfit;
}

#define SAY(misfit, ...) ((void)snprintf((misfit)->text, MISFIT_TEXT, __VA_ARGS__)) /* cut where ids are long */

static bool is_captured(enum misfit_payment_state state) {
  return state == MISFIT_CAPTURED || state == MISFIT_REFUNDING || state == MISFIT_REFUNDED;
}

/* ---- the provider's records and the payments ---- */

struct records {
  int64_t captures, captured, refunded;
  struct bus_str currency, psp_id, refund_psp_id;
};

static struct records sum_up(const struct misfit_facts *facts) {
  struct records records = {0};
  for (size_t i = 0; i < facts->movement_count; i++) {
    const struct misfit_movement *movement = &facts->movements[i];
    if (movement->is_refund) {
      records.refunded += movement->amount;
      records.refund_psp_id = movement->psp_id;
    } else {
      records.captures++;
      records.captured += movement->amount;
      records.psp_id = movement->psp_id;
      records.currency = movement->currency;
    }
  }
  return records;
}

static const struct misfit_payment *find_attempt(const struct misfit_facts *facts, int64_t attempt) {
  for (size_t i = 0; i < facts->payment_count; i++)
    if (facts->payments[i].attempt == attempt)
      return &facts->payments[i];
  return NULL;
}

static const struct misfit_payment *find_psp_id(const struct misfit_facts *facts, struct bus_str psp_id) {
  for (size_t i = 0; i < facts->payment_count; i++)
    if (bus_str_equal(facts->payments[i].psp_id, psp_id))
      return &facts->payments[i];
  return NULL;
}

static const struct misfit_payment *last_payment(const struct misfit_facts *facts) {
  return facts->payment_count > 0 ? &facts->payments[facts->payment_count - 1] : NULL;
}

/* The provider's records name the order and no attempt: only the last attempt may have captured. */
static int64_t attempt_of_capture(const struct misfit_facts *facts, struct bus_str psp_id) {
  const struct misfit_payment *known = find_psp_id(facts, psp_id), *last = last_payment(facts);
  int64_t attempt = last && last->attempt > facts->attempts ? last->attempt : facts->attempts;
  if (known)
    return known->attempt;
  return facts->pay_later && attempt == 0 ? 1 : attempt;
}

static void adopt(struct finding *finding, const struct records *records, const struct misfit_payment *payment) {
  struct misfit *misfit = add(finding, MISFIT_ADOPT);
  misfit->captured = records->captured;
  misfit->refunded = records->refunded;
  misfit->currency = records->currency;
  misfit->psp_id = records->psp_id;
  misfit->refund_psp_id = records->refund_psp_id;
  if (payment && is_captured(payment->state))
    SAY(misfit, "the provider refunded %" PRId64 ", and payment-svc knows of %" PRId64, records->refunded,
        payment->refunded);
  else if (payment)
    SAY(misfit, "the provider captured %" PRId64 ", and the payment is %s", records->captured,
        payment_words[payment->state]);
  else
    SAY(misfit, "the provider captured %" PRId64 ", and payment-svc has no payment", records->captured);
}

/* The one capture of the provider, beside the payment that it belongs to. */
static void compare_capture(struct finding *finding, const struct records *records) {
  struct money *money = &finding->money;
  money->attempt = attempt_of_capture(finding->facts, records->psp_id);
  const struct misfit_payment *payment = find_attempt(finding->facts, money->attempt);
  const struct misfit_payment *ours = payment && is_captured(payment->state) ? payment : NULL;
  money->captured = records->captured;
  money->refunded = records->refunded;
  money->is_open = payment && (payment->state == MISFIT_PROCESSING || payment->state == MISFIT_REFUNDING);
  if (ours && (!bus_str_equal(ours->psp_id, records->psp_id) || ours->amount != records->captured)) {
    SAY(add(finding, MISFIT_BY_HAND), "the payment is another capture than the provider's");
    money->is_clear = false;
  } else if (ours && ours->refunded > records->refunded) {
    SAY(add(finding, MISFIT_BY_HAND), "%" PRId64 " is refunded here, and %" PRId64 " at the provider", ours->refunded,
        records->refunded);
    money->is_clear = false;
  } else if (ours ? ours->refunded < records->refunded : !money->is_open || records->refunded > 0) {
    adopt(finding, records, payment);
    money->is_open = false;
  }
}

/* The provider has no capture of an amount of 0. */
static bool has_captured(const struct misfit_facts *facts) {
  const struct misfit_payment *payment = facts->payments;
  for (size_t i = 0; payment && i < facts->payment_count; i++, payment++)
    if (is_captured(payment->state) && payment->amount > 0)
      return true;
  return false;
}

static void compare_no_capture(struct finding *finding, const struct records *records) {
  const struct misfit_payment *last = last_payment(finding->facts);
  struct money *money = &finding->money;
  money->attempt = last ? last->attempt : finding->facts->attempts;
  money->is_open = last && last->state == MISFIT_PROCESSING;
  money->refused = last && (last->state == MISFIT_DECLINED || last->state == MISFIT_FAILED) ? last : NULL;
  if (records->refunded > 0)
    return; /* of a capture that is older than what was read */
  money->is_clear = !has_captured(finding->facts);
  if (!money->is_clear)
    SAY(add(finding, MISFIT_BY_HAND), "the payment is captured, and the provider has no capture");
}

static void compare_money(struct finding *finding) {
  struct records records = sum_up(finding->facts);
  finding->money = (struct money){.is_clear = true};
  if (records.captures > 1) {
    SAY(add(finding, MISFIT_BY_HAND), "the provider captured %" PRId64 " times", records.captures);
    finding->money.is_clear = false;
  } else if (records.captures == 1)
    compare_capture(finding, &records);
  else
    compare_no_capture(finding, &records);
}

/* ---- the order and its money ---- */

static int64_t net_of(const struct money *money) {
  return money->captured - money->refunded;
}

/* All of the total is there, and it was not given back as that of an order that was undone. */
static bool is_paid(const struct finding *finding) {
  const struct misfit_facts *facts = finding->facts;
  bool was_sold = facts->stock == MISFIT_STOCK_COMMITTED || facts->stock == MISFIT_STOCK_RETURNED;
  return finding->money.is_clear && finding->money.captured > 0 && finding->money.captured == facts->total &&
         (finding->money.refunded == 0 || was_sold);
}

static void give_back(struct finding *finding, const char *why) {
  const struct money *money = &finding->money;
  if (money->is_clear && money->is_open && net_of(money) == 0)
    SAY(add(finding, MISFIT_REFUND), "its charge is under way, and %s", why);
  else if (money->is_clear && net_of(money) > 0)
    SAY(add(finding, MISFIT_REFUND), "%" PRId64 " is captured and not refunded, and %s", net_of(money), why);
}

static void tell_refund(struct finding *finding) {
  if (finding->money.refunded > finding->facts->refunded)
    SAY(add(finding, MISFIT_TELL_REFUNDED), "%" PRId64 " was refunded, and the order knows of %" PRId64,
        finding->money.refunded, finding->facts->refunded);
}

static void compare_open(struct finding *finding) {
  const struct misfit_facts *facts = finding->facts;
  const struct money *money = &finding->money;
  if (is_paid(finding)) {
    SAY(add(finding, MISFIT_TELL_CAPTURED), "it waits for its payment, which is captured");
    tell_refund(finding);
  } else if (money->is_clear && money->refused && (facts->order == MISFIT_RESERVED || !facts->payment_settled)) {
    struct misfit *misfit = add(finding, MISFIT_TELL_REFUSED);
    misfit->payment = money->refused->state;
    SAY(misfit, "it waits for its payment, which is %s", payment_words[money->refused->state]);
  }
}

static void compare_confirmed(struct finding *finding) {
  const struct money *money = &finding->money;
  if (!money->is_clear)
    return;
  if (money->captured == 0 && finding->facts->total > 0 && !money->is_open)
    SAY(add(finding, MISFIT_BY_HAND), "it is CONFIRMED, and no payment is captured");
  else
    tell_refund(finding);
}

static void compare_order_with_money(struct finding *finding) {
  switch (finding->facts->order) {
  case MISFIT_NO_ORDER:
    give_back(finding, "there is no order");
    break;
  case MISFIT_RESERVED:
  case MISFIT_AWAITING_PAYMENT:
    compare_open(finding);
    break;
  case MISFIT_CONFIRMED:
    compare_confirmed(finding);
    break;
  case MISFIT_REJECTED:
  case MISFIT_CANCELLED:
    if (!finding->money.is_open)
      give_back(finding, "the order was undone");
    break;
  default: /* PENDING asks for its charge, which is answered again; COMPENSATING asks for its refund until it is
              answered */
    break;
  }
}

/* ---- the order and its stock ---- */

static void give_stock_back(struct finding *finding, const char *why) {
  if (finding->facts->stock == MISFIT_STOCK_RESERVED)
    SAY(add(finding, MISFIT_RELEASE), "its stock is reserved, and %s", why);
  else if (finding->facts->stock == MISFIT_STOCK_COMMITTED)
    SAY(add(finding, MISFIT_RETURN), "its stock is sold, and %s", why);
}

/* inventory-svc answers a repeated reservation, but not one whose stock was sold. */
static void ask_again(struct finding *finding) {
  bool was_sold = finding->facts->stock == MISFIT_STOCK_COMMITTED || finding->facts->stock == MISFIT_STOCK_RETURNED;
  SAY(add(finding, was_sold ? MISFIT_TELL_RESERVED : MISFIT_RESERVE), "it waits for its reservation, which is %s",
      stock_words[finding->facts->stock]);
}

/* The sale of a paid order needs no reservation. */
static void reserve_again(struct finding *finding) {
  enum misfit_stock_state stock = finding->facts->stock;
  bool is_held = stock == MISFIT_STOCK_RESERVED || stock == MISFIT_STOCK_COMMITTED || stock == MISFIT_STOCK_RETURNED;
  if (!is_held && !is_paid(finding))
    SAY(add(finding, MISFIT_RESERVE), "it is %s, and its reservation is %s", order_words[finding->facts->order],
        stock_words[stock]);
}

/* inventory-svc takes no release of stock that was sold, and answers none. */
static void undo_sale(struct finding *finding) {
  enum misfit_stock_state stock = finding->facts->stock;
  if (finding->facts->stock_settled || (stock != MISFIT_STOCK_COMMITTED && stock != MISFIT_STOCK_RETURNED))
    return;
  give_stock_back(finding, "the order is being undone");
  SAY(add(finding, MISFIT_TELL_RELEASED), "it waits for its stock, which is %s",
      stock == MISFIT_STOCK_COMMITTED ? "sold" : "back");
}

static void sell(struct finding *finding) {
  const struct misfit_facts *facts = finding->facts;
  bool is_refunded = facts->total > 0 && finding->money.refunded >= facts->total; /* its stock may have been put back */
  bool is_sold = facts->stock == MISFIT_STOCK_COMMITTED || facts->stock == MISFIT_STOCK_RETURNED;
  if (is_sold || facts->stock_missing)
    return;
  bool by_hand = is_refunded || facts->stock == MISFIT_STOCK_REJECTED;
  SAY(add(finding, by_hand ? MISFIT_BY_HAND : MISFIT_SELL), "it is CONFIRMED%s, and its reservation is %s",
      is_refunded ? " and refunded" : "", stock_words[facts->stock]);
}

static void compare_order_with_stock(struct finding *finding) {
  switch (finding->facts->order) {
  case MISFIT_NO_ORDER:
    give_stock_back(finding, "there is no order");
    break;
  case MISFIT_PENDING:
    ask_again(finding);
    break;
  case MISFIT_RESERVED:
  case MISFIT_AWAITING_PAYMENT:
    reserve_again(finding);
    break;
  case MISFIT_COMPENSATING:
    undo_sale(finding);
    break;
  case MISFIT_CONFIRMED:
    sell(finding);
    break;
  default: /* REJECTED, CANCELLED */
    give_stock_back(finding, "the order was undone");
    break;
  }
}

size_t misfit_find(const struct misfit_facts *facts, struct misfit ret[MISFITS_MAX]) {
  struct finding finding = {.facts = facts, .found = ret};
  compare_money(&finding);
  compare_order_with_money(&finding);
  compare_order_with_stock(&finding);
  return finding.count;
}
