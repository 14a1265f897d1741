/* The handlers of the API: a query is its row alone; commands and what is only accepted have code of their own. */
#include "edge.h"
#include "prefer.h"
#include "requests.h"

#include <bus/clock.h>
#include <bus/failpoint.h>
#include <bus/hash.h>
#include <user_messages.h>

/* ---- who calls ---- */

struct bus_str edge_owner(const struct bus_http_exchange *exchange) {
  const struct bus_token_claims *caller = bus_http_caller(exchange);
  return caller && caller->role == BUS_ROLE_CUSTOMER ? bus_str(caller->sub) : BUS_NO_STR;
}

/* An accepted order is remembered by its id and, with authentication, its customer: to another one it is not there. */
static struct bus_uuid accepted_id(const struct bus_uuid *order_id, struct bus_str owner) {
  uint8_t digest[32];
  char text[sizeof order_id->bytes + BUS_TOKEN_SUB_MAX];
  struct bus_uuid id = *order_id;
  if (owner.data == NULL || owner.len > BUS_TOKEN_SUB_MAX)
    return id;
  memcpy(text, order_id->bytes, sizeof order_id->bytes);
  memcpy(text + sizeof order_id->bytes, owner.data, owner.len);
  bus_sha256((struct bus_str){text, sizeof order_id->bytes + owner.len}, digest);
  memcpy(id.bytes, digest, sizeof id.bytes);
  return id;
}

static bool is_accepted(struct edge *edge, const struct bus_http_exchange *exchange, const struct bus_uuid *order_id) {
  struct bus_uuid id = accepted_id(order_id, edge_owner(exchange));
  return accepted_knows(edge->accepted, &id, bus_monotonic());
}

/* ---- queries ---- */

/* Asks what the exchange's row says; what the path names is the item of the breaker. body: the decoded request, or a
 * copy with the caller's customer. */
static bool ask_route(struct edge *edge, struct bus_http_exchange *exchange, const void *body, const void **ret_said,
                      struct response *ret) {
  const struct bus_http_route *route = bus_http_route(exchange);
  const struct bus_field *named = route->input->path ? route->input->path->fields : NULL;
  const char *request = body;
  struct edge_query query = {.kind = route->data, .body = request};
  if (named && named->kind == BUS_KIND_UUID)
    query.correlation_id = (const void *)(request + named->offset);
  else if (named)
    query.id = *(const struct bus_str *)(const void *)(request + named->offset);
  return edge_ask(edge, exchange, &query, ret_said, ret);
}

static void query(struct edge *edge, struct bus_http_exchange *exchange, const void *body) {
  const struct edge_query_kind *kind = bus_http_route(exchange)->data;
  const void *said;
  struct response response;
  if (ask_route(edge, exchange, body, &said, &response))
    response = kind->view ? kind->view(said, bus_http_arena(exchange)) : response_found(kind->answer->schema, said);
  edge_respond(edge, exchange, &response);
}

void edge_query(void *context, struct bus_http_exchange *exchange) {
  query(context, exchange, bus_http_request(exchange));
}

/* ---- products ---- */

void edge_products_get(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct bus_arena *arena = bus_http_arena(exchange);
  const struct product_get *get = bus_http_request(exchange);
  struct product_view view;
  struct view_ticket ticket;
  const struct inventory_answer known = {INVENTORY_FOUND, &view};
  const void *said = &known;
  struct response response;
  bool hit = view_cache_find(edge->products, get->product_id, bus_monotonic(), arena, &view, &ticket);
  bus_series_add(edge->metrics.product_reads[hit], 1);
  if (hit || ask_route(edge, exchange, get, &said, &response)) {
    const struct inventory_answer *answer = said;
    if (!hit && answer->product)
      view_cache_keep(edge->products, &ticket, get->product_id, answer->product, arena, bus_monotonic());
    response = response_product(answer, arena);
  }
  edge_respond(edge, exchange, &response);
}

static bool read_condition(const struct bus_http_exchange *exchange, struct product_condition *ret) {
  return request_condition(bus_http_header(exchange, "If-Match"), bus_http_header(exchange, "If-None-Match"), ret);
}

