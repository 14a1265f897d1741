/* Asks all services at once for their trails (bus/trail.h), and puts the answers together. */
#include "trails.h"

#include <bus/clock.h>

#include "edge.h"

enum { ROWS_MAX = EDGE_SERVICES_MAX * BUS_TRAIL_MAX };

#define SERVICE(S)                                                                                                     \
  BUS_FIELD_STRING(S, service, BUS_TOKEN, 1, BUS_NAME_MAX, BUS_REQUIRED, "the service whose database has it")
#define LIST(S, member, count, T, schema, ...)                                                                         \
  BUS_FIELD_ARRAY(S, member, count, struct T, &(schema), 0, ROWS_MAX, BUS_REQUIRED, __VA_ARGS__)
#define SILENT(S)                                                                                                      \
  LIST(S, silent, silent_count, silent_view, silent_schema, "services that gave no answer: their messages are missing")

static const struct bus_field outgoing_fields[] = {
    SERVICE(struct outgoing_view),
    BUS_FIELD_EMBED(struct outgoing_view, message, struct bus_trail_outgoing, &bus_trail_outgoing_schema),
};
static const struct bus_schema outgoing_schema = BUS_SCHEMA("outgoing", struct outgoing_view, outgoing_fields);
static const struct bus_field dead_fields[] = {
    SERVICE(struct dead_view),
    BUS_FIELD_EMBED(struct dead_view, message, struct bus_trail_dead, &bus_trail_dead_schema),
};
static const struct bus_schema dead_schema = BUS_SCHEMA("dead_letter", struct dead_view, dead_fields);
static const struct bus_field cause_fields[] = {
    SERVICE(struct cause_view),
    BUS_FIELD_EMBED(struct cause_view, cause, struct bus_trail_cause, &bus_trail_cause_schema),
};
static const struct bus_schema cause_schema = BUS_SCHEMA("dead_letter_cause", struct cause_view, cause_fields);
static const struct bus_field silent_fields[] = {
    BUS_FIELD_STRING(struct silent_view, service, BUS_TOKEN, 1, BUS_NAME_MAX, BUS_REQUIRED, "its name")};
static const struct bus_schema silent_schema = BUS_SCHEMA("silent_service", struct silent_view, silent_fields);

static const struct bus_field trail_fields[] = {
    LIST(struct order_trail, outgoing, outgoing_count, outgoing_view, outgoing_schema,
         "messages that the broker has not confirmed yet"),
    LIST(struct order_trail, dead, dead_count, dead_view, dead_schema,
         "messages that were dead-lettered; perhaps they were sent again or dropped since"),
    SILENT(struct order_trail),
};
const struct bus_schema order_trail_schema = BUS_SCHEMA("order_trail", struct order_trail, trail_fields);
static const struct bus_field letters_fields[] = {
    LIST(struct dead_letters, items, item_count, cause_view, cause_schema,
         "causes of seven days by service, the last first; messages that were sent again or dropped since count, too"),
    SILENT(struct dead_letters),
    BUS_FIELD_STRING(struct dead_letters, next_cursor, BUS_TOKEN, 1, 1, BUS_OPTIONAL, "null"),
};
const struct bus_schema dead_letters_schema = BUS_SCHEMA("dead_letters", struct dead_letters, letters_fields);

/* ---- asking ---- */

/* The answers, by the places of the services; NULL: it gave none, or is not asked. */
struct trails {
  const struct bus_trail *of[EDGE_SERVICES_MAX];
  struct silent_view silent[EDGE_SERVICES_MAX];
  size_t silent_count;
};

static const struct bus_trail *take(struct bus_pending *pending, int64_t until, struct bus_arena *arena) {
  static const struct bus_message_type *const answer = &bus_trail_type;
  const struct bus_message_type *type;
  const void *said = NULL;
  if (pending == NULL || bus_request_wait(pending, until, false) != BUS_REQUEST_ANSWERED ||
      !bus_request_answer(pending, &answer, 1, arena, &type, &said))
    said = NULL;
  bus_request_end(pending);
  return said;
}

