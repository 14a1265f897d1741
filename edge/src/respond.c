/* Puts an answer on the wire: headers, then JSON or a problem; and a customer into the access log. */
#include "edge.h"

#include <bus/hash.h>

#include <inttypes.h>

static void add_printf(struct bus_http_exchange *exchange, const char *name, struct bus_str value) {
  if (value.data) /* an answer without a header is better than none */
    bus_http_add_header(exchange, name, value);
}

static void add_headers(struct bus_http_exchange *exchange, const struct answer *answer) {
  struct bus_arena *arena = bus_http_arena(exchange);
  char id[BUS_UUID_TEXT];
  if (!bus_uuid_is_nil(&answer->location)) {
    bus_uuid_format(&answer->location, id);
    add_printf(exchange, "Location", bus_arena_printf(arena, "/api/orders/%s", id));
  }
  if (answer->replayed)
    bus_http_add_header(exchange, "Idempotent-Replayed", BUS_STR("true"));
  if (answer->applied_wait_s > 0)
    add_printf(exchange, "Preference-Applied", bus_arena_printf(arena, "wait=%" PRId64, answer->applied_wait_s));
  if (answer->retry_after_s > 0)
    add_printf(exchange, "Retry-After", bus_arena_printf(arena, "%d", answer->retry_after_s));
}

void edge_respond(struct edge *edge, struct bus_http_exchange *exchange, const struct answer *answer) {
  if (answer->refusal != REFUSAL_NONE)
    bus_series_add(edge->metrics.refused[answer->refusal], 1);
  add_headers(exchange, answer);
  if (answer->schema)
    bus_http_reply_json(exchange, answer->status, answer->schema, answer->body);
  else if (answer->json.data)
    bus_http_reply(exchange, answer->status, "application/json", answer->json);
  else
    bus_http_problem(exchange, answer->status, "%s", answer->detail);
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
