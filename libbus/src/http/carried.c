/* Runs a request that came by another protocol. */
#include <bus/http_carried.h>

#include <bus/clock.h>

#include "internal.h"

static bool begin(struct bus_http_server *server, const struct bus_http_carried *carried,
                  struct bus_http_exchange *exchange) {
  *exchange = (struct bus_http_exchange){.server = server,
                                         .carrier = carried->carrier,
                                         .carrier_context = carried->context,
                                         .listener = carried->listener,
                                         .scratch = http_scratch_take(&server->pool),
                                         .method = carried->method,
                                         .version = "2",
                                         .path = carried->path,
                                         .query = carried->query,
                                         .headers = carried->headers,
                                         .header_count = carried->header_count,
                                         .body = carried->body};
  exchange->added_end = &exchange->added;
  if (!bus_address_parse(bus_str(carried->peer), &exchange->client))
    exchange->client = (struct bus_address){{0}};
  return exchange->scratch != NULL;
}

bool bus_http_carry(struct bus_http_server *server, const struct bus_http_carried *carried) {
  struct bus_http_exchange exchange;
  int64_t began = bus_monotonic();
  if (!begin(server, carried, &exchange)) {
    http_access_bare(server, 503);
    return false;
  }
  http_identify(&exchange, true);
  http_peer_follow(&exchange);
  http_exchange_serve_carried(&exchange);
  http_exchange_end(&exchange, exchange.status, bus_monotonic() - began);
  return true;
}

void *bus_http_carrier_context(const struct bus_http_exchange *exchange) {
  return exchange->carrier_context;
}

struct bus_str bus_http_added_header(const struct bus_http_exchange *exchange, const char *name) {
  for (const struct http_added_header *added = exchange->added; added; added = added->next)
    if (strcmp(added->name, name) == 0)
      return added->value;
  return BUS_NO_STR;
}
