/* The table of processes. */
#include "instances.h"

#include <stdio.h>
#include <stdlib.h>

static const struct bus_field view_fields[] = {
    BUS_FIELD_STRING(struct instance_view, service, BUS_TOKEN, 1, BUS_NAME_MAX, BUS_REQUIRED, "its user at the broker"),
    BUS_FIELD_STRING(struct instance_view, instance, BUS_TOKEN, 1, BUS_INSTANCE_MAX, BUS_REQUIRED, "the process"),
    BUS_FIELD_STRING(struct instance_view, version, BUS_PLAIN, 1, BUS_VERSION_MAX, BUS_REQUIRED, "of the service"),
    BUS_FIELD_ENUM(struct instance_view, state, bus_alive_state_names, BUS_REQUIRED, "whether it takes work"),
    BUS_FIELD_TIME(struct instance_view, started_at, BUS_REQUIRED, "when it began"),
    BUS_FIELD_TIME(struct instance_view, seen_at, BUS_REQUIRED, "when it spoke last"),
    BUS_FIELD_EMBED(struct instance_view, figures, struct bus_alive_figures, &bus_alive_figures_schema),
    BUS_FIELD_ARRAY(struct instance_view, breakers, breaker_count, struct bus_alive_breaker, &bus_alive_breaker_schema,
                    0, BUS_ALIVE_BREAKERS_MAX, BUS_REQUIRED, "circuit breakers of the process"),
};
static const struct bus_schema view_schema = BUS_SCHEMA("instance", struct instance_view, view_fields);
static const struct bus_field list_fields[] = {
    BUS_FIELD_ARRAY(struct instance_list, items, item_count, struct instance_view, &view_schema, 0, INSTANCES_MAX,
                    BUS_REQUIRED, "processes by service and start"),
    BUS_FIELD_STRING(struct instance_list, next_cursor, BUS_TOKEN, 1, 1, BUS_OPTIONAL, "null"),
};
const struct bus_schema instance_list_schema = BUS_SCHEMA("instance_list", struct instance_list, list_fields);

void instances_init(struct instances *instances) {
  *instances = (struct instances){.items = {{.heard_at = 0}}};
  (void)pthread_mutex_init(&instances->mutex, NULL); /* a default mutex: cannot fail on Linux */
}

static struct instance *place_of(struct instances *instances, struct bus_str service, struct bus_str id) {
  struct instance *oldest = &instances->items[0];
  for (size_t i = 0; i < INSTANCES_MAX; i++) {
    struct instance *item = &instances->items[i];
    if (item->heard_at != 0 && bus_str_is(service, item->service) && bus_str_is(id, item->id))
      return item;
    if (item->heard_at < oldest->heard_at)
      oldest = item;
  }
  return oldest;
}

static void put(char *room, size_t size, struct bus_str text) {
  (void)snprintf(room, size, "%.*s", (int)text.len, text.data); /* it fits: tables and names are bounded */
}

static void put_breakers(struct instance *item, const struct bus_alive *alive) {
  for (size_t i = 0; i < alive->breaker_count && i < BUS_ALIVE_BREAKERS_MAX; i++) {
    put(item->breakers[i].dependency, sizeof item->breakers[i].dependency, alive->breakers[i].dependency);
    item->breakers[i].state = alive->breakers[i].state;
    item->breaker_count = i + 1;
  }
}

bool instances_note(struct instances *instances, struct bus_str service, const struct bus_alive *alive, int64_t now,
                    bus_time wall) {
  (void)pthread_mutex_lock(&instances->mutex);
  struct instance *item = place_of(instances, service, alive->instance);
  bool is_new = !bus_str_is(service, item->service) || !bus_str_is(alive->instance, item->id);
  *item = (struct instance){.started_at = alive->started_at,
                            .seen_at = wall,
                            .state = alive->state,
                            .figures = alive->figures,
                            .heard_at = now};
  put_breakers(item, alive);
  put(item->service, sizeof item->service, service);
  put(item->id, sizeof item->id, alive->instance);
  put(item->version, sizeof item->version, alive->version);
  (void)pthread_mutex_unlock(&instances->mutex);
  return is_new;
}

static int compare(const void *a, const void *b) {
  const struct instance_view *one = a, *other = b;
  int by_service = strcmp(one->service.data, other->service.data);
  if (by_service != 0)
    return by_service;
  if (one->started_at != other->started_at)
    return one->started_at < other->started_at ? -1 : 1;
  return strcmp(one->instance.data, other->instance.data);
}

static bool copy_breakers(const struct instance *item, struct bus_arena *arena, struct instance_view *ret) {
  ret->breakers = bus_arena_array(arena, item->breaker_count, sizeof *ret->breakers);
  ret->breaker_count = item->breaker_count;
  bool good = ret->breakers != NULL;
  for (size_t i = 0; good && i < item->breaker_count; i++) {
    ret->breakers[i] = (struct bus_alive_breaker){bus_arena_copy(arena, bus_str(item->breakers[i].dependency)),
                                                  item->breakers[i].state};
    good = ret->breakers[i].dependency.data != NULL;
  }
  return good;
}

static bool copy(const struct instance *item, struct bus_arena *arena, struct instance_view *ret) {
  *ret = (struct instance_view){.service = bus_arena_copy(arena, bus_str(item->service)),
                                .instance = bus_arena_copy(arena, bus_str(item->id)),
                                .version = bus_arena_copy(arena, bus_str(item->version)),
                                .state = item->state,
                                .started_at = item->started_at,
                                .seen_at = item->seen_at,
                                .figures = item->figures};
  return ret->service.data && ret->instance.data && ret->version.data && copy_breakers(item, arena, ret);
}

bool instances_list(struct instances *instances, int64_t now, struct bus_arena *arena, struct instance_list *ret) {
  *ret = (struct instance_list){.items = bus_arena_array(arena, INSTANCES_MAX, sizeof *ret->items)};
  bool good = ret->items != NULL;
  (void)pthread_mutex_lock(&instances->mutex);
  for (size_t i = 0; good && i < INSTANCES_MAX; i++) {
    const struct instance *item = &instances->items[i];
    if (item->heard_at != 0 && now - item->heard_at < BUS_ALIVE_SILENT)
      good = copy(item, arena, &ret->items[ret->item_count++]);
  }
  (void)pthread_mutex_unlock(&instances->mutex);
  if (good)
    qsort(ret->items, ret->item_count, sizeof *ret->items, compare);
  return good;
}
