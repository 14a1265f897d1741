/* The PSP's calls under way, those that wait for their turn, and the circuit breaker in front of them. */
#include "payment_caller.h"

#include "payment_metrics.h"
#include "payment_results.h"
#include "payment_turns.h"
#include "psp_request.h"
#include "psp_response.h"

#include <bus/clock.h>
#include <bus/failpoint.h>
#include <bus/log.h>

#include <stdio.h>
#include <stdlib.h>

#define PARSE_LIMIT ((size_t)4 << 20)
/* A call that the breaker held back waits at least that long. */
#define HOLD_AT_LEAST BUS_SECOND
/* An outage gives thousands of the same line: one in so long says it, and how many more there were. */
#define SAY_AGAIN (10 * BUS_SECOND)

enum { HEADERS_MAX = 4, AUTHORIZATION_SIZE = 300, URL_SIZE = 256 + PSP_PATH_SIZE + 1 };

struct slot {
  struct payment_caller *caller;
  struct payment_call call;
  struct bus_breaker_call judged; /* while it is under way */
  bool under_way;
  struct slot *next_free;
};

/* Something that happens again and again, and is said now and then. */
struct repeated {
  int64_t said_at; /* 0: never */
  size_t unsaid;   /* since then */
};

struct payment_caller {
  const struct payment_settings *settings;
  struct bus_worker *worker;
  struct bus_http_client *http;
  struct bus_breaker breaker;
  enum bus_breaker_state shown; /* in metrics and logs */
  struct repeated held_back, unsure;
  size_t held_back_in_state; /* since the breaker came into the state that is shown */
  struct bus_arena *parsing;
  struct slot *slots, *free_slots;
  struct payment_turns turns;
  struct payment_waiting *waiting; /* the turns' pool */
  struct payment_results results;
  struct bus_poll_source answers; /* the client's */
  char authorization[AUTHORIZATION_SIZE];
};

/* ---- the breaker, seen ---- */

static void show_breaker(struct payment_caller *caller, int64_t now) {
  enum bus_breaker_state state = bus_breaker_state(&caller->breaker, now);
  if (state == caller->shown)
    return;
  payment_metrics_breaker(caller->shown, state);
  caller->shown = state;
  bus_log(state == BUS_BREAKER_CLOSED ? BUS_INFO : BUS_WARN, "circuit breaker of the PSP",
          BUS_F_STR("state", bus_breaker_state_name(state)), BUS_F_INT("held_back", caller->held_back_in_state));
  caller->held_back_in_state = 0;
}

/* ---- results ---- */

/* Is it time to say it again? *ret_more: how often it happened since, unsaid. */
static bool is_said(struct repeated *repeated, int64_t now, size_t *ret_more) {
  *ret_more = repeated->unsaid;
  if (repeated->said_at != 0 && now < repeated->said_at + SAY_AGAIN) {
    repeated->unsaid++;
    return false;
  }
  *repeated = (struct repeated){.said_at = now};
  return true;
}

static enum bus_level level_of(struct payment_caller *caller, const struct payment_result *result, size_t *ret_more) {
  *ret_more = 0;
  if (result->kind == PAYMENT_ON_SUSPECT)
    return BUS_WARN;
  return result->kind == PAYMENT_ON_UNSURE && is_said(&caller->unsure, bus_monotonic(), ret_more) ? BUS_WARN
                                                                                                  : BUS_DEBUG;
}

static void push(struct payment_caller *caller, const struct payment_result *result) {
  if (BUS_ERROR_POINT("payment.result") ||
      !bus_worker_push(caller->worker, BUS_INPUT_COMPLETION, result, sizeof *result))
    bus_log(BUS_WARN, "result of a call dropped; its payment comes due again",
            BUS_F_UUID("order_id", &result->order_id));
}

static void push_results(struct payment_caller *caller) {
  for (size_t i = 0; i < caller->results.count; i++)
    push(caller, &caller->results.items[i]);
  caller->results.count = 0;
}

static void report(struct payment_caller *caller, const struct payment_call *call, const struct payment_result *result,
                   int64_t duration) {
  size_t more;
  enum bus_level level = level_of(caller, result, &more);
  payment_metrics_call(call, result, duration);
  bus_log(level, "call to the PSP", BUS_F_STR("call", payment_call_names[payment_call_name(call)]),
          BUS_F_INT("unsaid", more), BUS_F_STR("outcome", payment_input_names[result->kind]),
          BUS_F_STR("reason", result->reason), BUS_F_UUID("order_id", &call->order_id),
          BUS_F_INT("attempt", call->attempt), BUS_F_INT("duration_us", duration), BUS_F_TRACE(&call->trace));
}

