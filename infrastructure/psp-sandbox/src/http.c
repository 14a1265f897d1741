/* The routes: what is asked for, what is done, and when it is answered. */
#include <bus/metrics.h>

#include <stdio.h>
#include <unistd.h>

#include "call.h"
#include "outcome.h"

enum { BODY_MAX = 16384, STREAM_PIECE = 16384 };

static const struct psp_error failure = {500, "api_error", NULL, NULL, NULL, "An error occurred in the sandbox."};
static const struct psp_error limited = {429, "invalid_request_error", "rate_limit", NULL, NULL, "Too many requests."};

/* ---- charges ---- */
static int64_t pending_for(const struct psp_call *call) {
  return call->sandbox->settings->pending_ms * BUS_MILLISECOND;
}

static void carry_out(struct psp_call *call, const struct psp_charge *charge, struct psp_plan plan) {
  struct psp_entry entry;
  psp_call_identify(call, "pi_");
  if (!psp_outcome_of_charge(call->arena, &call->identity, charge, &call->form, plan.step, pending_for(call), &entry) ||
      !psp_call_record(call, &entry)) {
    psp_call_fail(call, &psp_no_memory);
    return;
  }
  if (plan.is_disputed)
    psp_webhooks_dispute(call->sandbox->webhooks, &entry);
  if (plan.is_late)
    (void)bus_http_wait_gone(call->exchange, call->sandbox->settings->timeout_ms); /* answered in any case */
  psp_reply_json(call->exchange, entry.status, entry.answer);
}

static void delay(const struct psp_sandbox *sandbox) {
  if (sandbox->settings->latency_ms > 0)
    usleep((useconds_t)(sandbox->settings->latency_ms * 1000));
}

/* Goes on with a form that was read: the call has its key, and the latency has passed. False: answered. */
static bool goes_on(struct psp_call *call, bool is_read, const struct psp_error *error) {
  if (!is_read)
    psp_reply_error(call->exchange, error);
  if (!is_read || !psp_call_claim(call))
    return false;
  delay(call->sandbox);
  return true;
}

static void post_intent(void *context, struct bus_http_exchange *exchange) {
  struct psp_call call;
  struct psp_charge charge;
  struct psp_error error;
  if (!psp_call_start(context, exchange, "/v1/payment_intents", &call) ||
      !goes_on(&call, psp_charge_read(&call.form, &charge, &error), &error))
    return;
  struct psp_plan plan = psp_plan_of(charge.method, call.attempt);
  switch (plan.step) {
  case PSP_CAPTURE:
  case PSP_DECLINE:
  case PSP_PEND:
    carry_out(&call, &charge, plan);
    break;
  case PSP_ANSWER_500:
    psp_call_fail(&call, &failure);
    break;
  case PSP_ANSWER_429:
    bus_http_add_header(exchange, "Retry-After", BUS_STR("1"));
    psp_call_fail(&call, &limited);
    break;
  case PSP_HANG:
    (void)bus_http_wait_gone(exchange, call.sandbox->settings->hang_ms); /* nobody is left to be answered */
    psp_call_fail(&call, &failure);
    break;
  }
}

/* ---- refunds ---- */
/* The charge of pi_x is ch_x. */
static void name_charge(struct psp_call *call, struct bus_str intent_id) {
  snprintf(call->charge_id, sizeof call->charge_id, "ch_%.*s", (int)(intent_id.len - 3), intent_id.data + 3);
  call->identity.charge_id = bus_str(call->charge_id);
}

static void carry_out_refund(struct psp_call *call, const struct psp_refund *refund) {
  struct psp_reservation reserved;
  struct psp_error error;
  struct psp_entry entry;
  pthread_mutex_lock(&call->sandbox->lock);
  bool is_reserved = psp_book_reserve_refund(&call->sandbox->book, refund, &reserved, &error);
  pthread_mutex_unlock(&call->sandbox->lock);
  if (!is_reserved) {
    psp_call_fail(call, &error);
    return;
  }
  psp_call_identify(call, "re_");
  name_charge(call, reserved.intent->id);
  if (!psp_outcome_of_refund(call->arena, &call->identity, refund, &reserved, &call->form, pending_for(call), &entry) ||
      !psp_call_record(call, &entry))
    psp_out_of_memory(); /* the reservation stands: without its entry the books would differ */
  psp_reply_json(call->exchange, entry.status, entry.answer);
}

