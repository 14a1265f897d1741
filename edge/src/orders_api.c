/* Orders over REST: placing, reading, cancelling. */
#include "edge.h"
#include "prefer.h"
#include "read_params.h"
#include "requests.h"

#include <bus/clock.h>
#include <bus/failpoint.h>

static void respond(struct edge *edge, struct bus_http_exchange *exchange, struct answer answer) {
  edge_respond(edge, exchange, &answer);
}

static void note_order(struct bus_http_exchange *exchange, const struct bus_uuid *order_id) {
  char text[BUS_UUID_TEXT];
  bus_uuid_format(order_id, text);
  bus_http_note(exchange, "order_id", bus_str(text));
}

/* What is no UUID is no order. */
static bool take_order_id(struct edge *edge, struct bus_http_exchange *exchange, struct bus_uuid *ret) {
  if (bus_uuid_parse(bus_http_path_segment(exchange, 0), ret)) {
    note_order(exchange, ret);
    return true;
  }
  respond(edge, exchange, answer_not_found("no such order"));
  return false;
}

/* ---- POST /api/orders ---- */

static bool is_final(const void *answer) {
  const struct order_answer *order = answer;
  return order->outcome != ORDER_ACCEPTED; /* replayed, refused or FINAL: nothing more will come */
}

static struct answer place_answered(struct edge *edge, const struct order_place *place,
                                    const struct order_answer *order, int64_t wait_s) {
  struct answer answer = answer_place(order, wait_s);
  accepted_forget(edge->accepted, &place->order_id);
  if (answer.status < 300)
    bus_series_add(answer.replayed ? edge->metrics.orders_replayed : edge->metrics.orders_answered, 1);
  return answer;
}

static struct answer place_confirmed(struct edge *edge, const struct order_place *place, struct bus_arena *arena) {
  if (accepted_remember(edge->accepted, &place->order_id, place->request_hash, bus_monotonic()) == ACCEPTED_OTHER)
    return answer_key_reused();
  bus_series_add(edge->metrics.orders_confirmed, 1);
  return answer_place_accepted(&place->order_id, arena);
}

static struct answer place(struct edge *edge, struct bus_http_exchange *exchange, struct order_place *place,
                           int64_t wait_s) {
  const void *body;
  struct answer refusal;
  place->wait_ms = wait_s * 1000;
  struct edge_command command = {.kind = EDGE_PLACE,
                                 .type = &order_place_type,
                                 .answer = &order_answer_type,
                                 .correlation_id = &place->order_id,
                                 .body = place,
                                 .wait_ms = place->wait_ms,
                                 .is_last = wait_s > 0 ? is_final : NULL};
  switch (edge_tell(edge, exchange, &command, &body, &refusal)) {
  case EDGE_ANSWERED:
    return place_answered(edge, place, body, wait_s);
  case EDGE_CONFIRMED:
    return place_confirmed(edge, place, bus_http_arena(exchange));
  case EDGE_REFUSED:
    break;
  }
  return refusal;
}

static bool take_place(struct edge *edge, struct bus_http_exchange *exchange, struct order_place *ret) {
  struct bus_problems *problems = edge_problems_new(edge, exchange);
  return problems &&
         edge_problems_end(exchange, problems,
                           request_place_decode(bus_http_body(exchange), bus_http_header(exchange, "Idempotency-Key"),
                                                bus_str(edge->settings->payment_default_token),
                                                bus_http_arena(exchange), ret, problems));
}

/* As order-svc reported last. */
static enum refusal refuse_new(const struct edge *edge, int64_t now) {
  if (backlog_is_behind(&edge->backlog, now))
    return REFUSAL_BACKLOG;
  return intake_is_closed(&edge->intake, now) ? REFUSAL_INTAKE : REFUSAL_NONE;
}

void edge_orders_post(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct order_place request;
  if (!take_place(edge, exchange, &request))
    return;
  note_order(exchange, &request.order_id);
  edge_note_customer(edge, exchange, request.customer_id);
  if (BUS_ERROR_POINT("edge.parsed")) {
    respond(edge, exchange, answer_refusal(REFUSAL_NO_MEMORY));
    return;
  }
  int64_t now = bus_monotonic();
  enum accepted_verdict known = accepted_check(edge->accepted, &request.order_id, request.request_hash, now);
  if (known == ACCEPTED_OTHER) {
    respond(edge, exchange, answer_key_reused());
    return;
  }
  enum refusal refusal = known == ACCEPTED_UNKNOWN ? refuse_new(edge, now) : REFUSAL_NONE;
  if (refusal != REFUSAL_NONE) {
    respond(edge, exchange, answer_refusal(refusal));
    return;
  }
  int64_t wait_s = prefer_wait(bus_http_header(exchange, "Prefer"), edge->settings->prefer_wait_max_s);
  bool waits = wait_s > 0 && bus_http_hold(exchange);
  bus_series_add(edge->metrics.long_waiting, waits);
  struct answer answer = place(edge, exchange, &request, waits ? wait_s : 0);
  bus_series_add(edge->metrics.long_waiting, -waits);
  BUS_CRASH_POINT("edge.before-answer");
  edge_respond(edge, exchange, &answer);
  BUS_CRASH_POINT("edge.after-answer");
}

