/* Reads the management API's lists of queues, exchanges and bindings. */
#include "listing.h"

#include <stdio.h>

enum { MANY = 20000, NAME = 512, ARGUMENTS = 8192 };

#define TEXT(S, member, what) BUS_FIELD_STRING(S, member, BUS_TEXT, 0, NAME, BUS_REQUIRED, what)

static const struct bus_field queue_fields[] = {
    TEXT(struct listed_queue, name, "queue"),
    BUS_FIELD_BOOL(struct listed_queue, durable, BUS_REQUIRED, "it outlives the broker"),
    BUS_FIELD_BOOL(struct listed_queue, exclusive, BUS_OPTIONAL, "it is of one connection"),
    BUS_FIELD_JSON(struct listed_queue, arguments, ARGUMENTS, BUS_REQUIRED, "arguments"),
};
static const struct bus_schema queue_schema = BUS_SCHEMA("listed_queue", struct listed_queue, queue_fields);

static const struct bus_field exchange_fields[] = {
    TEXT(struct listed_exchange, name, "exchange"),
    TEXT(struct listed_exchange, type, "its type"),
    BUS_FIELD_BOOL(struct listed_exchange, durable, BUS_REQUIRED, "it outlives the broker"),
};
static const struct bus_schema exchange_schema = BUS_SCHEMA("listed_exchange", struct listed_exchange, exchange_fields);

struct listed_binding {
  struct bus_str source, destination, routing_key;
};
static const struct bus_field binding_fields[] = {
    TEXT(struct listed_binding, source, "exchange"),
    TEXT(struct listed_binding, destination, "queue"),
    TEXT(struct listed_binding, routing_key, "key"),
};
static const struct bus_schema binding_schema = BUS_SCHEMA("listed_binding", struct listed_binding, binding_fields);

/* The field tables decode objects: the API's array becomes a member of one. */
struct list {
  void *items;
  size_t count;
};

static bool take_list(const struct bus_schema *item, struct bus_str json, struct bus_arena *arena, struct list *ret,
                      struct bus_error *err) {
  const struct bus_field field = {.name = "list",
                                  .kind = BUS_KIND_ARRAY,
                                  .presence = BUS_REQUIRED,
                                  .offset = offsetof(struct list, items),
                                  .count_offset = offsetof(struct list, count),
                                  .max = MANY,
                                  .item = item};
  const struct bus_schema schema = {"list", sizeof(struct list), &field, 1};
  struct bus_problems problems = {0};
  char text[256];
  struct bus_str object = bus_arena_printf(arena, "{\"list\":%.*s}", (int)json.len, json.data);
  if (!object.data)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the broker's lists");
  if (bus_decode(&schema, object, BUS_IGNORE_UNKNOWN, arena, ret, &problems))
    return true;
  bus_problems_text(&problems, text, sizeof text);
  return bus_fail(err, BUS_E_DECODE, "the management API's list is not understood: %s", text);
}

bool listing_take_queues(struct listing *listing, struct bus_str json, struct bus_arena *arena, struct bus_error *err) {
  struct list list = {0};
  if (!take_list(&queue_schema, json, arena, &list, err))
    return false;
  listing->queues = list.items;
  listing->queue_count = list.count;
  return true;
}

bool listing_take_exchanges(struct listing *listing, struct bus_str json, struct bus_arena *arena,
                            struct bus_error *err) {
  struct list list = {0};
  if (!take_list(&exchange_schema, json, arena, &list, err))
    return false;
  listing->exchanges = list.items;
  listing->exchange_count = list.count;
  return true;
}

static size_t print_binding(const struct listed_binding *binding, char *text, size_t room) {
  int len = snprintf(text, room, "%.*s\t%.*s\t%.*s\n", (int)binding->source.len, binding->source.data,
                     (int)binding->destination.len, binding->destination.data, (int)binding->routing_key.len,
                     binding->routing_key.data);
  return len < 0 ? 0 : (size_t)len;
}

bool listing_take_bindings(struct listing *listing, struct bus_str json, struct bus_arena *arena,
                           struct bus_error *err) {
  struct list list = {0};
  if (!take_list(&binding_schema, json, arena, &list, err))
    return false;
  const struct listed_binding *bindings = list.items;
  size_t size = 1, used = 0;
  for (size_t i = 0; i < list.count; i++)
    size += print_binding(&bindings[i], NULL, 0);
  listing->bindings = bus_arena_array(arena, size, 1);
  if (!listing->bindings)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the broker's bindings");
  listing->bindings[0] = '\0';
  for (size_t i = 0; i < list.count; i++)
    used += print_binding(&bindings[i], listing->bindings + used, size - used);
  return true;
}
