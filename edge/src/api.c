/* The handlers of the API: a query is its row alone; commands and what is only accepted have code of their own. */
#include "edge.h"
#include "prefer.h"
#include "requests.h"

#include <bus/clock.h>
#include <bus/failpoint.h>

static bool is_accepted(struct edge *edge, const struct bus_uuid *order_id) {
  return accepted_knows(edge->accepted, order_id, bus_monotonic());
}

/* ---- queries ---- */

/* Asks what the exchange's row says; what the path names is the item of the breaker. */
static bool ask_route(struct edge *edge, struct bus_http_exchange *exchange, const void **ret_said,
                      struct response *ret) {
  const struct bus_http_route *route = bus_http_route(exchange);
  const struct bus_field *named = route->input->path ? route->input->path->fields : NULL;
  const char *request = bus_http_request(exchange);
  struct edge_query query = {.kind = route->data, .body = request};
  if (named && named->kind == BUS_KIND_UUID)
    query.correlation_id = (const void *)(request + named->offset);
  else if (named)
    query.id = *(const struct bus_str *)(const void *)(request + named->offset);
  return edge_ask(edge, exchange, &query, ret_said, ret);
}

void edge_query(void *context, struct bus_http_exchange *exchange) {
  const struct edge_query_kind *kind = bus_http_route(exchange)->data;
  const void *said;
  struct response response;
  if (ask_route(context, exchange, &said, &response))
    response = kind->view ? kind->view(said, bus_http_arena(exchange)) : response_found(kind->answer->schema, said);
  edge_respond(context, exchange, &response);
}

void edge_orders_list(void *context, struct bus_http_exchange *exchange) {
  const struct order_list *list = bus_http_request(exchange);
  edge_note_customer(context, exchange, list->customer_id);
  edge_query(context, exchange);
}

void edge_orders_get(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  const struct order_get *get = bus_http_request(exchange);
  struct response response = edge_read(edge, exchange, &get->order_id);
  if (response.status == 200)
    accepted_forget(edge->accepted, &get->order_id);
  else if (is_accepted(edge, &get->order_id)) /* order-svc does not know it yet, or does not response */
    response = response_accepted(200, &get->order_id, bus_http_arena(exchange));
  edge_respond(edge, exchange, &response);
}

void edge_orders_events(void *context, struct bus_http_exchange *exchange) {
  const struct events_request *request = bus_http_request(exchange);
  const void *said;
  struct response response;
  if (ask_route(context, exchange, &said, &response))
    response = response_events(said, is_accepted(context, &request->get.order_id), bus_http_arena(exchange));
  edge_respond(context, exchange, &response);
}

/* ---- commands ---- */

/* A command under an idempotency key: what is confirmed alone is remembered, what is answered need not be. */
static enum edge_outcome tell_once(struct edge *edge, struct bus_http_exchange *exchange,
                                   const struct edge_command *command, struct accepted *memory, struct bus_str hash,
                                   const void **ret_said, struct response *ret_refusal) {
  enum edge_outcome outcome = edge_tell(edge, exchange, command, ret_said, ret_refusal);
  if (outcome == EDGE_ANSWERED)
    accepted_forget(memory, command->correlation_id);
  if (outcome != EDGE_CONFIRMED ||
      accepted_remember(memory, command->correlation_id, hash, bus_monotonic()) != ACCEPTED_OTHER)
    return outcome;
  *ret_refusal = response_key_reused();
  return EDGE_REFUSED;
}

static bool is_final(const void *answer) {
  const struct order_answer *order = answer;
  return order->outcome != ORDER_ACCEPTED; /* replayed, refused or FINAL: nothing more will come */
}

static struct response place(struct edge *edge, struct bus_http_exchange *exchange, struct order_place *place,
                             int64_t wait_s) {
  const void *said;
  struct response response;
  place->wait_ms = wait_s * 1000;
  const struct edge_command command = {.type = &order_place_type,
                                       .answer = &order_answer_type,
                                       .correlation_id = &place->order_id,
                                       .body = place,
                                       .wait_ms = place->wait_ms,
                                       .is_last = wait_s > 0 ? is_final : NULL};
  enum edge_outcome outcome =
      tell_once(edge, exchange, &command, edge->accepted, place->request_hash, &said, &response);
  if (outcome == EDGE_ANSWERED)
    response = response_place(said, wait_s);
  else if (outcome == EDGE_CONFIRMED)
    response = response_place_accepted(&place->order_id, bus_http_arena(exchange));
  if (outcome == EDGE_CONFIRMED)
    bus_series_add(edge->metrics.orders_confirmed, 1);
  else if (outcome == EDGE_ANSWERED && response.status < 300)
    bus_series_add(response.replayed ? edge->metrics.orders_replayed : edge->metrics.orders_answered, 1);
  return response;
}

