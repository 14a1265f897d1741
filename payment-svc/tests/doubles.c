/* Definitions that the linker takes instead of libbus's. */
#include "doubles.h"

#include <bus/clock.h>
#include <bus/log.h>
#include <stdio.h>
#include <stdlib.h>

struct doubles doubles;

struct bus_http_client {
  int unused;
};

void doubles_reset(void) {
  memset(&doubles, 0, sizeof doubles);
  doubles.now = BUS_HOUR;
}

/* ---- clock ---- */

int64_t bus_monotonic(void) {
  return doubles.now;
}

bus_time bus_wall_clock(void) {
  return doubles.now;
}

void bus_random_seed(uint64_t seed[4]) {
  memset(seed, 1, 4 * sizeof *seed);
}

/* ---- log ---- */

void bus_log_write(enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)msg;
  (void)fields;
  doubles.warned += level >= BUS_WARN;
}

/* ---- worker ---- */

bool bus_worker_push(struct bus_worker *worker, enum bus_input_kind kind, const void *body, size_t size) {
  (void)worker;
  if (doubles.refuse_push)
    return false;
  if (kind != BUS_INPUT_COMPLETION || size != sizeof(struct payment_result) || doubles.pushed_count == DOUBLE_PUSHED)
    abort();
  memcpy(&doubles.pushed[doubles.pushed_count++], body, size);
  return true;
}

struct bus_tracer *bus_worker_tracer(const struct bus_worker *worker) {
  (void)worker;
  return NULL;
}

/* ---- HTTP client ---- */

bool bus_http_client_new(const struct bus_http_client_settings *settings, struct bus_http_client **ret,
                         struct bus_error *err) {
  (void)settings;
  if (doubles.refuse_client)
    return bus_fail(err, BUS_E_CONFIG, "no client");
  *ret = calloc(1, sizeof **ret);
  return *ret != NULL;
}

void bus_http_client_free(struct bus_http_client *client) {
  free(client);
}

/* From the idempotency key, "charge-<order id>". */
static void note_order(struct double_call *kept) {
  for (size_t i = 0; i < BUS_COUNT(kept->headers); i++) {
    size_t len = strlen(kept->headers[i]);
    if (strncmp(kept->headers[i], "Idempotency-Key: charge-", 24) == 0)
      (void)snprintf(kept->order, sizeof kept->order, "%d", (int)strtol(kept->headers[i] + len - 2, NULL, 16));
  }
}

bool bus_http_client_start(struct bus_http_client *client, const struct bus_http_call *call,
                           void (*done)(void *context, const struct bus_http_result *result), void *context,
                           struct bus_error *err) {
  (void)client;
  if (doubles.refuse_start)
    return bus_fail(err, BUS_E_NOMEM, "refused");
  if (doubles.call_count == DOUBLE_CALLS)
    abort();
  struct double_call *kept = &doubles.calls[doubles.call_count++];
  *kept = (struct double_call){.done = done, .context = context, .resend = call->resend};
  if (bus_trace_is_set(call->trace))
    bus_trace_format(call->trace, kept->traceparent);
  (void)snprintf(kept->tracestate, sizeof kept->tracestate, "%.*s", (int)call->trace->state.len,
                 call->trace->state.data ? call->trace->state.data : "");
  (void)snprintf(kept->route, sizeof kept->route, "%s", call->route);
  (void)snprintf(kept->url, sizeof kept->url, "%s %s", call->method, call->url);
  (void)snprintf(kept->body, sizeof kept->body, "%.*s", (int)call->body.len, call->body.data);
  for (size_t i = 0; call->headers[i]; i++)
    (void)snprintf(kept->headers[i], sizeof kept->headers[i], "%s", call->headers[i]);
  note_order(kept);
  doubles.started++;
  return true;
}

size_t bus_http_client_pending(const struct bus_http_client *client) {
  (void)client;
  return doubles.call_count;
}

static size_t prepare(void *context, struct pollfd *fds, size_t room, int *timeout_ms) {
  (void)context, (void)fds, (void)room;
  *timeout_ms = doubles.client_timeout_ms;
  return 0;
}

static void dispatch(void *context, const struct pollfd *fds, size_t count) {
  (void)context, (void)fds, (void)count;
}

struct bus_poll_source bus_http_client_source(struct bus_http_client *client) {
  return (struct bus_poll_source){client, prepare, dispatch};
}

static void finish(size_t number, const struct bus_http_result *result) {
  if (number >= doubles.call_count)
    abort();
  struct double_call call = doubles.calls[number];
  doubles.call_count--;
  memmove(&doubles.calls[number], &doubles.calls[number + 1], (doubles.call_count - number) * sizeof *doubles.calls);
  call.done(call.context, result);
  if (doubles.answered)
    doubles.answered();
}

static struct bus_http_result answer_of(int status, const char *body) {
  return (struct bus_http_result){
      .outcome = BUS_HTTP_ANSWERED, .status = status, .body = bus_str(body), .retry_after_s = -1, .duration = 1000};
}

void doubles_answer(int status, const char *body) {
  const struct bus_http_result result = answer_of(status, body);
  finish(0, &result);
}

void doubles_answer_last(int status, const char *body) {
  const struct bus_http_result result = answer_of(status, body);
  finish(doubles.call_count - 1, &result);
}

void doubles_fail(enum bus_http_outcome outcome) {
  const struct bus_http_result result = {.outcome = outcome, .error = "cut", .retry_after_s = -1};
  finish(0, &result);
}