static void hold_back(struct payment_caller *caller, const struct payment_call *call, int64_t wait,
                      const char *reason) {
  struct payment_result result;
  size_t more;
  caller->held_back_in_state++;
  payment_metrics_held_back(reason);
  if (is_said(&caller->held_back, bus_monotonic(), &more))
    bus_log(BUS_WARN, "calls to the PSP are held back", BUS_F_STR("reason", reason), BUS_F_INT("unsaid", more),
            BUS_F_INT("again_in_ms", wait / BUS_MILLISECOND));
  psp_response_not_started(call, wait, reason, &result);
  report(caller, call, &result, 0);
  push(caller, &result);
}

/* ---- starting ---- */

static void start_waiting(struct payment_caller *caller);

static void take_slot(struct payment_caller *caller, struct slot *slot) {
  caller->free_slots = slot->next_free;
  slot->under_way = true;
  payment_turns_started(&caller->turns, payment_call_past(&slot->call));
}

static void give_back(struct payment_caller *caller, struct slot *slot) {
  slot->next_free = caller->free_slots;
  caller->free_slots = slot;
  slot->under_way = false;
  payment_turns_ended(&caller->turns, payment_call_past(&slot->call));
}

static void on_done(void *context, const struct bus_http_result *answer) {
  struct slot *slot = context;
  struct payment_caller *caller = slot->caller;
  struct payment_call call = slot->call;
  struct payment_result result;
  int64_t now = bus_monotonic();
  BUS_CRASH_POINT("payment.answered");
  bus_arena_reset(caller->parsing);
  bus_breaker_end(&caller->breaker, &slot->judged, psp_response_read(&call, answer, caller->parsing, &result), now);
  give_back(caller, slot);
  payment_metrics_pending(-1);
  report(caller, &call, &result, answer->duration);
  payment_results_add(&caller->results, &result, now);
  if (payment_results_full(&caller->results))
    push_results(caller);
  show_breaker(caller, now);
  start_waiting(caller);
}

static bool start_http(struct payment_caller *caller, struct slot *slot, struct bus_error *err) {
  struct psp_request request;
  struct bus_trace trace = slot->call.trace;
  char url[URL_SIZE], key[PSP_KEY_SIZE + 32];
  psp_request_build(&slot->call, &request);
  (void)snprintf(url, sizeof url, "%s%s", caller->settings->psp_url, request.path); /* bounded by the options table */
  (void)snprintf(key, sizeof key, "Idempotency-Key: %s", request.key);
  bool posts = request.key[0] != '\0';
  const char *headers[HEADERS_MAX + 1] = {caller->authorization, "Stripe-Version: " PSP_API_VERSION};
  size_t count = 2;
  if (slot->call.tracestate[0])
    trace.state = bus_str(slot->call.tracestate);
  if (posts) {
    headers[count++] = key;
    headers[count++] = "Content-Type: application/x-www-form-urlencoded";
  }
  const struct bus_http_call call = {.method = request.method,
                                     .url = url,
                                     .body = posts ? bus_str(request.body) : BUS_NO_STR,
                                     .headers = headers,
                                     .trace = &trace, /* it goes on at the PSP */
                                     .route = request.route,
                                     .resend = slot->call.attempt - 1};
  if (BUS_ERROR_POINT("payment.before-send"))
    return bus_fail(err, BUS_E_NOMEM, "failpoint");
  return bus_http_client_start(caller->http, &call, on_done, slot, err);
}

/* There is a slot for it. */
static void start(struct payment_caller *caller, const struct payment_call *call) {
  struct bus_error err;
  int64_t now = bus_monotonic();
  struct slot *slot = caller->free_slots;
  uint64_t item = payment_call_item(call);
  enum bus_breaker_past past = payment_call_past(call);
  if (!bus_breaker_begin(&caller->breaker, &slot->judged, item, past, now)) {
    int64_t wait = bus_breaker_retry_at(&caller->breaker, item, past, now) - now;
    hold_back(caller, call, wait > HOLD_AT_LEAST ? wait : HOLD_AT_LEAST, "breaker_open");
    return;
  }
  slot->call = *call;
  if (!start_http(caller, slot, &err)) {
    bus_breaker_end(&caller->breaker, &slot->judged, false, now);
    bus_log(BUS_ERROR, "cannot start a call to the PSP", BUS_F_STR("cause", err.text));
    hold_back(caller, call, HOLD_AT_LEAST, "cannot_start");
    return;
  }
  take_slot(caller, slot);
  payment_metrics_pending(1);
}

/* First calls that hang are counted among the repeated ones, which then have fewer slots. */
static void look_for_late_calls(struct payment_caller *caller) {
  caller->turns.late = 0;
  for (int64_t i = 0; i < caller->settings->concurrency; i++) {
    const struct slot *slot = &caller->slots[i];
    if (slot->under_way && slot->judged.late && payment_call_past(&slot->call) == BUS_BREAKER_FRESH)
      caller->turns.late++;
  }
}