/* As order-svc reported last. */
static enum refusal refuse_new(const struct edge *edge, int64_t now) {
  if (backlog_is_behind(&edge->backlog, now))
    return REFUSAL_BACKLOG;
  return intake_is_closed(&edge->intake, now) ? REFUSAL_INTAKE : REFUSAL_NONE;
}

/* True: the order is not sent. */
static bool refuse_place(struct edge *edge, const struct order_place *place, struct response *ret) {
  int64_t now = bus_monotonic();
  enum accepted_verdict known = accepted_check(edge->accepted, &place->order_id, place->request_hash, now);
  enum refusal refusal = known == ACCEPTED_UNKNOWN ? refuse_new(edge, now) : REFUSAL_NONE;
  if (BUS_ERROR_POINT("edge.parsed"))
    refusal = REFUSAL_NO_MEMORY;
  *ret = refusal == REFUSAL_NONE ? response_key_reused() : response_refusal(refusal);
  return refusal != REFUSAL_NONE || known == ACCEPTED_OTHER;
}

void edge_orders_post(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct order_place request =
      request_place(bus_http_request(exchange), bus_str(edge->settings->payment_default_token));
  struct response response;
  char id[BUS_UUID_TEXT];
  bus_uuid_format(&request.order_id, id);
  bus_http_note(exchange, "order_id", bus_str(id));
  edge_note_customer(edge, exchange, request.customer_id);
  if (refuse_place(edge, &request, &response)) {
    edge_respond(edge, exchange, &response);
    return;
  }
  int64_t wait_s = prefer_wait(bus_http_header(exchange, "Prefer"), edge->settings->prefer_wait_max_s);
  bool waits = wait_s > 0 && bus_http_hold(exchange);
  bus_series_add(edge->metrics.long_waiting, waits);
  response = place(edge, exchange, &request, waits ? wait_s : 0);
  bus_series_add(edge->metrics.long_waiting, -waits);
  BUS_CRASH_POINT("edge.before-response");
  edge_respond(edge, exchange, &response);
  BUS_CRASH_POINT("edge.after-response");
}

void edge_orders_cancel(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct order_cancel cancel = *(const struct order_cancel *)bus_http_request(exchange);
  const void *said;
  struct response response;
  /* The order's place among those waiting may be behind the cancel's: order-svc keeps a marked one. It may refuse any
   * other, and nobody would hear of it. */
  cancel.accepted = is_accepted(edge, &cancel.order_id);
  const struct edge_command command = {.type = &order_cancel_type,
                                       .answer = &order_answer_type,
                                       .correlation_id = &cancel.order_id,
                                       .body = &cancel,
                                       .needs_answer = !cancel.accepted};
  enum edge_outcome outcome = edge_tell(edge, exchange, &command, &said, &response);
  if (outcome == EDGE_ANSWERED)
    response = response_cancel(said, &cancel.order_id, bus_http_arena(exchange));
  else if (outcome == EDGE_CONFIRMED)
    response = response_accepted(202, &cancel.order_id, bus_http_arena(exchange));
  edge_respond(edge, exchange, &response);
}

void edge_inventory_update(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  const struct stock_request *update = bus_http_request(exchange);
  const struct edge_command command = {.type = &inventory_set_stock_type,
                                       .answer = &inventory_answer_type,
                                       .correlation_id = &update->command.request_id,
                                       .body = &update->command};
  const void *said;
  struct response response = response_key_reused();
  if (accepted_check(edge->accepted_stock, command.correlation_id, update->hash, bus_monotonic()) == ACCEPTED_OTHER) {
    edge_respond(edge, exchange, &response);
    return;
  }
  enum edge_outcome outcome = tell_once(edge, exchange, &command, edge->accepted_stock, update->hash, &said, &response);
  if (outcome == EDGE_ANSWERED)
    response = response_stock(said);
  else if (outcome == EDGE_CONFIRMED)
    response = response_stock_accepted(update->idempotency_key, bus_http_arena(exchange));
  edge_respond(edge, exchange, &response);
}
