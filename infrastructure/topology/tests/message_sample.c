/* Fills a struct by its field table, whatever it is. */
#include "message_sample.h"

#include <string.h>

enum { SOME_DAY_S = 1772366400 }; /* 2026-03-01T12:00:00Z */

static int64_t at_least_one(int64_t min) {
  return min > 0 ? min : 1;
}

static bool fill_text(const struct bus_field *field, struct bus_arena *arena, struct bus_str *cell) {
  size_t len = (size_t)at_least_one(field->min);
  char *text = bus_arena_alloc(arena, len + 1);
  if (!text)
    return false;
  memset(text, 'A', len);
  *cell = (struct bus_str){text, len};
  return true;
}

static bool fill(const struct bus_schema *schema, struct bus_arena *arena, char *value);

static bool fill_array(const struct bus_field *field, struct bus_arena *arena, char *value) {
  size_t count = (size_t)at_least_one(field->min);
  char *items = bus_arena_array(arena, count, field->item->size);
  for (size_t i = 0; items && i < count; i++)
    if (!fill(field->item, arena, items + i * field->item->size))
      return false;
  *(void **)(void *)(value + field->offset) = items;
  *(size_t *)(void *)(value + field->count_offset) = count;
  return items != NULL;
}

static bool fill_field(const struct bus_field *field, struct bus_arena *arena, char *value) {
  void *cell = value + field->offset;
  switch (field->kind) {
  case BUS_KIND_STRING:
    return fill_text(field, arena, cell);
  case BUS_KIND_INT64:
    *(int64_t *)cell = field->min;
    return true;
  case BUS_KIND_BOOL:
    *(bool *)cell = true;
    return true;
  case BUS_KIND_ENUM:
    *(int *)cell = 0;
    return true;
  case BUS_KIND_SET:
    *(int64_t *)cell = (INT64_C(1) << at_least_one(field->min)) - 1;
    return true;
  case BUS_KIND_UUID:
    *(struct bus_uuid *)cell = (struct bus_uuid){{1, [6] = 0x70, [8] = 0x80}};
    return true;
  case BUS_KIND_TIME:
    *(bus_time *)cell = SOME_DAY_S * BUS_SECOND;
    return true;
  case BUS_KIND_OBJECT:
    return (*(void **)cell = message_sample_value(field->item, arena)) != NULL;
  case BUS_KIND_ARRAY:
    return fill_array(field, arena, value);
  case BUS_KIND_JSON:
    *(struct bus_str *)cell = BUS_STR("{}");
    return true;
  case BUS_KIND_EMBED:
    return fill(field->item, arena, cell);
  }
  return false;
}

static bool fill(const struct bus_schema *schema, struct bus_arena *arena, char *value) {
  for (size_t i = 0; i < schema->field_count; i++)
    if (!fill_field(&schema->fields[i], arena, value))
      return false;
  return true;
}

void *message_sample_value(const struct bus_schema *schema, struct bus_arena *arena) {
  char *value = bus_arena_array(arena, 1, schema->size);
  return value && fill(schema, arena, value) ? value : NULL;
}

bool message_sample(const struct bus_schema *schema, struct bus_arena *arena, struct bus_str *ret) {
  const void *value = message_sample_value(schema, arena);
  return value && bus_encode(schema, value, arena, ret);
}
