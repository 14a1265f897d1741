/* Members that many rows of routes.c have in common. */
#ifndef EDGE_ROUTE_ROWS_H
#define EDGE_ROUTE_ROWS_H

#define QUERY(question, said, map)                                                                                     \
  .data = &(const struct edge_query_kind) {                                                                            \
    .type = &(question), .answer = &(said), .view = (map)                                                              \
  }
#define AUTH(asks, good, invalid)                                                                                      \
  .handler = edge_user_request, .body_limit = BODY_LIMIT, .data = &(const struct edge_user_kind) {                     \
    .query = {.type = &(asks), .answer = &user_answer_type}, .status = (good), .invalid_status = (invalid)             \
  }
#define KEYS(shown)                                                                                                    \
  .handler = edge_own_keys, .data = &(const struct edge_own_keys_kind) {                                               \
    (shown)                                                                                                            \
  }
#define ADMIN(to)                                                                                                      \
  .handler = ask_admin, .data = &(const bus_http_handler) {                                                            \
    to                                                                                                                 \
  }
/* Without the guard: a probe is public. */
#define PROBE(to) .is_probe = true, ADMIN(to)
#define LIVE                                                                                                           \
  PROBE(bus_admin_live), .any_host = true, .summary = "Whether this process runs",                                     \
                         ANSWERS({200, "it runs", &bus_status_schema})
#define READY                                                                                                          \
  PROBE(bus_admin_ready),                                                                                              \
      .any_host = true, .summary = "Whether this process can serve",                                                   \
      ANSWERS({200, "it can", &bus_status_schema}, {503, "it cannot, or is to end", &bus_status_schema})
#define DOCUMENT(name)                                                                                                 \
  .handler = edge_document, .data = &(const enum edge_document_name) {                                                 \
    name                                                                                                               \
  }
#define ANSWERS(...)                                                                                                   \
  .answers = (const struct bus_http_answer[]) {                                                                        \
    __VA_ARGS__, {                                                                                                     \
      0, NULL, NULL                                                                                                    \
    }                                                                                                                  \
  }
#define UNAVAILABLE                                                                                                    \
  { 503, "cannot be served now; repeating is safe (Retry-After)", NULL }
#define WRONG                                                                                                          \
  { 400, "every wrong field is named in errors", NULL }
#define NOT_MODIFIED                                                                                                   \
  { 304, "If-None-Match names the entity tag", NULL }
#define REUSED                                                                                                         \
  { 422, "the idempotency key was used with another request", NULL }
#define NO_ORDER                                                                                                       \
  { 404, "no such order", NULL }
#define CONDITION                                                                                                      \
  { 412, "the product has changed meanwhile, or the condition is not one on its entity tag", NULL }
#define NO_USER                                                                                                        \
  { 404, "no such user", NULL }
#define FOREIGN                                                                                                        \
  { 403, "the token is of another issuer than user-svc", NULL }
#define FOREIGN_PAGE                                                                                                   \
  { 403, "cookie is true, and Origin is not this host", NULL }
#define USER_ORDERS                                                                                                    \
  .input = &user_orders_input, .handler = edge_orders_of_user, QUERY(order_list_type, order_page_type, NULL),          \
  .summary = "Orders of a user, newest first: the caller's own, or for operators anyone's",                            \
  ANSWERS({200, "a page", &order_page_schema}, WRONG, NO_USER, UNAVAILABLE)
#define LOCKED                                                                                                         \
  { 429, "too many failed attempts (Retry-After)", NULL }
#define NO_RESERVATION                                                                                                 \
  { 404, "no such reservation", NULL }
#define NO_PAYMENT                                                                                                     \
  { 404, "no such payment", NULL }
#define NO_PRODUCT                                                                                                     \
  { 404, "no such product", NULL }

#define RELEASES                                                                                                       \
  .access = BUS_ROUTE_OPERATOR, .handler = edge_query,                                                                 \
  QUERY(reservation_release_type, reservation_answer_type, response_reservation),                                      \
  .summary = "Releases a reservation: its stock is back on sale. A repeat is harmless",                                \
  ANSWERS({200, "it is RELEASED, or had EXPIRED", &own_view_schema}, NO_RESERVATION,                                   \
          {409, "it is confirmed: its stock is sold", NULL}, UNAVAILABLE)

#endif
