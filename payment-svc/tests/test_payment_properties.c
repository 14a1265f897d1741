/* Random histories of one payment against a PSP that keeps its promises: messages late, twice and in any order, answers
 * lost, transactions rolled back, crashes at every moment. Whatever happens, money is taken at most once, and it all
 * ends as what was said. */
#include "model_psp.h"
#include "sample.h"

#include <psp_response.h>
#include <test.h>

enum { CALLS_MAX = 64, STEPS = 120, HISTORIES = 4000 };

struct world {
  uint64_t random;
  bus_time now;
  struct payment row; /* as committed */
  struct payment_call calls[CALLS_MAX];
  size_t call_count;
  struct payment_result results[CALLS_MAX];
  size_t result_count;
  struct model_psp *psp;
  struct bus_arena *arena;
  bool calm;
  bool said[PAYMENT_SAY_REFUNDED + 1];
  int64_t taken, returned; /* as booked */
  int alarms;
};

static uint64_t draw(struct world *world) {
  uint64_t *random = &world->random;
  *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
  return *random * UINT64_C(0x2545F4914F6CDD1D);
}

static bool one_in(struct world *world, uint64_t n) {
  return (draw(world) >> 32) % n == 0;
}

/* ---- the service: one transaction ---- */

static void keep_call(struct world *world, const struct payment_call *call) {
  if (world->call_count < CALLS_MAX)
    world->calls[world->call_count++] = *call; /* else as if the process had died */
}

static void transact(struct world *world, const struct payment_input *input) {
  struct payment row = world->row;
  struct payment_decision done;
  payment_decide(&row, input, &sample_policy, world->now, draw(world), &done);
  payment_evolve(&row, &done);
  if (!world->calm && one_in(world, 10))
    return; /* rolled back */
  world->row = row;
  assert_true(!done.changed || payment_is_valid(&row));
  if (done.say != PAYMENT_SAY_NOTHING)
    world->said[done.say] = true;
  world->taken += done.money == PAYMENT_MONEY_TAKEN ? done.money_amount : 0;
  world->returned += done.money == PAYMENT_MONEY_RETURNED ? done.money_amount : 0;
  world->alarms += done.alarm != PAYMENT_NO_ALARM && done.alarm != PAYMENT_ALARM_REFUND;
  if (done.calls && (world->calm || !one_in(world, 10)))
    keep_call(world, &done.call); /* or it died right after COMMIT */
}

/* ---- what can happen ---- */

static void command(struct world *world, enum payment_input_kind kind) {
  struct payment_result unused;
  const struct payment_input input = sample_input(kind, world->row.state, &unused);
  transact(world, &input);
}

static void due(struct world *world) {
  if (world->row.next_attempt_at == BUS_NO_TIME)
    return;
  if (world->row.next_attempt_at > world->now && (world->calm || one_in(world, 2)))
    world->now = world->row.next_attempt_at;
  const struct payment_input input = {.kind = PAYMENT_ON_DUE};
  transact(world, &input);
}

static enum model_verdict verdict(struct world *world) {
  static const enum model_verdict verdicts[] = {MODEL_NO, MODEL_MALFORMED, MODEL_LATER, MODEL_LATER};
  uint64_t number = (draw(world) >> 32) % 8;
  if (world->calm && world->row.state == PAYMENT_REFUNDING)
    return MODEL_YES; /* in the end the PSP does refund */
  return number < BUS_COUNT(verdicts) ? verdicts[number] : MODEL_YES;
}

static struct bus_http_result bad_answer(struct world *world) {
  static const int statuses[] = {500, 503, 409, 429, 401};
  uint64_t number = (draw(world) >> 32) % 8;
  if (number < BUS_COUNT(statuses))
    return (struct bus_http_result){.outcome = BUS_HTTP_ANSWERED,
                                    .status = statuses[number],
                                    .body = BUS_STR("{}"),
                                    .retry_after_s = number == 3 ? 4 : -1};
  return (struct bus_http_result){.outcome = number == 5 ? BUS_HTTP_NOT_SENT : BUS_HTTP_UNKNOWN, .error = "cut"};
}