/* body: the request with its condition; the product is the item of the breaker. */
static void write_product(struct edge *edge, struct bus_http_exchange *exchange, struct bus_str product_id,
                          const void *body, bool may_hold) {
  const struct edge_query_kind *kind = bus_http_route(exchange)->data;
  const struct edge_query query = {.kind = kind, .id = product_id, .body = body};
  const void *said;
  struct response response = response_changed_meanwhile();
  if (may_hold && edge_ask(edge, exchange, &query, &said, &response))
    response = kind->view(said, bus_http_arena(exchange));
  view_cache_forget(edge->products, product_id); /* the client reads what it has written, before the event comes */
  edge_respond(edge, exchange, &response);
}

/* A product may sell between its GET and a change of its fields: moves of its stock are no change of those. */
static bool read_fields_condition(const struct bus_http_exchange *exchange, struct product_condition *ret) {
  bool may_hold = read_condition(exchange, ret);
  ret->if_stock_version = BUS_NO_INT64;
  return may_hold;
}

void edge_products_put(void *context, struct bus_http_exchange *exchange) {
  struct product_put put = *(const struct product_put *)bus_http_request(exchange);
  bool may_hold = read_fields_condition(exchange, &put.condition);
  write_product(context, exchange, put.product.product_id, &put, may_hold);
}

void edge_products_withdraw(void *context, struct bus_http_exchange *exchange) {
  struct product_withdraw withdraw = *(const struct product_withdraw *)bus_http_request(exchange);
  bool may_hold = read_fields_condition(exchange, &withdraw.condition);
  write_product(context, exchange, withdraw.product_id, &withdraw, may_hold);
}

void edge_orders_list(void *context, struct bus_http_exchange *exchange) {
  struct order_list list = *(const struct order_list *)bus_http_request(exchange);
  struct bus_str owner = edge_owner(exchange);
  static const struct order_page none = {.items = NULL};
  bool is_anothers = owner.data && list.customer_id.data && !bus_str_equal(owner, list.customer_id);
  if (owner.data)
    list.customer_id = owner;
  edge_note_customer(context, exchange, list.customer_id);
  if (is_anothers) { /* as of a customer without orders */
    struct response response = response_found(&order_page_schema, &none);
    edge_respond(context, exchange, &response);
    return;
  }
  query(context, exchange, &list);
}

void edge_orders_of_user(void *context, struct bus_http_exchange *exchange) {
  const struct order_list *list = bus_http_request(exchange);
  struct bus_str owner = edge_owner(exchange);
  struct response response = response_no_user();
  if (!owner.data || bus_str_equal(owner, list->customer_id)) {
    edge_note_customer(context, exchange, list->customer_id);
    query(context, exchange, list);
  } else {
    edge_respond(context, exchange, &response);
  }
}

void edge_orders_get(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  const struct order_get get = {((const struct order_get *)bus_http_request(exchange))->order_id, edge_owner(exchange)};
  struct response response = edge_read(edge, exchange, &get);
  struct bus_uuid accepted = accepted_id(&get.order_id, get.customer_id);
  if (response.status == 200)
    accepted_forget(edge->accepted, &accepted);
  else if (is_accepted(edge, exchange, &get.order_id)) /* order-svc does not know it yet, or does not respond */
    response = response_accepted(200, &get.order_id, bus_http_arena(exchange));
  edge_respond(edge, exchange, &response);
}

void edge_orders_events(void *context, struct bus_http_exchange *exchange) {
  struct events_request request = *(const struct events_request *)bus_http_request(exchange);
  const void *said;
  struct response response;
  request.get.customer_id = edge_owner(exchange);
  if (ask_route(context, exchange, &request, &said, &response))
    response = response_events(said, is_accepted(context, exchange, &request.get.order_id), bus_http_arena(exchange));
  edge_respond(context, exchange, &response);
}

/* ---- commands ---- */

/* An entry in a memory of accepted commands. */
struct memory {
  struct accepted *accepted;
  struct bus_uuid id;
  struct bus_str hash;
};

