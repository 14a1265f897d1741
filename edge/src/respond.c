/* Sends a response: headers, then JSON or a problem; and a customer into the access log. */
#include "edge.h"

#include <bus/hash.h>

#include <inttypes.h>

static void add_printf(struct bus_http_exchange *exchange, const char *name, struct bus_str value) {
  if (value.data) /* a response without a header is better than none */
    bus_http_add_header(exchange, name, value);
}

static void add_headers(struct bus_http_exchange *exchange, const struct response *response) {
  struct bus_arena *arena = bus_http_arena(exchange);
  char id[BUS_UUID_TEXT];
  if (!bus_uuid_is_nil(&response->location)) {
    bus_uuid_format(&response->location, id);
    add_printf(
        exchange, "Location",
        bus_arena_printf(arena, "%s/%s", response->location_under ? response->location_under : "/api/orders", id));
  }
  if (response->replayed)
    bus_http_add_header(exchange, "Idempotent-Replayed", BUS_STR("true"));
  if (response->applied_wait_s > 0)
    add_printf(exchange, "Preference-Applied", bus_arena_printf(arena, "wait=%" PRId64, response->applied_wait_s));
  if (response->retry_after_s > 0)
    add_printf(exchange, "Retry-After", bus_arena_printf(arena, "%d", response->retry_after_s));
}

/* True: 304 is the response. */
static bool is_known(struct bus_http_exchange *exchange, const struct response *response) {
  if (response->version <= 0)
    return false;
  struct bus_arena *arena = bus_http_arena(exchange);
  struct bus_str tag = response->stock_version > 0
                           ? bus_arena_printf(arena, "%" PRId64 ".%" PRId64, response->version, response->stock_version)
                           : bus_arena_printf(arena, "%" PRId64, response->version);
  return tag.data && bus_http_tag(exchange, tag) && response->status == 200;
}

void edge_respond(struct edge *edge, struct bus_http_exchange *exchange, const struct response *response) {
  if (response->refusal != REFUSAL_NONE)
    bus_series_add(edge->metrics.refused[response->refusal], 1);
  add_headers(exchange, response);
  if (is_known(exchange, response))
    bus_http_reply(exchange, 304, NULL, BUS_NO_STR);
  else if (response->schema)
    bus_http_reply_json(exchange, response->status, response->schema, response->body);
  else if (response->json.data)
    bus_http_reply(exchange, response->status, "application/json", response->json);
  else
    bus_http_problem(exchange, response->status, "%s", response->detail);
}

enum { KEY_BYTES = sizeof((struct edge *)NULL)->customer_key, HASH_DIGITS = 16, ID_MAX = 128 };

/* One customer's requests can be told from others', and nobody is named. */
void edge_note_customer(const struct edge *edge, struct bus_http_exchange *exchange, struct bus_str customer_id) {
  char keyed[KEY_BYTES + ID_MAX], text[BUS_SHA256_TEXT];
  if (edge->settings->access_log == BUS_ACCESS_OFF || customer_id.data == NULL || customer_id.len > ID_MAX)
    return;
  memcpy(keyed, edge->customer_key, KEY_BYTES);
  memcpy(keyed + KEY_BYTES, customer_id.data, customer_id.len);
  bus_sha256_hex((struct bus_str){keyed, KEY_BYTES + customer_id.len}, text);
  bus_http_note(exchange, "customer", (struct bus_str){text, HASH_DIGITS});
}
