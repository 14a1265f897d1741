/* payment-svc's calls to the PSP: its own requests, its own reading of the answers, its own breaker; the network is the
 * simulation's. */
#include "check.h"
#include "psp.h"

#include <psp_request.h>
#include <psp_response.h>

#define CALL_TIMEOUT (7 * BUS_SECOND)
/* As payment_caller.c has it: half of what a lease of 15 s leaves. */
#define PATIENCE (4 * BUS_SECOND)

static const struct bus_breaker_settings breaker_settings = {.threshold = 5,
                                                             .share_percent = 50,
                                                             .window = 10 * BUS_SECOND,
                                                             .first_rest = BUS_SECOND,
                                                             .open_for = 30 * BUS_SECOND,
                                                             .success_threshold = 2,
                                                             .time_limit = CALL_TIMEOUT};

void caller_init(struct world *world, struct worker *worker) {
  struct bus_breaker_settings settings = breaker_settings;
  if (has_bug(world, BUG_COUNT_ALONE))
    settings.share_percent = 1;
  bus_breaker_init(&worker->breaker, &settings);
  payment_turns_init(&worker->turns, CALLER_SLOTS, worker->waiting, CALLER_QUEUE);
  worker->calls = NULL;
  worker->breaker_was_open = false;
}

static void start_waiting(struct world *world, struct worker *worker);

static enum bus_breaker_past caller_past(const struct world *world, const struct payment_call *call) {
  return has_bug(world, BUG_PROBE_ANY) ? BUS_BREAKER_FRESH : payment_call_past(call);
}

static uint64_t caller_item(const struct world *world, const struct payment_call *call) {
  return payment_call_item(call) + (has_bug(world, BUG_COUNT_TRIES) ? (uint64_t)call->attempt : 0);
}

static void report(struct world *world, struct worker *worker, const struct payment_result *result) {
  TRACE(world, "%s: %s attempt %" PRId64 ": %s %s", worker->peer.name,
        result->call == PAYMENT_CALL_CHARGE ? "charge" : "refund", result->attempt, payment_input_names[result->kind],
        result->reason);
  worker_push(world, worker, BUS_INPUT_COMPLETION, result, sizeof *result);
}

/* The judgement on an opening comes at once, while what led to it is known. */
static void look_at_breaker(struct world *world, struct worker *worker) {
  if (worker->breaker.open && !worker->breaker_was_open) {
    TRACE(world, "%s: the breaker opens", worker->peer.name);
    check_opening(world, worker, &breaker_settings);
  }
  worker->breaker_was_open = worker->breaker.open;
}

static void conclude(struct world *world, struct psp_call_state *state, const struct bus_http_result *answer) {
  struct worker *worker = state->worker;
  struct payment_result result;
  state->answered = true;
  state->ended_at = world->now;
  state->works = psp_response_read(&state->call, answer, world->arena, &result);
  bus_breaker_end(&worker->breaker, &state->judged, state->works, world->now);
  payment_turns_ended(&worker->turns, caller_past(world, &state->call));
  look_at_breaker(world, worker);
  if (has_bug(world, BUG_TIMEOUT_DECLINES) && answer->outcome == BUS_HTTP_UNKNOWN &&
      state->call.kind == PAYMENT_CALL_CHARGE)
    result.kind = PAYMENT_ON_DECLINED;
  report(world, worker, &result);
  start_waiting(world, worker);
}

static bool is_void(const struct psp_call_state *state) {
  return state->answered || state->life != state->worker->peer.life || !state->worker->peer.up;
}

static void time_out(struct world *world, void *subject, uint64_t detail) {
  struct psp_call_state *state = subject;
  const struct bus_http_result silence = {.outcome = BUS_HTTP_UNKNOWN, .retry_after_s = -1, .error = "timed out"};
  if (!is_void(state) && !peer_waits(world, &state->worker->peer, time_out, subject, detail))
    conclude(world, state, &silence);
}

void caller_answer(struct world *world, void *subject, uint64_t detail) {
  struct psp_call_state *state = subject;
  const struct bus_http_result answer = {.outcome = BUS_HTTP_ANSWERED,
                                         .status = state->status,
                                         .body = state->answer,
                                         .retry_after_s = state->retry_after_s};
  if (!is_void(state) && !peer_waits(world, &state->worker->peer, caller_answer, subject, detail))
    conclude(world, state, &answer);
}

static void not_sent(struct world *world, void *subject, uint64_t detail) {
  struct psp_call_state *state = subject;
  const struct bus_http_result refused = {.outcome = BUS_HTTP_NOT_SENT, .retry_after_s = -1, .error = "refused"};
  if (!is_void(state) && !peer_waits(world, &state->worker->peer, not_sent, subject, detail))
    conclude(world, state, &refused);
}

