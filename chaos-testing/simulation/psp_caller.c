/* payment-svc's calls to the PSP: its own requests, its own reading of the answers, its own breaker; the network is the
 * simulation's. */
#include "psp.h"

#include <psp_answer.h>
#include <psp_request.h>

#define CALL_TIMEOUT (7 * BUS_SECOND)
enum { CONCURRENCY = 32 };

static void report(struct world *world, struct worker *worker, const struct payment_result *result) {
  TRACE(world, "%s: %s attempt %" PRId64 ": %s %s", worker->peer.name,
        result->call == PAYMENT_CALL_CHARGE ? "charge" : "refund", result->attempt, payment_input_names[result->kind],
        result->reason);
  worker_push(world, worker, BUS_INPUT_COMPLETION, result, sizeof *result);
  worker_wake(world, worker);
}

static void conclude(struct world *world, struct psp_call_state *state, const struct bus_http_result *answer) {
  struct worker *worker = state->worker;
  struct payment_result result;
  state->answered = true;
  worker->under_way--;
  bool works = psp_answer_read(&state->call, answer, world->arena, &result);
  if (works)
    bus_breaker_success(&worker->breaker, world->now);
  else
    bus_breaker_failure(&worker->breaker, world->now);
  if (has_bug(world, BUG_TIMEOUT_DECLINES) && answer->outcome == BUS_HTTP_UNKNOWN &&
      state->call.kind == PAYMENT_CALL_CHARGE)
    result.kind = PAYMENT_ON_DECLINED;
  report(world, worker, &result);
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
  psp_answer_not_started(call, wait, reason, &result);
  report(world, worker, &result);
}

static struct bus_str key_of(struct world *world, const struct payment_call *call, const char *key) {
  if (!has_bug(world, BUG_NEW_KEY))
    return world_text(world, bus_str(key));
  struct bus_str other = bus_arena_printf(world->arena, "%s-%" PRId64, key, call->attempt);
  return other;
}

void caller_take(struct world *world, struct worker *worker, const struct payment_call *call) {
  struct psp_request request;
  if (worker->under_way >= CONCURRENCY) {
    hold_back(world, worker, call, 0, "no_room");
    return;
  }
  if (!bus_breaker_allow(&worker->breaker, world->now)) {
    int64_t wait = bus_breaker_retry_at(&worker->breaker, world->now) - world->now;
    hold_back(world, worker, call, wait > BUS_SECOND ? wait : BUS_SECOND, "breaker_open");
    return;
  }
  psp_request_build(call, &request);
  struct psp_call_state *state = world_alloc(world, sizeof *state);
  *state = (struct psp_call_state){.worker = worker,
                                   .life = worker->peer.life,
                                   .call = *call,
                                   .reads = call->read_id[0] != '\0',
                                   .path = world_text(world, bus_str(request.path)),
                                   .key = key_of(world, call, request.key),
                                   .body = world_text(world, bus_str(request.body)),
                                   .retry_after_s = -1};
  worker->under_way++;
  send(world, state);
}

size_t caller_room(struct world *world, struct worker *worker) {
  size_t room = CONCURRENCY - worker->under_way, allowed = bus_breaker_room(&worker->breaker, world->now);
  return room < allowed ? room : allowed;
}
