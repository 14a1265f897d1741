/* Products and their stock over REST. */
#include "edge.h"
#include "read_params.h"
#include "requests.h"

#include <bus/clock.h>

void edge_products_get(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct product_get get = {.product_id = bus_http_path_segment(exchange, 0)};
  const void *body;
  struct answer answer = answer_not_found("no such product");
  struct edge_query query = {.service = EDGE_INVENTORY_SERVICE,
                             .type = &product_get_type,
                             .answer = &inventory_answer_type,
                             .id = get.product_id,
                             .body = &get};
  if (bus_is_id(get.product_id) && edge_ask(edge, exchange, &query, &body, &answer))
    answer = answer_product(body);
  edge_respond(edge, exchange, &answer);
}

static bool take_list(struct edge *edge, struct bus_http_exchange *exchange, struct product_list *ret) {
  static const char *const names[] = {"cursor", "limit", NULL};
  struct page_params params;
  struct bus_problems *problems = edge_problems_new(edge, exchange);
  return problems && edge_problems_end(exchange, problems,
                                       edge_read_params(exchange, names, &params, problems) &&
                                           page_products(&params, ret, problems));
}

void edge_products_list(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct product_list list;
  if (!take_list(edge, exchange, &list))
    return;
  const void *body;
  struct answer answer;
  struct edge_query query = {
      .service = EDGE_INVENTORY_SERVICE, .type = &product_list_type, .answer = &product_page_type, .body = &list};
  if (edge_ask(edge, exchange, &query, &body, &answer))
    answer = answer_products(body);
  edge_respond(edge, exchange, &answer);
}

static bool take_stock(struct edge *edge, struct bus_http_exchange *exchange, struct request_stock *ret) {
  struct bus_problems *problems = edge_problems_new(edge, exchange);
  return problems &&
         edge_problems_end(exchange, problems,
                           request_stock_decode(bus_http_body(exchange), bus_http_header(exchange, "Idempotency-Key"),
                                                bus_http_arena(exchange), ret, problems));
}

static struct answer stock_answered(struct edge *edge, const struct request_stock *update,
                                    const struct inventory_answer *answer) {
  accepted_forget(edge->accepted_stock, &update->command.request_id);
  return answer_stock(answer);
}

static struct answer stock_confirmed(struct edge *edge, const struct request_stock *update, struct bus_arena *arena) {
  if (accepted_remember(edge->accepted_stock, &update->command.request_id, update->hash, bus_monotonic()) ==
      ACCEPTED_OTHER)
    return answer_key_reused();
  return answer_stock_accepted(update->idempotency_key, arena);
}

static struct answer set_stock(struct edge *edge, struct bus_http_exchange *exchange,
                               const struct request_stock *update) {
  const void *body;
  struct answer refusal;
  struct edge_command command = {.kind = EDGE_SET_STOCK,
                                 .type = &inventory_set_stock_type,
                                 .answer = &inventory_answer_type,
                                 .correlation_id = &update->command.request_id,
                                 .body = &update->command};
  switch (edge_tell(edge, exchange, &command, &body, &refusal)) {
  case EDGE_ANSWERED:
    return stock_answered(edge, update, body);
  case EDGE_CONFIRMED:
    return stock_confirmed(edge, update, bus_http_arena(exchange));
  case EDGE_REFUSED:
    break;
  }
  return refusal;
}

void edge_inventory_update(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct request_stock update;
  if (!take_stock(edge, exchange, &update))
    return;
  enum accepted_verdict known =
      accepted_check(edge->accepted_stock, &update.command.request_id, update.hash, bus_monotonic());
  struct answer answer = known == ACCEPTED_OTHER ? answer_key_reused() : set_stock(edge, exchange, &update);
  edge_respond(edge, exchange, &answer);
}
