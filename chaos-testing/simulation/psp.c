/* The PSP itself, on the sandbox's own book, tokens and responses. */
#include "psp.h"

#include "check.h"

#include <book.h>
#include <outcome.h>
#include <response.h>

#include <assert.h>
#include <inttypes.h>

struct psp {
  struct psp_book book;
  struct psp_money *ledger;
  struct bus_uuid_source ids;
  bus_time away_until;
};

void psp_init(struct world *world) {
  uint64_t seed[4];
  for (size_t i = 0; i < 4; i++)
    seed[i] = random_next(&world->random);
  world->psp = world_alloc(world, sizeof *world->psp);
  bus_uuid_source_init(&world->psp->ids, seed);
}

void psp_done(struct world *world) {
  if (world->psp)
    psp_book_done(&world->psp->book);
}

const struct psp_money *psp_ledger(const struct world *world) {
  return world->psp->ledger;
}

int64_t psp_net(const struct world *world, const struct bus_uuid *order_id) {
  int64_t net = 0;
  for (const struct psp_money *money = world->psp->ledger; money; money = money->next)
    if (bus_uuid_equal(&money->order_id, order_id))
      net += money->refund ? -money->amount : money->amount;
  return net;
}

int64_t psp_refunded_of(const struct world *world, const char *intent) {
  int64_t refunded = 0;
  for (const struct psp_money *money = world->psp->ledger; money; money = money->next)
    if (money->refund && bus_str_is(money->intent, intent))
      refunded += money->amount;
  return refunded;
}

int64_t psp_refunded(const struct world *world, const struct bus_uuid *order_id) {
  int64_t refunded = 0;
  for (const struct psp_money *money = world->psp->ledger; money; money = money->next)
    if (money->refund && bus_uuid_equal(&money->order_id, order_id))
      refunded += money->amount;
  return refunded;
}

void psp_outage(struct world *world, int64_t duration) {
  TRACE(world, "PSP goes away");
  world->psp->away_until = world->now + duration;
}

bool psp_is_away(const struct world *world) {
  return world->now < world->psp->away_until;
}

/* ---- answers ---- */

static void answer(struct world *world, struct psp_call_state *call, int64_t status, struct bus_str json, bool late) {
  int64_t way = random_wait(&world->random, world->plan.latency) + (late ? 20 * BUS_SECOND : 0);
  assert(json.data);
  call->status = (int)status;
  call->answer = json;
  if (!world->quiet && random_chance(&world->random, world->plan.psp_silent_ppm))
    return;
  world_after(world, way, caller_answer, call, 0);
}

static void fail(struct world *world, struct psp_call_state *call, const struct psp_error *error) {
  answer(world, call, error->status, psp_response_error(world->arena, error), false);
}

static const struct psp_error server_error = {500, "api_error", NULL, NULL, NULL, "An error occurred."};
static const struct psp_error limited = {429, "invalid_request_error", "rate_limit", NULL, NULL, "Too many requests."};
static const struct psp_error in_use = {409, "idempotency_error", "idempotency_key_in_use", NULL, NULL, "in use"};
static const struct psp_error mismatch = {400, "idempotency_error", NULL, NULL, NULL, "other parameters"};

/* ---- money ---- */

static struct psp_identity identify(struct world *world, const char *prefix) {
  struct bus_uuid uuid;
  char text[BUS_UUID_TEXT];
  bus_uuid_v7(&world->psp->ids, world->now, &uuid);
  bus_uuid_format(&uuid, text);
  return (struct psp_identity){bus_arena_printf(world->arena, "%s%s", prefix, text),
                               bus_arena_printf(world->arena, "ch_%s", text), world->now};
}

/* The amount that the entry says moved. */
static void move_money(struct world *world, const struct psp_entry *entry) {
  struct bus_uuid order_id;
  if (entry->type != PSP_CAPTURED && entry->type != PSP_REFUNDED)
    return;
  if (!bus_uuid_parse(entry->order_id, &order_id))
    world_violate(world, "the PSP's ledger has an entry without an order");
  struct psp_money *money = world_alloc(world, sizeof *money);
  struct bus_str intent = entry->type == PSP_REFUNDED ? entry->payment_intent : entry->id;
  intent = bus_arena_printf(world->arena, "%.*s", (int)intent.len, intent.data);
  *money = (struct psp_money){order_id, intent, entry->type == PSP_REFUNDED, entry->amount, world->psp->ledger};
  world->psp->ledger = money;
  check_money(world, &order_id);
  TRACE(world, "PSP %s %" PRId64 " of %.*s", money->refund ? "refunds" : "captures", money->amount, (int)entry->id.len,
        entry->id.data);
}

static void record_entry(struct world *world, const struct psp_entry *entry) {
  bool recorded = psp_book_record(&world->psp->book, entry, true);
  assert(recorded);
  move_money(world, entry);
}

/* A pending object becomes final. */
static void turn(struct world *world, void *subject, uint64_t detail) {
  struct psp_entry entry;
  bus_time next;
  (void)subject, (void)detail;
  while (psp_book_due(&world->psp->book, world->now, &entry, &next))
    record_entry(world, &entry);
}

static void record(struct world *world, const struct psp_call_state *call, const char *fingerprint,
                   struct psp_entry *entry) {
  entry->idempotency_key = call->key;
  entry->fingerprint = bus_str(fingerprint);
  entry->at = world->now;
  record_entry(world, entry);
  if (entry->then)
    world_after(world, entry->then->at - world->now, turn, world->psp, 0);
}