static void arrive(struct world *world, void *subject, uint64_t detail) {
  (void)detail;
  psp_take(world, subject);
}

static void send(struct world *world, struct psp_call_state *state) {
  const struct plan *plan = &world->plan;
  int64_t way = random_wait(&world->random, plan->latency);
  world->tally->psp_calls++;
  if (psp_is_away(world)) {
    world_after(world, way, not_sent, state, 0);
    return;
  }
  world_after(world, CALL_TIMEOUT, time_out, state, 0);
  if (!world->quiet && random_chance(&world->random, plan->psp_lost_ppm))
    return;
  if (!world->quiet && random_chance(&world->random, plan->psp_slow_ppm))
    way += random_between(&world->random, BUS_SECOND, 20 * BUS_SECOND);
  world_after(world, way, arrive, state, 0);
}

static void hold_back(struct world *world, struct worker *worker, const struct payment_call *call, int64_t wait,
                      const char *reason) {
  struct payment_result result;
  psp_response_not_started(call, wait, reason, &result);
  report(world, worker, &result);
}

static struct bus_str key_of(struct world *world, const struct payment_call *call, const char *key) {
  bool refunds = call->kind == PAYMENT_CALL_REFUND;
  if (!has_bug(world, BUG_NEW_KEY) && !(has_bug(world, BUG_NEW_REFUND_KEY) && refunds))
    return world_text(world, bus_str(key));
  struct bus_str other = bus_arena_printf(world->arena, "%s-%" PRId64, key, call->attempt);
  return other;
}

static void start(struct world *world, struct worker *worker, const struct payment_call *call) {
  struct psp_request request;
  uint64_t item = caller_item(world, call);
  enum bus_breaker_past past = caller_past(world, call);
  struct psp_call_state *state = world_alloc(world, sizeof *state);
  if (has_bug(world, BUG_PROBE_ANY) && worker->breaker.open)
    item = random_next(&world->random); /* the breaker itself does not know it again either */
  bool allowed = bus_breaker_begin(&worker->breaker, &state->judged, item, past, world->now);
  look_at_breaker(world, worker);
  if (!allowed) {
    int64_t wait = bus_breaker_retry_at(&worker->breaker, item, past, world->now) - world->now;
    hold_back(world, worker, call, wait > BUS_SECOND ? wait : BUS_SECOND, "breaker_open");
    return;
  }
  psp_request_build(call, &request);
  state->worker = worker;
  state->life = worker->peer.life;
  state->call = *call;
  state->reads = call->read_id[0] != '\0';
  state->path = world_text(world, bus_str(request.path));
  state->key = key_of(world, call, request.key);
  state->body = world_text(world, bus_str(request.body));
  state->retry_after_s = -1;
  state->began = world->now;
  state->earlier = worker->calls;
  worker->calls = state;
  payment_turns_started(&worker->turns, past);
  send(world, state);
}

static void look_for_late_calls(struct world *world, struct worker *worker) {
  worker->turns.late = 0;
  for (const struct psp_call_state *state = worker->calls; state && world->now - state->began <= CALL_TIMEOUT;
       state = state->earlier)
    worker->turns.late +=
        !state->answered && state->judged.late && caller_past(world, &state->call) == BUS_BREAKER_FRESH;
}

static void start_waiting(struct world *world, struct worker *worker) {
  struct payment_waiting next;
  look_for_late_calls(world, worker);
  while (payment_turns_next(&worker->turns, &next))
    if (world->now > next.start_by)
      hold_back(world, worker, &next.call, 0, "waited_too_long");
    else
      start(world, worker, &next.call);
}

void caller_take(struct world *world, struct worker *worker, const struct payment_call *call) {
  look_for_late_calls(world, worker);
  if (payment_turns_may_start(&worker->turns, caller_past(world, call)))
    start(world, worker, call);
  else if (!payment_turns_wait(&worker->turns, call, world->now + PATIENCE))
    hold_back(world, worker, call, 0, "no_room");
}

size_t payment_caller_room(struct payment_caller *caller, enum bus_breaker_past past) {
  struct world *world = caller->world;
  struct worker *worker = caller->worker;
  look_for_late_calls(world, worker);
  size_t room = payment_turns_room(&worker->turns, past);
  size_t allowed = bus_breaker_room(&worker->breaker, past, world->now);
  look_at_breaker(world, worker);
  return room < allowed ? room : allowed;
}