static void start_waiting(struct payment_caller *caller) {
  struct payment_waiting next;
  look_for_late_calls(caller);
  while (payment_turns_next(&caller->turns, &next)) {
    payment_metrics_pending(-1);
    if (bus_monotonic() > next.start_by)
      hold_back(caller, &next.call, 0, "waited_too_long");
    else
      start(caller, &next.call);
  }
}

static bool enqueue(struct payment_caller *caller, const struct payment_call *call) {
  int64_t patience = (caller->settings->lease_ms - caller->settings->total_timeout_ms) * BUS_MILLISECOND / 2;
  if (!payment_turns_wait(&caller->turns, call, bus_monotonic() + patience))
    return false;
  payment_metrics_pending(1);
  return true;
}

void payment_caller_take(struct payment_caller *caller, const struct payment_call *call) {
  look_for_late_calls(caller);
  if (payment_turns_may_start(&caller->turns, payment_call_past(call)))
    start(caller, call);
  else if (!enqueue(caller, call))
    hold_back(caller, call, 0, "no_room");
  show_breaker(caller, bus_monotonic());
}

size_t payment_caller_room(struct payment_caller *caller, enum bus_breaker_past past) {
  int64_t now = bus_monotonic();
  show_breaker(caller, now);
  look_for_late_calls(caller);
  size_t room = payment_turns_room(&caller->turns, past), allowed = bus_breaker_room(&caller->breaker, past, now);
  return room < allowed ? room : allowed;
}

/* ---- its life ---- */

static int64_t results_wait(const struct payment_caller *caller) {
  return payment_results_wait(&caller->results, payment_turns_under_way(&caller->turns), bus_monotonic());
}

static size_t prepare(void *context, struct pollfd *fds, size_t room, int *timeout_ms) {
  struct payment_caller *caller = context;
  size_t count = caller->answers.prepare(caller->answers.context, fds, room, timeout_ms);
  if (caller->results.count > 0) {
    int wait = (int)((results_wait(caller) + BUS_MILLISECOND - 1) / BUS_MILLISECOND);
    *timeout_ms = *timeout_ms < 0 || wait < *timeout_ms ? wait : *timeout_ms;
  }
  return count;
}

static void dispatch(void *context, const struct pollfd *fds, size_t count) {
  struct payment_caller *caller = context;
  caller->answers.dispatch(caller->answers.context, fds, count);
  if (results_wait(caller) == 0)
    push_results(caller);
}

struct bus_poll_source payment_caller_source(struct payment_caller *caller) {
  return (struct bus_poll_source){caller, prepare, dispatch};
}

static bool allocate(struct payment_caller *caller) {
  size_t slots = (size_t)caller->settings->concurrency, room = (size_t)caller->settings->queue;
  caller->slots = calloc(slots, sizeof *caller->slots);
  caller->waiting = calloc(room + 1, sizeof *caller->waiting);
  caller->results = (struct payment_results){.items = calloc(slots, sizeof *caller->results.items), .room = slots};
  caller->parsing = bus_arena_new(PARSE_LIMIT);
  if (!caller->slots || !caller->waiting || !caller->results.items || !caller->parsing)
    return false;
  for (size_t i = 0; i < slots; i++) {
    caller->slots[i].caller = caller;
    caller->slots[i].next_free = caller->free_slots;
    caller->free_slots = &caller->slots[i];
  }
  payment_turns_init(&caller->turns, slots, caller->waiting, room);
  return true;
}

bool payment_caller_new(const struct payment_settings *settings, struct bus_worker *worker, struct payment_caller **ret,
                        struct bus_error *err) {
  const struct bus_breaker_settings breaker = payment_breaker_of(settings);
  struct bus_http_client_settings http = payment_http_of(settings);
  struct payment_caller *caller = calloc(1, sizeof *caller);
  if (!caller)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the PSP's client");
  caller->settings = settings;
  caller->worker = worker;
  http.tracer = bus_worker_tracer(worker);
  (void)snprintf(caller->authorization, sizeof caller->authorization, "Authorization: Bearer %s", settings->psp_key);
  bus_breaker_init(&caller->breaker, &breaker);
  if (!allocate(caller)) {
    payment_caller_free(caller);
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the PSP's client");
  }
  if (!bus_http_client_new(&http, &caller->http, err)) {
    payment_caller_free(caller);
    return false;
  }
  caller->answers = bus_http_client_source(caller->http);
  payment_metrics_breaker_added();
  *ret = caller;
  return true;
}

void payment_caller_free(struct payment_caller *caller) {
  if (!caller)
    return;
  if (caller->http) {
    payment_metrics_breaker_removed(caller->shown);
    payment_metrics_pending(
        -(int64_t)(payment_turns_under_way(&caller->turns) + payment_turns_waiting(&caller->turns)));
  }
  bus_http_client_free(caller->http);
  bus_arena_free(caller->parsing);
  free(caller->results.items);
  free(caller->waiting);
  free(caller->slots);
  explicit_bzero(caller->authorization, sizeof caller->authorization);
  free(caller);
}