static void ask(struct edge *edge, const struct bus_trail_get *get, struct bus_arena *arena, struct trails *ret) {
  struct bus_pending *pending[EDGE_SERVICES_MAX] = {NULL};
  int64_t until = bus_monotonic() + edge->settings->query_timeout_ms * BUS_MILLISECOND;
  *ret = (struct trails){.silent_count = 0};
  for (size_t i = 0; i < edge->service_count; i++)
    if (edge->services[i].trail)
      pending[i] =
          bus_request_begin(edge->requester, &(struct bus_request){.type = edge->services[i].trail, .body = get});
  for (size_t i = 0; i < edge->service_count; i++) {
    if (!edge->services[i].trail)
      continue;
    ret->of[i] = take(pending[i], until, arena);
    if (!ret->of[i])
      ret->silent[ret->silent_count++] = (struct silent_view){bus_str(edge->services[i].part->user.name)};
  }
}

static struct silent_view *keep_silent(const struct trails *trails, struct bus_arena *arena) {
  struct silent_view *kept = bus_arena_array(arena, trails->silent_count, sizeof *kept);
  if (kept)
    memcpy(kept, trails->silent, trails->silent_count * sizeof *kept);
  return kept;
}

/* How many messages, dead letters or causes all answers have together. */
static size_t total_of(const struct trails *trails, size_t offset) {
  size_t total = 0;
  for (size_t i = 0; i < EDGE_SERVICES_MAX; i++)
    total += trails->of[i] ? *(const size_t *)((const char *)trails->of[i] + offset) : 0;
  return total;
}
#define TOTAL(trails, member) total_of((trails), offsetof(struct bus_trail, member))

static struct bus_str name_of(const struct edge *edge, size_t service) {
  return bus_str(edge->services[service].part->user.name);
}

/* ---- GET /api/orders/{id}/trail ---- */

static void add_messages(struct order_trail *ret, struct bus_str service, const struct bus_trail *trail) {
  for (size_t i = 0; i < trail->outgoing_count; i++)
    ret->outgoing[ret->outgoing_count++] = (struct outgoing_view){service, trail->outgoing[i]};
  for (size_t i = 0; i < trail->dead_count; i++)
    ret->dead[ret->dead_count++] = (struct dead_view){service, trail->dead[i]};
}

void edge_orders_trail(void *context, struct bus_http_exchange *exchange) {
  struct edge *edge = context;
  struct bus_arena *arena = bus_http_arena(exchange);
  const struct payment_get *asked = bus_http_request(exchange);
  const struct bus_trail_get get = {.correlation_id = asked->order_id};
  struct trails trails;
  ask(edge, &get, arena, &trails);
  struct order_trail body = {.outgoing = bus_arena_array(arena, TOTAL(&trails, outgoing_count), sizeof *body.outgoing),
                             .dead = bus_arena_array(arena, TOTAL(&trails, dead_count), sizeof *body.dead),
                             .silent = keep_silent(&trails, arena),
                             .silent_count = trails.silent_count};
  struct response response = response_refusal(REFUSAL_NO_MEMORY);
  if (body.outgoing && body.dead && body.silent) {
    for (size_t i = 0; i < edge->service_count; i++)
      if (trails.of[i])
        add_messages(&body, name_of(edge, i), trails.of[i]);
    response = response_found(&order_trail_schema, &body);
  }
  edge_respond(edge, exchange, &response);
}

/* ---- GET /api/dead-letters ---- */

void edge_dead_letters(void *context, struct bus_http_exchange *exchange) {
  static const struct bus_trail_get get;
  struct edge *edge = context;
  struct bus_arena *arena = bus_http_arena(exchange);
  struct trails trails;
  ask(edge, &get, arena, &trails);
  struct dead_letters body = {.items = bus_arena_array(arena, TOTAL(&trails, cause_count), sizeof *body.items),
                              .silent = keep_silent(&trails, arena),
                              .silent_count = trails.silent_count};
  struct response response = response_refusal(REFUSAL_NO_MEMORY);
  if (body.items && body.silent) {
    for (size_t i = 0; i < edge->service_count; i++)
      for (size_t k = 0; trails.of[i] && k < trails.of[i]->cause_count; k++)
        body.items[body.item_count++] = (struct cause_view){name_of(edge, i), trails.of[i]->causes[k]};
    response = response_found(&dead_letters_schema, &body);
  }
  edge_respond(edge, exchange, &response);
}