/* A command under an idempotency key: what is confirmed alone is remembered, what is answered need not be. */
static enum edge_outcome tell_once(struct edge *edge, struct bus_http_exchange *exchange,
                                   const struct edge_command *command, const struct memory *memory,
                                   const void **ret_said, struct response *ret_refusal) {
  enum edge_outcome outcome = edge_tell(edge, exchange, command, ret_said, ret_refusal);
  if (outcome == EDGE_ANSWERED)
    accepted_forget(memory->accepted, &memory->id);
  if (outcome != EDGE_CONFIRMED ||
      accepted_remember(memory->accepted, &memory->id, memory->hash, bus_monotonic()) != ACCEPTED_OTHER)
    return outcome;
  *ret_refusal = response_key_reused();
  return EDGE_REFUSED;
}

static bool is_final(const void *answer) {
  const struct order_answer *order = answer;
  return order->outcome != ORDER_ACCEPTED; /* replayed, refused or FINAL: nothing more will come */
}

/* The entry of an order that is placed now: its customer is the only one who may see it. */
static struct memory memory_of(const struct edge *edge, const struct bus_http_exchange *exchange,
                               const struct order_place *place) {
  struct bus_str owner = bus_http_caller(exchange) ? place->customer_id : BUS_NO_STR;
  return (struct memory){edge->accepted, accepted_id(&place->order_id, owner), place->request_hash};
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
  const struct memory memory = memory_of(edge, exchange, place);
  enum edge_outcome outcome = tell_once(edge, exchange, &command, &memory, &said, &response);
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
static bool refuse_place(struct edge *edge, const struct bus_http_exchange *exchange, const struct order_place *place,
                         struct response *ret) {
  int64_t now = bus_monotonic();
  const struct memory memory = memory_of(edge, exchange, place);
  enum accepted_verdict known = accepted_check(memory.accepted, &memory.id, memory.hash, now);
  enum refusal refusal = known == ACCEPTED_UNKNOWN ? refuse_new(edge, now) : REFUSAL_NONE;
  if (BUS_ERROR_POINT("edge.parsed"))
    refusal = REFUSAL_NO_MEMORY;
  *ret = refusal == REFUSAL_NONE ? response_key_reused() : response_refusal(refusal);
  return refusal != REFUSAL_NONE || known == ACCEPTED_OTHER;
}

static bool may_act_for_others(const struct bus_http_exchange *exchange) {
  const struct bus_token_claims *caller = bus_http_caller(exchange);
  return caller && bus_token_has_scope(caller, USER_SCOPE_ON_BEHALF);
}

/* With authentication the customer is the caller; the scope for others' orders may name another. False: it may not. */
static bool name_customer(const struct bus_http_exchange *exchange, struct order_place *place) {
  const struct place_request *request = bus_http_request(exchange);
  const struct bus_token_claims *caller = bus_http_caller(exchange);
  if (caller == NULL)
    return true;
  bool names_another =
      !bus_str_is(place->customer_id, REQUEST_CUSTOMER_DEFAULT) && !bus_str_is(place->customer_id, caller->sub);
  if (!names_another)
    place->customer_id = bus_str(caller->sub);
  order_id_of(place->customer_id, request->idempotency_key, &place->order_id);
  return !names_another || may_act_for_others(exchange);
}

void edge_orders_post(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct order_place request =
      request_place(bus_http_request(exchange), bus_str(edge->settings->payment_default_token));
  struct response response;
  if (!name_customer(exchange, &request)) {
    bus_http_add_header(exchange, "WWW-Authenticate",
                        BUS_STR("Bearer error=\"insufficient_scope\", scope=\"" USER_SCOPE_ON_BEHALF "\""));
    bus_http_problem(exchange, 403, "customer_id of another customer needs the scope " USER_SCOPE_ON_BEHALF);
    return;
  }
  char id[BUS_UUID_TEXT];
  bus_uuid_format(&request.order_id, id);
  bus_http_note(exchange, "order_id", bus_str(id));
  edge_note_customer(edge, exchange, request.customer_id);
  if (refuse_place(edge, exchange, &request, &response)) {
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

static void cancel(struct edge *edge, struct bus_http_exchange *exchange, struct order_cancel cancel) {
  const void *said;
  struct response response;
  /* The order's place among those waiting may be behind the cancel's: order-svc keeps a marked one. It may refuse any
   * other, and nobody would hear of it. */
  cancel.accepted = is_accepted(edge, exchange, &cancel.order_id);
  cancel.customer_id = edge_owner(exchange);
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

void edge_orders_cancel(void *context, struct bus_http_exchange *exchange) {
  cancel(context, exchange, *(const struct order_cancel *)bus_http_request(exchange));
}

void edge_orders_status(void *context, struct bus_http_exchange *exchange) {
  const struct status_request *request = bus_http_request(exchange);
  if (request->status == ORDER_CANCELLED)
    cancel(context, exchange, request->cancel);
  else
    bus_http_problem(exchange, 409, "an order becomes %s by itself; clients may set: %s",
                     order_status_names[request->status], order_status_names[ORDER_CANCELLED]);
}

/* Without an answer nobody would know whether an attempt has begun: the same key asks again. */
void edge_payments_post(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  const struct pay_request *request = bus_http_request(exchange);
  struct order_pay pay = request->pay;
  const void *said;
  struct response response;
  char id[BUS_UUID_TEXT];
  bus_uuid_format(&pay.order_id, id);
  bus_http_note(exchange, "order_id", bus_str(id));
  pay.customer_id = may_act_for_others(exchange) ? BUS_NO_STR : edge_owner(exchange);
  const struct edge_command command = {.type = &order_pay_type,
                                       .answer = &order_answer_type,
                                       .correlation_id = &pay.order_id,
                                       .body = &pay,
                                       .needs_answer = true};
  if (edge_tell(edge, exchange, &command, &said, &response) == EDGE_ANSWERED)
    response = response_pay(said, bus_http_arena(exchange));
  edge_respond(edge, exchange, &response);
}

/* Sets what is on hand, whatever it is: a command, which is good on its confirm alone. */
static void set_stock(struct edge *edge, struct bus_http_exchange *exchange, const struct stock_request *request) {
  const struct inventory_set_stock set_stock = {request->update.request_id, request->update.product_id,
                                                request->update.on_hand};
  const struct edge_command command = {.type = &inventory_set_stock_type,
                                       .answer = &inventory_answer_type,
                                       .correlation_id = &set_stock.request_id,
                                       .body = &set_stock};
  const struct memory memory = {edge->accepted_stock, set_stock.request_id, request->hash};
  const void *said;
  struct response response;
  enum edge_outcome outcome = tell_once(edge, exchange, &command, &memory, &said, &response);
  if (outcome == EDGE_ANSWERED)
    response = response_stock(said, bus_http_arena(exchange));
  else if (outcome == EDGE_CONFIRMED)
    response = response_stock_accepted(request->idempotency_key, bus_http_arena(exchange));
  view_cache_forget(edge->products, set_stock.product_id);
  edge_respond(edge, exchange, &response);
}

/* A delta and an update under a condition may be refused: they need the answer. */
void edge_inventory_update(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct stock_request request = *(const struct stock_request *)bus_http_request(exchange);
  struct stock_update *update = &request.update;
  bool may_hold = read_condition(exchange, &update->condition);
  if (accepted_check(edge->accepted_stock, &update->request_id, request.hash, bus_monotonic()) == ACCEPTED_OTHER) {
    struct response response = response_key_reused();
    edge_respond(edge, exchange, &response);
    return;
  }
  bool is_plain = may_hold && update->delta == BUS_NO_INT64 && !update->condition.if_exists &&
                  update->condition.if_version == BUS_NO_INT64;
  if (is_plain)
    set_stock(edge, exchange, &request);
  else
    write_product(edge, exchange, update->product_id, update, may_hold);
}

/* Without payment-svc's answer it may yet be refused, so that the confirm alone is no success. */
void edge_payments_refund(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  const struct refund_request *refund = bus_http_request(exchange);
  const struct edge_command command = {.type = &payment_refund_part_type,
                                       .answer = &payment_answer_type,
                                       .correlation_id = &refund->command.order_id,
                                       .body = &refund->command,
                                       .needs_answer = true};
  const void *said;
  struct response response;
  if (edge_tell(edge, exchange, &command, &said, &response) == EDGE_ANSWERED)
    response = response_refund(said, bus_http_arena(exchange));
  edge_respond(edge, exchange, &response);
}