/* The request may have arrived although its answer is lost. */
static void run_call(struct world *world, bool answered) {
  if (world->call_count == 0)
    return;
  size_t index = (draw(world) >> 32) % world->call_count;
  struct payment_call call = world->calls[index];
  world->calls[index] = world->calls[--world->call_count];
  if (!world->calm && one_in(world, 6)) {
    if (world->result_count < CALLS_MAX)
      psp_response_not_started(&call, BUS_SECOND, "breaker_open", &world->results[world->result_count++]);
    return;
  }
  bool arrives = world->calm || one_in(world, 2);
  struct bus_http_result answer = arrives ? model_psp_take(world->psp, &call, verdict(world)) : bad_answer(world);
  if (arrives && !answered)
    answer = bad_answer(world);
  bus_arena_reset(world->arena);
  if (world->result_count < CALLS_MAX)
    (void)psp_response_read(&call, &answer, world->arena, &world->results[world->result_count++]);
}

static void take_result(struct world *world) {
  if (world->result_count == 0)
    return;
  size_t index = (draw(world) >> 32) % world->result_count;
  struct payment_result result = world->results[index];
  const struct payment_input input = {.kind = result.kind, .result = &result};
  transact(world, &input);
  world->results[index] = world->results[--world->result_count]; /* of a rolled back one nothing is left */
}

/* Calls under way are cut: some had arrived. */
static void crash(struct world *world) {
  while (world->call_count > 0)
    run_call(world, false);
  world->result_count = 0;
}

static void finish(struct world *world) {
  model_psp_finish(world->psp, world->calm || one_in(world, 2));
}

static void step(struct world *world) {
  switch ((draw(world) >> 32) % 10) {
  case 0:
    command(world, PAYMENT_ON_CHARGE);
    break;
  case 1:
    if (one_in(world, 6))
      command(world, PAYMENT_ON_REFUND);
    break;
  case 2:
    world->now += (bus_time)(draw(world) % (20 * BUS_SECOND));
    break;
  case 3:
  case 4:
    due(world);
    break;
  case 5:
  case 6:
    run_call(world, !one_in(world, 3));
    break;
  case 7:
    take_result(world);
    break;
  case 8:
    if (one_in(world, 3))
      finish(world);
    break;
  default:
    if (one_in(world, 6))
      crash(world);
  }
  assert_true(world->psp->captures <= 1);
  assert_true(world->psp->refunds <= world->psp->captures);
}

static void settle(struct world *world) {
  world->calm = true;
  crash(world);
  for (int i = 0; i < 200 && payment_is_open(world->row.state); i++) {
    due(world);
    run_call(world, true);
    take_result(world);
    finish(world);
  }
}

/* ---- what must hold ---- */

static void check_end(const struct world *world) {
  const struct model_psp *psp = world->psp;
  enum payment_state end = world->row.state;
  assert_false(payment_is_open(end));
  assert_int_not_equal(end, PAYMENT_UNKNOWN);
  assert_true(psp->captures <= 1 && psp->refunds <= 1);
  assert_int_equal(psp->captured - psp->refunded, end == PAYMENT_CAPTURED ? 1998 : 0);
  assert_int_equal(world->taken, psp->captured); /* the ledger is the PSP's */
  assert_int_equal(world->returned, psp->refunded);
  assert_int_equal(world->alarms, 0);
  if (world->said[PAYMENT_SAY_REFUNDED] || world->row.refund_requested)
    assert_int_equal(psp->captured, psp->refunded); /* a charge that comes after its refund takes nothing */
  /* No event contradicts an earlier one, except that a refund follows a capture. */
  assert_false(world->said[PAYMENT_SAY_DECLINED] && psp->captures > 0);
  assert_false(world->said[PAYMENT_SAY_CAPTURED] && psp->captures == 0);
  assert_false(world->said[PAYMENT_SAY_DECLINED] && world->said[PAYMENT_SAY_FAILED]);
}