static void post_refund(void *context, struct bus_http_exchange *exchange) {
  struct psp_call call;
  struct psp_refund refund;
  struct psp_error error;
  if (psp_call_start(context, exchange, "/v1/refunds", &call) &&
      goes_on(&call, psp_refund_read(&call.form, &refund, &error), &error))
    carry_out_refund(&call, &refund);
}

/* ---- reading ---- */
static void get_one(struct psp_sandbox *sandbox, struct bus_http_exchange *exchange, bool is_refund) {
  if (!psp_authorize(sandbox, exchange))
    return;
  pthread_mutex_lock(&sandbox->lock);
  const struct psp_record *record = psp_book_find(&sandbox->book, bus_http_path_segment(exchange, 0));
  pthread_mutex_unlock(&sandbox->lock);
  if (record && psp_entry_is_refund(record->type) == is_refund) {
    psp_reply_json(exchange, 200, psp_object_of(record));
    return;
  }
  const struct psp_error missing = {.status = 404,
                                    .type = "invalid_request_error",
                                    .code = "resource_missing",
                                    .param = is_refund ? "refund" : "intent",
                                    .message = is_refund ? "No such refund" : "No such payment_intent"};
  psp_reply_error(exchange, &missing);
}

static void get_intent(void *context, struct bus_http_exchange *exchange) {
  get_one(context, exchange, false);
}

static void list_intents(void *context, struct bus_http_exchange *exchange) {
  psp_list(context, exchange, false);
}

static void list_refunds(void *context, struct bus_http_exchange *exchange) {
  psp_list(context, exchange, true);
}

static void get_refund(void *context, struct bus_http_exchange *exchange) {
  get_one(context, exchange, true);
}

/* As far as it was on disk when the request came. */
static void get_ledger(void *context, struct bus_http_exchange *exchange) {
  struct psp_sandbox *sandbox = context;
  if (!psp_authorize(sandbox, exchange))
    return;
  char *piece = bus_arena_alloc(bus_http_arena(exchange), STREAM_PIECE);
  int64_t size = psp_ledger_size(sandbox->ledger), offset = 0;
  if (piece == NULL || !bus_http_stream_start(exchange, 200, "application/x-ndjson"))
    return;
  while (offset < size) {
    size_t wanted = size - offset < STREAM_PIECE ? (size_t)(size - offset) : STREAM_PIECE;
    int64_t got = psp_ledger_read(sandbox->ledger, offset, piece, wanted);
    if (got <= 0 || !bus_http_stream_write(exchange, (struct bus_str){piece, (size_t)got}))
      return;
    offset += got;
  }
}

static void get_health(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  bus_http_reply(exchange, 200, "application/json", BUS_STR("{\"status\":\"UP\"}"));
}

static void write_metrics(void *context, struct bus_str text) {
  bus_http_stream_write(context, text);
}

static void get_metrics(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  if (bus_http_stream_start(exchange, 200, bus_metrics_media_type(BUS_METRICS_TEXT)))
    bus_metrics_print(BUS_METRICS_TEXT, write_metrics, exchange);
}

#define FORM "application/x-www-form-urlencoded"

const struct bus_http_route psp_routes[] = {
    {.method = "POST",
     .path = "/v1/payment_intents",
     .handler = post_intent,
     .body_limit = BODY_MAX,
     .media_type = FORM},
    {.method = "GET", .path = "/v1/payment_intents", .handler = list_intents},
    {.method = "GET", .path = "/v1/refunds", .handler = list_refunds},
    {.method = "GET", .path = "/v1/payment_intents/{id}", .handler = get_intent},
    {.method = "POST", .path = "/v1/refunds", .handler = post_refund, .body_limit = BODY_MAX, .media_type = FORM},
    {.method = "GET", .path = "/v1/refunds/{id}", .handler = get_refund},
    {.method = "GET", .path = "/sandbox/ledger", .handler = get_ledger},
    {.method = "GET", .path = "/health", .handler = get_health},
    {.method = "GET", .path = "/metrics", .handler = get_metrics},
};
const size_t psp_route_count = BUS_COUNT(psp_routes);