/* ---- GET /api/orders/{id} ---- */

static bool is_accepted(struct edge *edge, const struct bus_uuid *order_id) {
  return accepted_knows(edge->accepted, order_id, bus_monotonic());
}

void edge_orders_get(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct bus_uuid order_id;
  if (!take_order_id(edge, exchange, &order_id))
    return;
  struct answer answer = edge_read(edge, exchange, &order_id);
  if (answer.status == 200)
    accepted_forget(edge->accepted, &order_id);
  else if (is_accepted(edge, &order_id)) /* order-svc does not know it yet, or does not answer */
    answer = answer_get_accepted(&order_id, bus_http_arena(exchange));
  edge_respond(edge, exchange, &answer);
}

/* ---- GET /api/orders ---- */

static bool take_list(struct edge *edge, struct bus_http_exchange *exchange, struct order_list *ret) {
  static const char *const names[] = {"customer_id", "status", "cursor", "limit", NULL};
  struct page_params params;
  struct bus_problems *problems = edge_problems_new(edge, exchange);
  return problems &&
         edge_problems_end(exchange, problems,
                           edge_read_params(exchange, names, &params, problems) && page_orders(&params, ret, problems));
}

void edge_orders_list(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct order_list list = {.customer_id = BUS_NO_STR};
  if (!take_list(edge, exchange, &list))
    return;
  edge_note_customer(edge, exchange, list.customer_id);
  const void *body;
  struct answer answer;
  struct edge_query query = {
      .service = EDGE_ORDER_SERVICE, .type = &order_list_type, .answer = &order_page_type, .body = &list};
  if (edge_ask(edge, exchange, &query, &body, &answer))
    answer = answer_orders(body);
  edge_respond(edge, exchange, &answer);
}

/* ---- GET /api/orders/{id}/events ---- */

static bool take_events_get(struct edge *edge, struct bus_http_exchange *exchange, const struct bus_uuid *order_id,
                            struct order_events_get *ret) {
  static const char *const names[] = {"after", "cursor", "limit", NULL};
  struct page_params params;
  struct bus_problems *problems = edge_problems_new(edge, exchange);
  return problems && edge_problems_end(exchange, problems,
                                       edge_read_params(exchange, names, &params, problems) &&
                                           page_events(&params, order_id, ret, problems));
}

void edge_orders_events(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct bus_uuid order_id;
  struct order_events_get get;
  if (!take_order_id(edge, exchange, &order_id) || !take_events_get(edge, exchange, &order_id, &get))
    return;
  const void *body;
  struct answer answer;
  struct edge_query query = {.service = EDGE_ORDER_SERVICE,
                             .type = &order_events_get_type,
                             .answer = &order_history_type,
                             .correlation_id = &order_id,
                             .body = &get};
  if (edge_ask(edge, exchange, &query, &body, &answer))
    answer = answer_events(body, is_accepted(edge, &order_id), bus_http_arena(exchange));
  edge_respond(edge, exchange, &answer);
}

/* ---- POST /api/orders/{id}/cancel ---- */

static bool take_cancel(struct edge *edge, struct bus_http_exchange *exchange, const struct bus_uuid *order_id,
                        struct order_cancel *ret) {
  struct bus_problems *problems = edge_problems_new(edge, exchange);
  return problems && edge_problems_end(exchange, problems,
                                       request_cancel_decode(bus_http_body(exchange), order_id,
                                                             bus_http_arena(exchange), ret, problems));
}

void edge_orders_cancel(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct bus_arena *arena = bus_http_arena(exchange);
  struct bus_uuid order_id;
  struct order_cancel cancel;
  if (!take_order_id(edge, exchange, &order_id) || !take_cancel(edge, exchange, &order_id, &cancel))
    return;
  const void *body;
  struct answer answer;
  /* The order's place among those waiting may be behind the cancel's: order-svc keeps a marked one. It may refuse any
   * other, and nobody would hear of it. */
  cancel.accepted = is_accepted(edge, &order_id);
  struct edge_command command = {.kind = EDGE_CANCEL,
                                 .type = &order_cancel_type,
                                 .answer = &order_answer_type,
                                 .correlation_id = &order_id,
                                 .body = &cancel,
                                 .needs_answer = !cancel.accepted};
  enum edge_outcome outcome = edge_tell(edge, exchange, &command, &body, &answer);
  if (outcome == EDGE_ANSWERED)
    answer = answer_cancel(body, &order_id, arena);
  else if (outcome == EDGE_CONFIRMED)
    answer = answer_cancel_accepted(&order_id, arena);
  edge_respond(edge, exchange, &answer);
}
