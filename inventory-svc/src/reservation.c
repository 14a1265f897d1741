/* The reservation of one order: the transition table, the pricing of a request, and the one gate for changes. */
#include "reservation.h"

#include <assert.h>
#include <stdio.h>

const char *const reservation_state_names[] = {"NONE", "RESERVED", "COMMITTED", "RELEASED", "REJECTED", NULL};
const char *const reservation_command_names[] = {"reserve", "sell", "release", NULL};
const char *const reservation_alarm_names[RESERVATION_ALARMS] = {
    [ALARM_NONE] = "none", [ALARM_MISSING] = "stock_missing", [ALARM_SOLD] = "release_of_sold", [ALARM_HELD] = "held"};

enum step {
  STEP_MISSING, /* no cell may be left empty */
  STEP_TRY,     /* reserve, or reject with the reason */
  STEP_SELL,    /* without a reservation: from what is on hand, or the stock is missing */
  STEP_MOVE,    /* to the state `next` */
  STEP_TELL,    /* nothing happens: the outcome as it is */
  STEP_RECALL,  /* nothing happens: the rejection with the reason that was kept */
};

struct rule {
  enum step step;
  enum reservation_state next;
  enum reservation_answer answer;
  enum stock_reason reason;
  enum reservation_alarm alarm;
};

#define TELL(what)                                                                                                     \
  { .step = STEP_TELL, .answer = (what) }
#define REFUSE(why)                                                                                                    \
  { .step = STEP_TELL, .answer = ANSWER_REJECTED, .reason = (why) }
#define MOVE(state, what)                                                                                              \
  { .step = STEP_MOVE, .next = (state), .answer = (what) }

static const struct rule rules[RESERVATION_STATES][RESERVATION_COMMANDS] = {
    [RESERVATION_NONE] =
        {
            [RESERVATION_RESERVE] = {.step = STEP_TRY},
            [RESERVATION_SELL] = {.step = STEP_SELL},
            [RESERVATION_RELEASE] = MOVE(RESERVATION_RELEASED, ANSWER_RELEASED),
        },
    [RESERVATION_RESERVED] =
        {
            [RESERVATION_RESERVE] = TELL(ANSWER_RESERVED),
            [RESERVATION_SELL] = MOVE(RESERVATION_COMMITTED, ANSWER_NONE),
            [RESERVATION_RELEASE] = MOVE(RESERVATION_RELEASED, ANSWER_RELEASED),
        },
    [RESERVATION_COMMITTED] =
        {
            [RESERVATION_RESERVE] = TELL(ANSWER_NONE),
            [RESERVATION_SELL] = TELL(ANSWER_NONE),
            [RESERVATION_RELEASE] = {.step = STEP_TELL, .alarm = ALARM_SOLD},
        },
    [RESERVATION_RELEASED] =
        {
            [RESERVATION_RESERVE] = REFUSE(STOCK_ALREADY_RELEASED),
            [RESERVATION_SELL] = {.step = STEP_SELL},
            [RESERVATION_RELEASE] = TELL(ANSWER_RELEASED),
        },
    [RESERVATION_REJECTED] =
        {
            [RESERVATION_RESERVE] = {.step = STEP_RECALL, .answer = ANSWER_REJECTED},
            [RESERVATION_SELL] = {.step = STEP_RECALL, .answer = ANSWER_MISSING, .alarm = ALARM_MISSING},
            [RESERVATION_RELEASE] = {.step = STEP_RECALL, .answer = ANSWER_REJECTED},
        },
};

static bool refuse(struct reservation_decision *decision, enum stock_reason reason, struct bus_str guilty) {
  decision->reason = reason;
  decision->guilty = guilty;
  return false;
}

/* Adds quantity × price; false when the total is more than any amount may be. */
static bool add_price(int64_t *total, int64_t quantity, int64_t price) {
  int64_t amount, sum;
  if (__builtin_mul_overflow(quantity, price, &amount) || __builtin_add_overflow(*total, amount, &sum) ||
      sum > BUS_JSON_INT_MAX)
    return false;
  *total = sum;
  return true;
}