static int64_t pending_for(struct world *world) {
  return random_between(&world->random, BUS_SECOND,
                        random_chance(&world->random, PPM / 4) ? 3 * BUS_MINUTE : 20 * BUS_SECOND);
}

static void charge(struct world *world, struct psp_call_state *call, const struct psp_form *form,
                   const char *fingerprint, const struct psp_charge *charge_, int attempt) {
  struct psp_plan plan = psp_plan_of(charge_->method, attempt);
  if (world->quiet && (plan.step == PSP_ANSWER_500 || plan.step == PSP_HANG))
    plan.step = PSP_CAPTURE; /* the bank has mended what was wrong with the card */
  if (plan.step != PSP_CAPTURE && plan.step != PSP_DECLINE && plan.step != PSP_PEND) {
    psp_book_release(&world->psp->book, call->key);
    if (plan.step == PSP_HANG)
      return;
    call->retry_after_s = plan.step == PSP_ANSWER_429 ? 1 : -1;
    fail(world, call, plan.step == PSP_ANSWER_429 ? &limited : &server_error);
    return;
  }
  struct psp_identity identity = identify(world, "pi_");
  struct psp_entry entry;
  bool made = psp_outcome_of_charge(world->arena, &identity, charge_, form, plan.step, pending_for(world), &entry);
  assert(made);
  record(world, call, fingerprint, &entry);
  answer(world, call, entry.status, entry.answer, plan.is_late);
}

static void refund(struct world *world, struct psp_call_state *call, const struct psp_form *form,
                   const char *fingerprint, const struct psp_refund *refund_) {
  struct psp_reservation reserved;
  struct psp_error error;
  struct psp_entry entry;
  if (!psp_book_reserve_refund(&world->psp->book, refund_, &reserved, &error)) {
    psp_book_release(&world->psp->book, call->key);
    fail(world, call, &error);
    return;
  }
  struct psp_identity identity = identify(world, "re_");
  bool made = psp_outcome_of_refund(world->arena, &identity, refund_, &reserved, form, pending_for(world), &entry);
  assert(made);
  record(world, call, fingerprint, &entry);
  answer(world, call, entry.status, entry.answer, false);
}

/* ---- one request ---- */

/* Answered with an error of the moment. */
static bool is_disturbed(struct world *world, struct psp_call_state *call) {
  if (world->quiet || !random_chance(&world->random, world->plan.psp_error_ppm))
    return false;
  fail(world, call, random_chance(&world->random, PPM / 4) ? &limited : &server_error);
  return true;
}

/* A key that is busy, or that is answered already. */
static bool is_settled_before(struct world *world, struct psp_call_state *call, const char *fingerprint,
                              int *ret_attempt) {
  const struct psp_record *before = NULL;
  switch (psp_book_claim(&world->psp->book, call->key, fingerprint, ret_attempt, &before)) {
  case PSP_CLAIM_NEW:
    return false;
  case PSP_CLAIM_REPLAY:
    answer(world, call, before->status, before->answer, false);
    return true;
  case PSP_CLAIM_IN_USE:
    fail(world, call, &in_use);
    return true;
  case PSP_CLAIM_MISMATCH:
    fail(world, call, &mismatch);
    return true;
  case PSP_CLAIM_NO_MEMORY:
    break;
  }
  world_violate(world, "out of memory");
}

static bool is_prefix(struct bus_str text, const char *prefix, struct bus_str *ret_rest) {
  size_t len = strlen(prefix);
  if (text.len <= len || memcmp(text.data, prefix, len) != 0)
    return false;
  *ret_rest = (struct bus_str){text.data + len, text.len - len};
  return true;
}

/* GET of an intent or a refund. */
static void read_back(struct world *world, struct psp_call_state *call) {
  static const struct psp_error missing = {404,  "invalid_request_error", "resource_missing", NULL,
                                           NULL, "No such object"};
  struct bus_str id;
  bool refund = is_prefix(call->path, "/v1/refunds/", &id);
  if (!refund && !is_prefix(call->path, "/v1/payment_intents/", &id))
    world_violate(world, "payment-svc reads %.*s", (int)call->path.len, call->path.data);
  const struct psp_record *record = psp_book_find(&world->psp->book, id);
  if (record && psp_entry_is_refund(record->type) == refund)
    answer(world, call, 200, record->status == 200 ? record->answer : psp_response_failed_intent(record->answer),
           false);
  else
    fail(world, call, &missing);
}

void psp_take(struct world *world, struct psp_call_state *call) {
  struct psp_form *form = world_alloc(world, sizeof *form);
  struct psp_charge charge_;
  struct psp_refund refund_;
  struct psp_error error;
  const char *problem;
  char fingerprint[BUS_SHA256_TEXT];
  bool charges = call->call.kind == PAYMENT_CALL_CHARGE;
  int attempt = 0;
  if (call->reads) {
    if (!is_disturbed(world, call))
      read_back(world, call);
    return;
  }
  if (!psp_form_parse(call->body, world->arena, form, &problem) ||
      !psp_form_fingerprint(form, call->path.data, world->arena, fingerprint))
    world_violate(world, "the PSP cannot read a request: %s", problem);
  if (charges ? !psp_charge_read(form, &charge_, &error) : !psp_refund_read(form, &refund_, &error)) {
    fail(world, call, &error);
    return;
  }
  if (is_disturbed(world, call) || is_settled_before(world, call, fingerprint, &attempt))
    return;
  if (charges)
    charge(world, call, form, fingerprint, &charge_, attempt);
  else
    refund(world, call, form, fingerprint, &refund_);
}