static void check_answer(struct world *world) {
  static const enum payment_say says[PAYMENT_STATES] = {
      [PAYMENT_CAPTURED] = PAYMENT_SAY_CAPTURED, [PAYMENT_DECLINED] = PAYMENT_SAY_DECLINED,
      [PAYMENT_FAILED] = PAYMENT_SAY_FAILED,     [PAYMENT_VOIDED] = PAYMENT_SAY_REFUNDED,
      [PAYMENT_REFUNDED] = PAYMENT_SAY_REFUNDED,
  };
  assert_true(says[world->row.state] == PAYMENT_SAY_NOTHING || world->said[says[world->row.state]]);
  command(world, PAYMENT_ON_REFUND);
  settle(world);
  assert_int_equal(world->psp->captured - world->psp->refunded, 0);
  check_end(world);
}

static void run_history(uint64_t seed, struct model_psp *psp, struct bus_arena *arena) {
  struct world world = {.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1, .now = NOW, .psp = psp, .arena = arena};
  world.row = sample_payment(PAYMENT_NONE);
  model_psp_init(psp);
  for (int i = 0; i < STEPS; i++)
    step(&world);
  settle(&world);
  check_end(&world);
  check_answer(&world);
}

TEST(properties_money_moves_once_whatever_happens)
{
  static struct model_psp psp;
  struct bus_arena *arena = bus_arena_new((size_t)4 << 20);
  for (uint64_t seed = 1; seed <= HISTORIES; seed++)
    run_history(seed, &psp, arena);
  bus_arena_free(arena);
}

/* Every charge that meets a PSP which answers ends definite, however many of its first answers were lost. */
TEST(properties_every_charge_ends_when_the_psp_answers)
{
  static struct model_psp psp;
  struct bus_arena *arena = bus_arena_new((size_t)4 << 20);
  for (uint64_t seed = 1; seed <= 500; seed++) {
    struct world world = {.random = seed * 7919 + 3, .now = NOW, .psp = &psp, .arena = arena};
    world.row = sample_payment(PAYMENT_NONE);
    model_psp_init(&psp);
    while (world.row.state == PAYMENT_NONE)
      command(&world, PAYMENT_ON_CHARGE);
    for (uint64_t i = 0; i < seed % 40; i++) {
      due(&world);
      run_call(&world, false);
      take_result(&world);
    }
    assert_int_equal(world.row.state, PAYMENT_PROCESSING);
    settle(&world);
    check_end(&world);
  }
  bus_arena_free(arena);
}

/* With outages longer than a key lives, nothing is sent any more, and nobody is told what is not known. */
TEST(properties_an_expired_charge_says_nothing)
{
  static struct model_psp psp;
  struct world world = {.random = 99, .now = NOW, .psp = &psp, .calm = true};
  world.row = sample_payment(PAYMENT_NONE);
  model_psp_init(&psp);
  command(&world, PAYMENT_ON_CHARGE);
  int calls = 0;
  while (world.row.state == PAYMENT_PROCESSING) {
    struct payment_result result = {.order_id = sample_order(), .kind = PAYMENT_ON_UNSURE};
    result.attempt = world.row.attempts;
    const struct payment_input unsure = {.kind = PAYMENT_ON_UNSURE, .result = &result};
    transact(&world, &unsure);
    due(&world);
    calls++;
    assert_true(world.now <= NOW + 21 * BUS_HOUR);
  }
  assert_int_equal(world.row.state, PAYMENT_UNKNOWN);
  assert_in_range(calls, 100, 250); /* about every ten minutes at the end */
  for (size_t i = 0; i < BUS_COUNT(world.said); i++)
    assert_false(world.said[i]);
  assert_int_equal(world.alarms, 1);
}