/* Locks prices and adds them up: one currency, one total, the expected one. */
static bool price_request(const struct reservation_request *request, struct reservation_decision *decision) {
  decision->currency = request->lines[0].product->currency;
  decision->total = 0;
  for (size_t i = 0; i < request->line_count; i++) {
    struct reservation_line *line = &request->lines[i];
    if (!product_exists(line->product))
      return refuse(decision, STOCK_UNKNOWN_PRODUCT, line->product->id);
    if (!bus_str_equal(line->product->currency, decision->currency))
      return refuse(decision, STOCK_MIXED_CURRENCIES, line->product->id);
    if (!add_price(&decision->total, line->quantity, line->product->price))
      return refuse(decision, STOCK_TOTAL_TOO_LARGE, line->product->id);
    line->unit_price = line->product->price;
  }
  if (request->expected_total != BUS_NO_INT64 && request->expected_total != decision->total)
    return refuse(decision, STOCK_TOTAL_MISMATCH, BUS_NO_STR);
  return true;
}

/* How much of its product the lines up to this one ask for together. */
static int64_t asked_up_to(const struct reservation_request *request, size_t last) {
  int64_t sum = 0;
  for (size_t i = 0; i <= last; i++)
    if (request->lines[i].product == request->lines[last].product)
      sum += request->lines[i].quantity;
  return sum;
}

static bool is_there(const struct reservation_request *request, struct reservation_decision *decision) {
  for (size_t i = 0; i < request->line_count; i++)
    if (asked_up_to(request, i) > request->lines[i].product->on_hand)
      return refuse(decision, STOCK_OUT_OF_STOCK, request->lines[i].product->id);
  return true;
}

static void try_request(const struct reservation_request *request, struct reservation_decision *decision) {
  assert(request && request->line_count > 0);
  bool good = price_request(request, decision) && is_there(request, decision);
  decision->next = good ? RESERVATION_RESERVED : RESERVATION_REJECTED;
  decision->answer = good ? ANSWER_RESERVED : ANSWER_REJECTED;
  decision->request = request;
}

/* A reservation that was released is sold as it was; an absent one as the order says. */
static void try_sale(const struct reservation *reservation, const struct reservation_request *request,
                     struct reservation_decision *decision) {
  const struct reservation_request released = {reservation->lines, reservation->line_count, .expected_total = 0};
  const struct reservation_request *sold = reservation->state == RESERVATION_NONE ? request : &released;
  bool good = sold->line_count > 0 ? is_there(sold, decision) : refuse(decision, STOCK_NO_RESERVATION, BUS_NO_STR);
  decision->next = good ? RESERVATION_COMMITTED : reservation->state;
  decision->answer = good ? ANSWER_NONE : ANSWER_MISSING;
  decision->alarm = good ? ALARM_NONE : ALARM_MISSING;
  decision->total = request->expected_total;
  decision->currency = request->currency;
  decision->request = request;
}

void reservation_decide(const struct reservation *reservation, enum reservation_command command,
                        const struct reservation_request *request, struct reservation_decision *ret) {
  const struct rule *rule = &rules[reservation->state][command];
  *ret = (struct reservation_decision){
      .next = reservation->state, .answer = rule->answer, .reason = rule->reason, .alarm = rule->alarm};
  switch (rule->step) {
  case STEP_TRY:
    try_request(request, ret);
    break;
  case STEP_SELL:
    try_sale(reservation, request, ret);
    break;
  case STEP_MOVE:
    ret->next = rule->next;
    break;
  case STEP_RECALL:
    ret->reason = reservation->reason;
    ret->guilty = reservation->guilty;
    break;
  case STEP_TELL:
    break;
  case STEP_MISSING:
    assert(rule->step != STEP_MISSING);
    break;
  }
}

static int64_t move_stock(const struct reservation *reservation, void (*move)(struct product *, int64_t)) {
  int64_t units = 0;
  for (size_t i = 0; i < reservation->line_count; i++) {
    move(reservation->lines[i].product, reservation->lines[i].quantity);
    units += reservation->lines[i].quantity;
  }
  return units;
}

