/* Cross-origin requests of browsers (the Fetch standard): which pages may read responses, and preflights. No response
 * allows credentials. */
#include "internal.h"

#define REQUEST_HEADERS                                                                                                \
  "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Prefer, X-Request-Id, "       \
  "traceparent"
#define RESPONSE_HEADERS                                                                                               \
  "ETag, Idempotent-Replayed, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, "                \
  "WWW-Authenticate, X-Request-Id, traceparent"

/* The value of Access-Control-Allow-Origin; absent: the page may not read the response. */
static struct bus_str allowed_origin(const struct bus_http_exchange *exchange) {
  const char *const *origins = exchange->server->settings.origins;
  struct bus_str origin = bus_http_header(exchange, "origin");
  for (; origins && *origins && origin.data; origins++)
    if (strcmp(*origins, "*") == 0 || bus_str_is(origin, *origins))
      return strcmp(*origins, "*") == 0 ? bus_str("*") : origin;
  return BUS_NO_STR;
}

void http_cors_allow(struct bus_http_exchange *exchange) {
  struct bus_str origin = allowed_origin(exchange);
  if (exchange->server->settings.origins == NULL)
    return;
  bus_http_add_header(exchange, "Vary", BUS_STR("Origin"));
  if (origin.data == NULL)
    return;
  bus_http_add_header(exchange, "Access-Control-Allow-Origin", origin);
  bus_http_add_header(exchange, "Access-Control-Expose-Headers", BUS_STR(RESPONSE_HEADERS));
}

bool http_cors_preflight(struct bus_http_exchange *exchange) {
  if (strcmp(exchange->method, "OPTIONS") != 0 || exchange->content_length != 0 ||
      bus_http_header(exchange, "access-control-request-method").data == NULL || allowed_origin(exchange).data == NULL)
    return false;
  bus_http_add_header(exchange, "Access-Control-Allow-Methods", bus_str(exchange->match.allow));
  bus_http_add_header(exchange, "Access-Control-Allow-Headers", BUS_STR(REQUEST_HEADERS));
  bus_http_add_header(exchange, "Access-Control-Max-Age", BUS_STR("600"));
  bus_http_reply(exchange, 204, NULL, BUS_NO_STR);
  return true;
}
