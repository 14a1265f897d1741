/* Every path that the edge has, as a row: what it takes, what it asks of the bus, and its documentation. A query that
 * needs no more than that has edge_query as its handler. */
#include "client_tokens.h"
#include "documents.h"
#include "edge.h"
#include "own_keys.h"
#include "profiles.h"
#include "requests.h"
#include "users.h"

#include <stdio.h>

enum { BODY_LIMIT = 65536 };

/* The admin's handlers, whose context is the admin and not the edge. */
static void probe(void *edge, struct bus_http_exchange *exchange) {
  const bus_http_handler *handler = bus_http_route(exchange)->data;
  (*handler)(((struct edge *)edge)->admin, exchange);
}

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
#define PROBE(to)                                                                                                      \
  .handler = probe, .is_probe = true, .data = &(const bus_http_handler) {                                              \
    to                                                                                                                 \
  }
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

const struct bus_http_route edge_routes[] = {
    {.method = "POST",
     .path = "/api/orders",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &place_input,
     .headers = place_headers,
     .handler = edge_orders_post,
     .body_limit = BODY_LIMIT,
     .summary = "Places an order. Prefer: wait=N waits up to N seconds for its final state.",
     ANSWERS({201, "final within the time of Prefer: wait", &order_view_schema},
             {200, "the same request again: the order as it is now (Idempotent-Replayed)", &order_view_schema},
             {202, "accepted; on the broker's confirm alone every member but id and status is null",
              &accepted_order_schema},
             WRONG, {403, "customer_id is another customer, which needs the scope orders:on-behalf", NULL}, REUSED,
             UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/orders",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &orders_input,
     .handler = edge_orders_list,
     QUERY(order_list_type, order_page_type, NULL),
     .summary = "Orders, newest first",
     ANSWERS({200, "a page", &order_page_schema}, WRONG, UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/orders/{id}",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &order_input,
     .handler = edge_orders_get,
     .summary = "An order",
     ANSWERS({200, "the order; of one that is only accepted id and status", &accepted_order_schema}, NOT_MODIFIED,
             NO_ORDER, UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/orders/{id}/events",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &events_input,
     .handler = edge_orders_events,
     QUERY(order_events_get_type, order_history_type, NULL),
     .summary = "The history of an order, oldest event first",
     ANSWERS({200, "a page", &event_page_schema}, WRONG, NO_ORDER, UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/orders/{id}/stream",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &stream_input,
     .headers = stream_headers,
     .handler = edge_orders_stream,
     .summary =
         "The history of an order as server-sent events, until it is final. Last-Event-ID resumes behind an event.",
     .produces = "text/event-stream",
     ANSWERS({200, "text/event-stream: each event has its seq as id and its type as event; end is the last", NULL},
             {204, "the order is final, and Last-Event-ID is its last event", NULL}, WRONG, NO_ORDER,
             {429, "four streams of this customer are open", NULL}, UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/orders/{id}/cancel",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &cancel_input,
     .handler = edge_orders_cancel,
     .body_limit = BODY_LIMIT,
     .summary = "Cancels an order that is not paid yet",
     ANSWERS({202, "compensation has begun", &accepted_order_schema}, {200, "it is CANCELLED", &order_view_schema},
             WRONG, NO_ORDER, {409, "too late", NULL}, UNAVAILABLE)},
    {.method = "PUT",
     .path = "/api/orders/{id}/status",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &status_input,
     .handler = edge_orders_status,
     .body_limit = BODY_LIMIT,
     .summary =
         "Sets what an order is to become: CANCELLED alone, as POST cancel does; every other status comes by itself",
     ANSWERS({202, "compensation has begun", &accepted_order_schema}, {200, "it is CANCELLED", &order_view_schema},
             WRONG, NO_ORDER, {409, "too late, or a status that clients do not set", NULL}, UNAVAILABLE)},
    {.method = "GET", .path = "/api/orders/user/{user}", .access = BUS_ROUTE_CUSTOMER, USER_ORDERS},
    {.method = "GET",
     .path = "/api/events",
     .access = BUS_ROUTE_OPERATOR,
     .headers = feed_headers,
     .handler = edge_events_stream,
     .summary = "Changes of all orders as server-sent events, as they happen. Last-Event-ID resumes behind an event of "
                "the same edge; resync says that changes are missing.",
     .produces = "text/event-stream",
     ANSWERS({200, "text/event-stream: order has an order's id, version and status; resync: read again what you show",
              NULL},
             {429, "four streams of this caller are open", NULL}, UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/services",
     .access = BUS_ROUTE_OPERATOR,
     .handler = edge_services_list,
     .summary = "The processes of all services that spoke in the last 20 s",
     ANSWERS({200, "processes by service and start", &instance_list_schema}, UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/payments",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &pay_input,
     .handler = edge_payments_post,
     .body_limit = BODY_LIMIT,
     .summary = "Pays an order that was placed with payment.when later",
     ANSWERS({202, "the payment has begun; GET the order for its outcome", &order_view_schema},
             {200, "the same request again: the order as it is now (Idempotent-Replayed)", &order_view_schema}, WRONG,
             NO_ORDER, {409, "the order awaits no payment, or its last payment may still be captured", NULL}, REUSED,
             UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/inventory/update",
     .access = BUS_ROUTE_OPERATOR,
     .input = &stock_input,
     .handler = edge_inventory_update,
     .body_limit = BODY_LIMIT,
     .conditional = true,
     QUERY(product_update_stock_type, inventory_answer_type, response_stock),
     .summary = "Sets what is on hand of a product, or changes it by delta. If-Match: the entity tag of the product "
                "as it was read.",
     ANSWERS({200, "the product", &product_view_schema},
             {202, "on_hand without If-Match: accepted on the broker's confirm alone", &accepted_stock_schema}, WRONG,
             NO_PRODUCT,
             {409, "delta would take more than is on hand (what is reserved stays), or add more than fits", NULL},
             CONDITION, REUSED, UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/inventory/reserve",
     .access = BUS_ROUTE_OPERATOR,
     .input = &reserve_input,
     .handler = edge_query,
     .body_limit = BODY_LIMIT,
     QUERY(reservation_make_type, reservation_answer_type, response_reservation),
     .summary = "Reserves stock without an order, all of it or nothing, until it is confirmed, released or expires",
     ANSWERS({201, "reserved, at the prices of the day", &own_view_schema},
             {200, "the same request again: the reservation as it is now (Idempotent-Replayed)", &own_view_schema},
             WRONG, {409, "nothing is reserved: detail says why, and for which product", NULL}, REUSED, UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/inventory/reservations/{reservation}",
     .access = BUS_ROUTE_OPERATOR,
     .input = &reservation_input,
     .handler = edge_query,
     QUERY(reservation_get_type, reservation_answer_type, response_reservation),
     .summary = "A reservation without an order. One that has expired is RESERVED for up to five seconds more",
     ANSWERS({200, "the reservation", &own_view_schema}, NO_RESERVATION, UNAVAILABLE)},
    {.method = "DELETE", .path = "/api/inventory/reservations/{reservation}", .input = &reservation_input, RELEASES},
    {.method = "POST",
     .path = "/api/inventory/reservations/{reservation}/release",
     .input = &reservation_end_input,
     .body_limit = BODY_LIMIT,
     RELEASES},
    {.method = "POST",
     .path = "/api/inventory/reservations/{reservation}/confirm",
     .access = BUS_ROUTE_OPERATOR,
     .input = &reservation_end_input,
     .body_limit = BODY_LIMIT,
     .handler = edge_query,
     QUERY(reservation_confirm_type, reservation_answer_type, response_reservation),
     .summary = "Confirms a reservation: its stock is sold. A repeat is harmless",
     ANSWERS({200, "it is CONFIRMED", &own_view_schema}, NO_RESERVATION,
             {409, "it has expired or is released: detail says which", NULL}, UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/inventory/{product}",
     .input = &product_input,
     .handler = edge_products_get,
     QUERY(product_get_type, inventory_answer_type, response_product),
     .summary = "A product and its stock",
     ANSWERS({200, "the product", &product_view_schema}, NOT_MODIFIED, NO_PRODUCT, UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/products",
     .input = &products_input,
     .handler = edge_query,
     QUERY(product_list_type, product_page_type, NULL),
     .summary = "Products on sale: all, or those with some words and prices",
     ANSWERS({200, "a page", &product_page_schema}, WRONG, UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/products/{product}",
     .input = &product_input,
     .handler = edge_products_get,
     QUERY(product_get_type, inventory_answer_type, response_product),
     .summary = "A product and its stock",
     ANSWERS({200, "the product", &product_view_schema}, NOT_MODIFIED, NO_PRODUCT, UNAVAILABLE)},
    {.method = "PUT",
     .path = "/api/products/{product}",
     .input = &put_input,
     .access = BUS_ROUTE_ADMIN,
     .handler = edge_products_put,
     .body_limit = BODY_LIMIT,
     .conditional = true,
     QUERY(product_put_type, inventory_answer_type, response_product_written),
     .summary =
         "Adds a product or changes its name, price and currency; a withdrawn one is on sale again. If-Match: its "
         "entity tag; If-None-Match: *: only a new one.",
     ANSWERS({200, "changed, or it was so already", &product_view_schema}, {201, "added", &product_view_schema}, WRONG,
             NO_PRODUCT, CONDITION, UNAVAILABLE)},
    {.method = "DELETE",
     .path = "/api/products/{product}",
     .input = &withdraw_input,
     .access = BUS_ROUTE_ADMIN,
     .handler = edge_products_withdraw,
     .conditional = true,
     QUERY(product_withdraw_type, inventory_answer_type, response_product_written),
     .summary =
         "Withdraws a product from sale: orders for it are rejected, and lists leave it out. If-Match: its entity "
         "tag.",
     ANSWERS({200, "withdrawn", &product_view_schema}, NO_PRODUCT, CONDITION, UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/payments/refund",
     .access = BUS_ROUTE_OPERATOR,
     .input = &refund_input,
     .handler = edge_payments_refund,
     .body_limit = BODY_LIMIT,
     .summary =
         "Refunds a payment, whole or in part. The provider carries refunds of one payment out one after another.",
     ANSWERS(
         {202, "accepted; GET of the payment shows what became of it", &refund_view_schema},
         {200, "the same request again: the refund as it is now (Idempotent-Replayed)", &refund_view_schema}, WRONG,
         NO_PAYMENT,
         {409,
          "more than can still be refunded, an amount that the provider does not take in this currency, or the payment "
          "is not captured",
          NULL},
         REUSED, UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/payments/{id}",
     .access = BUS_ROUTE_OPERATOR,
     .input = &payment_input,
     .handler = edge_query,
     QUERY(payment_get_type, payment_answer_type, response_payment),
     .summary = "A payment and its refunds",
     ANSWERS({200, "the payment", &payment_view_schema}, NOT_MODIFIED, NO_PAYMENT, UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/orders/{id}/payments",
     .access = BUS_ROUTE_OPERATOR,
     .input = &order_payments_input,
     .handler = edge_query,
     QUERY(payment_get_type, payment_answer_type, response_order_payments),
     .summary = "The payment of an order and its refunds; of an order that is paid later, each attempt",
     ANSWERS({200, "the payments, oldest first", &payment_page_schema}, NO_ORDER, UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/auth/register",
     .input = &register_input,
     AUTH(user_register_type, 202, 400),
     .summary = "Registers a user. The answer is the same for an address that is registered already.",
     ANSWERS({202, "accepted; log in next", &auth_status_schema}, WRONG, UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/auth/login",
     .input = &login_input,
     AUTH(user_login_type, 200, 401),
     .summary = "Begins a session",
     ANSWERS({200, "the session's tokens", &user_tokens_schema}, WRONG, {401, "wrong e-mail address or password", NULL},
             LOCKED, UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/auth/refresh",
     .input = &refresh_input,
     AUTH(user_refresh_type, 200, 401),
     .summary = "Takes a refresh token and gives the next tokens. A token that is used twice ends its session.",
     ANSWERS({200, "the session's next tokens", &user_tokens_schema}, WRONG,
             {401, "unknown, used or expired token", NULL}, UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/auth/logout",
     .input = &logout_input,
     AUTH(user_logout_type, 200, 400),
     .summary = "Ends the session of a refresh token",
     ANSWERS({200, "it is over", &auth_status_schema}, WRONG, UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/auth/forgot",
     .input = &forgot_input,
     AUTH(user_forgot_type, 202, 400),
     .summary = "Makes a reset token. The answer is the same for every address.",
     ANSWERS({202, "accepted", &auth_status_schema}, WRONG, UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/auth/reset",
     .input = &reset_input,
     AUTH(user_reset_type, 200, 400),
     .summary = "Sets a new password by a reset token, once, and ends all sessions",
     ANSWERS({200, "the password is set", &auth_status_schema}, WRONG, UNAVAILABLE)},
    {.method = "POST",
     .path = "/api/auth/token",
     .input = &token_input,
     .handler = edge_client_token,
     .body_limit = BODY_LIMIT,
     .media_type = "application/x-www-form-urlencoded",
     .summary = "An access token for a program, by its client id and secret in the form or in Authorization: Basic",
     ANSWERS({200, "the token", &user_client_tokens_schema},
             {400, "another grant, or credentials twice", &oauth_error_schema},
             {401, "unknown program or wrong secret", &oauth_error_schema}, UNAVAILABLE)},
    {.method = "PUT",
     .path = "/api/auth/password",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &password_input,
     .handler = edge_password_change,
     .body_limit = BODY_LIMIT,
     .summary = "Changes the caller's password and ends all sessions",
     ANSWERS({200, "it is changed", &auth_status_schema}, WRONG,
             {403, "the present password is wrong, or the token is of another issuer", NULL}, NO_USER, LOCKED,
             UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/users",
     .access = BUS_ROUTE_ADMIN,
     .input = &users_input,
     .handler = edge_users_list,
     QUERY(user_list_type, user_page_type, NULL),
     .summary = "Users by their e-mail addresses: all but erased ones, or those whose address begins so",
     ANSWERS({200, "a page", &user_page_schema}, WRONG, FOREIGN, UNAVAILABLE)},
    {.method = "GET", .path = "/api/users/{user}/orders", .access = BUS_ROUTE_CUSTOMER, USER_ORDERS},
    {.method = "GET",
     .path = "/api/users/{user}/export",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &export_input,
     .handler = edge_profile_export,
     .summary = "All that is kept of a user, and the user's orders, a hundred at a time",
     ANSWERS({200, "the user and a page of orders", &user_export_schema}, WRONG, FOREIGN, NO_USER, UNAVAILABLE)},
    {.method = "GET",
     .path = "/api/users/{user}",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &profile_input,
     .handler = edge_profile_get,
     .summary = "A user: the caller, or for administrators any. It is all that is kept of the user as a person",
     ANSWERS({200, "the user", &user_view_schema}, FOREIGN, NO_USER, UNAVAILABLE)},
    {.method = "PUT",
     .path = "/api/users/{user}",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &profile_change_input,
     .handler = edge_profile_change,
     .data = &(const struct edge_query_kind){.type = &user_update_type, .answer = &user_answer_type},
     .body_limit = BODY_LIMIT,
     .summary = "Changes a user's name",
     ANSWERS({200, "the user", &user_view_schema}, WRONG, FOREIGN, NO_USER, UNAVAILABLE)},
    {.method = "DELETE",
     .path = "/api/users/{user}",
     .access = BUS_ROUTE_CUSTOMER,
     .input = &profile_input,
     .handler = edge_profile_change,
     .data = &(const struct edge_query_kind){.type = &user_erase_type, .answer = &user_answer_type},
     .summary = "Erases a user's personal data; orders stay under the id",
     ANSWERS({200, "they are erased", &auth_status_schema}, FOREIGN, NO_USER, UNAVAILABLE)},
    {.method = "POST",
     .path = "/webhooks/psp",
     .headers = psp_headers,
     .handler = edge_webhook_psp,
     .body_limit = BODY_LIMIT,
     .summary = "Takes an event of the payment provider, signed by Stripe-Signature, and has the payment that it is "
                "about read from the provider",
     ANSWERS({204, "the broker has it on disk, or it is about nothing of ours", NULL},
             {400, "the signature is not valid, or the body is no event", NULL}, UNAVAILABLE)},
    {.method = "GET",
     .path = "/.well-known/jwks.json",
     KEYS(response_jwks),
     .summary = "Public keys of access tokens",
     ANSWERS({200, "a JSON Web Key Set", &bus_jwks_schema}, UNAVAILABLE)},
    {.method = "GET",
     .path = "/.well-known/openid-configuration",
     KEYS(response_openid),
     .summary = "Who signs access tokens, as OpenID Connect Discovery tells it",
     ANSWERS({200, "the configuration", &openid_schema}, UNAVAILABLE)},
    {.method = "GET",
     .path = "/health",
     PROBE(bus_admin_health),
     .any_host = true,
     .summary = "Whether the broker and every service are up",
     ANSWERS({200, "all are up", &bus_health_schema}, {503, "something is down: see causes", &bus_health_schema})},
    {.method = "GET",
     .path = "/health/live",
     PROBE(bus_admin_live),
     .any_host = true,
     .summary = "Whether this process runs",
     ANSWERS({200, "it runs", &bus_status_schema})},
    {.method = "GET",
     .path = "/healthz",
     PROBE(bus_admin_live),
     .any_host = true,
     .summary = "Whether this process runs",
     ANSWERS({200, "it runs", &bus_status_schema})},
    {.method = "GET",
     .path = "/health/ready",
     PROBE(bus_admin_ready),
     .any_host = true,
     .summary = "Whether this process can serve",
     ANSWERS({200, "it can", &bus_status_schema}, {503, "it cannot, or is to end", &bus_status_schema})},
    {.method = "GET",
     .path = "/ready",
     PROBE(bus_admin_ready),
     .any_host = true,
     .summary = "Whether this process can serve",
     ANSWERS({200, "it can", &bus_status_schema}, {503, "it cannot, or is to end", &bus_status_schema})},
    {.method = "GET",
     .path = "/api/openapi.json",
     DOCUMENT(EDGE_OPENAPI),
     .summary = "This document (OpenAPI 3.1). Caches may keep it for five minutes.",
     .produces = "application/json",
     ANSWERS({200, "the document, with an entity tag", NULL}, NOT_MODIFIED)},
    {.method = "GET",
     .path = "/docs",
     DOCUMENT(EDGE_PAGE),
     .summary = "A page that shows this document",
     .produces = "text/html; charset=utf-8",
     ANSWERS({200, "the page", NULL}, NOT_MODIFIED)},
    {.method = "GET",
     .path = "/docs/page.css",
     DOCUMENT(EDGE_PAGE_STYLE),
     .summary = "Style of the page",
     .produces = "text/css; charset=utf-8",
     ANSWERS({200, "the style", NULL}, NOT_MODIFIED)},
    {.method = "GET",
     .path = "/docs/page.js",
     DOCUMENT(EDGE_PAGE_SCRIPT),
     .summary = "Script of the page",
     .produces = "text/javascript; charset=utf-8",
     ANSWERS({200, "the script", NULL}, NOT_MODIFIED)},
    {.method = "GET", /* last: see below */
     .path = "/metrics",
     PROBE(bus_admin_metrics),
     .summary = "Metrics in Prometheus's text format; with PUBLIC_METRICS alone",
     .produces = "text/plain; version=0.0.4",
     ANSWERS({200, "the metrics", NULL})},
};

size_t edge_route_count(bool has_metrics) {
  return BUS_COUNT(edge_routes) - (has_metrics ? 0 : 1);
}

int edge_print_openapi(void) {
  struct bus_str text = edge_openapi();
  return text.data && puts(text.data) >= 0 && fflush(stdout) == 0 ? 0 : 1;
}