static void take_over(struct reservation *reservation, const struct reservation_decision *decision) {
  reservation->lines = decision->request->lines;
  reservation->line_count = decision->request->line_count;
  reservation->total = decision->total;
  reservation->currency = decision->currency;
  reservation->expected_until = decision->request->expected_until;
  for (size_t i = 0; i < reservation->line_count; i++)
    reservation->lines[i].product_id = reservation->lines[i].product->id;
}

int64_t reservation_evolve(struct reservation *reservation, const struct reservation_decision *decision) {
  if (decision->next == reservation->state)
    return 0;
  enum reservation_state before = reservation->state;
  assert(before == RESERVATION_NONE || before == RESERVATION_RESERVED || decision->next == RESERVATION_COMMITTED);
  reservation->state = decision->next;
  reservation->expected_until = BUS_NO_TIME;
  switch (decision->next) {
  case RESERVATION_RESERVED:
    take_over(reservation, decision);
    return move_stock(reservation, product_reserve);
  case RESERVATION_COMMITTED:
    if (before == RESERVATION_NONE)
      take_over(reservation, decision);
    if (before != RESERVATION_RESERVED)
      (void)move_stock(reservation, product_reserve);
    return move_stock(reservation, product_sell);
  case RESERVATION_RELEASED:
    return move_stock(reservation, product_release);
  case RESERVATION_REJECTED:
    reservation->reason = decision->reason;
    reservation->guilty = decision->guilty;
    return 0;
  case RESERVATION_NONE:
  case RESERVATION_STATES:
    break;
  }
  return 0;
}

bool reservation_ask(struct reservation *reservation, bus_time now) {
  if (reservation->state != RESERVATION_RESERVED || now < reservation->expected_until)
    return false;
  reservation->expected_until = now + RESERVATION_ASK_EVERY;
  return true;
}

static void print_rule(const struct rule *rule, char *text, size_t size) {
  static const char *const answers[] = {"–", "`stock.reserved`", "`stock.rejected`", "`stock.released`",
                                        "`stock.missing`"};
  const char *answer = answers[rule->answer];
  int length = 0;
  if (rule->step == STEP_TRY)
    length = snprintf(text, size, " → RESERVED, `stock.reserved`; or → REJECTED, `stock.rejected` |");
  else if (rule->step == STEP_SELL)
    length = snprintf(text, size, " → COMMITTED if it is on hand; or `stock.missing`, alarm |");
  else if (rule->step == STEP_MOVE && rule->answer == ANSWER_NONE)
    length = snprintf(text, size, " → %s |", reservation_state_names[rule->next]);
  else if (rule->step == STEP_MOVE)
    length = snprintf(text, size, " → %s, %s |", reservation_state_names[rule->next], answer);
  else if (rule->step == STEP_RECALL)
    length = snprintf(text, size, " %s (the reason kept)%s |", answer, rule->alarm ? ", alarm" : "");
  else if (rule->answer == ANSWER_REJECTED)
    length = snprintf(text, size, " %s (`%s`) |", answer, stock_reason_names[rule->reason]);
  else
    length = snprintf(text, size, " %s |", rule->alarm ? "alarm" : answer);
  assert(length > 0 && (size_t)length < size);
  (void)length;
}

void reservation_print_table(void (*write)(void *context, const char *text), void *context) {
  char text[160];
  write(context, "| state |");
  for (int command = 0; command < RESERVATION_COMMANDS; command++) {
    (void)snprintf(text, sizeof text, " %s |", reservation_command_names[command]); /* three short words */
    write(context, text);
  }
  write(context, "\n|---|---|---|---|\n");
  for (int state = 0; state < RESERVATION_STATES; state++) {
    (void)snprintf(text, sizeof text, "| %s |", reservation_state_names[state]); /* as short */
    write(context, text);
    for (int command = 0; command < RESERVATION_COMMANDS; command++) {
      print_rule(&rules[state][command], text, sizeof text);
      write(context, text);
    }
    write(context, "\n");
  }
}
