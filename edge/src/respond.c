/* Puts an answer on the wire: headers, then JSON or a problem. */
#include "edge.h"

#include <inttypes.h>
#include <stdlib.h>

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

struct bus_problems *edge_problems_new(struct edge *edge, struct bus_http_exchange *exchange) {
  struct bus_problems *problems = malloc(sizeof *problems);
  if (problems == NULL) {
    const struct answer refusal = answer_refusal(REFUSAL_NO_MEMORY);
    edge_respond(edge, exchange, &refusal);
    return NULL;
  }
  problems->count = 0;
  return problems;
}

bool edge_problems_end(struct bus_http_exchange *exchange, struct bus_problems *problems, bool is_right) {
  if (!is_right)
    bus_http_problems(exchange, problems);
  free(problems);
  return is_right;
}
