/* One cell after another, each as its field's kind says. */
#include "story_rows.h"

static bool take_text(struct bus_str text, struct bus_arena *arena, struct bus_str *cell) {
  *cell = text.data ? bus_arena_copy(arena, text) : text;
  return !text.data || cell->data;
}

static bool take_cell(const struct bus_field *field, const struct bus_rows *rows, size_t row, int column,
                      struct bus_arena *arena, void *cell) {
  switch (field->kind) {
  case BUS_KIND_UUID:
    *(struct bus_uuid *)cell = bus_rows_uuid(rows, row, column);
    return true;
  case BUS_KIND_INT64:
    *(int64_t *)cell = bus_rows_int64(rows, row, column);
    return true;
  case BUS_KIND_BOOL:
    *(bool *)cell = bus_rows_bool(rows, row, column);
    return true;
  case BUS_KIND_TIME:
    *(bus_time *)cell = bus_rows_time(rows, row, column);
    return true;
  default:
    return take_text(bus_rows_text(rows, row, column), arena, cell);
  }
}

bool story_row_take(const struct bus_schema *schema, const struct bus_rows *rows, size_t row, enum story_place place,
                    struct bus_arena *arena, void *record) {
  int column = 0;
  bool good = true;
  for (size_t i = 0; i < schema->field_count; i++) {
    const struct bus_field *field = &schema->fields[i];
    void *cell = (char *)record + field->offset;
    if (field->kind == BUS_KIND_ENUM)
      *(int *)cell = (int)place;
    else
      good = take_cell(field, rows, row, column++, arena, cell) && good;
  }
  return good;
}

bool story_rows_append(const struct bus_schema *schema, const struct bus_rows *rows, enum story_place place,
                       struct bus_arena *arena, void **array, size_t *count) {
  size_t more = bus_rows_count(rows), size = schema->size;
  if (more == 0)
    return true;
  char *made = bus_arena_array(arena, *count + more, size);
  if (!made)
    return false;
  if (*count > 0)
    memcpy(made, *array, *count * size);
  *array = made;
  bool good = true;
  for (size_t i = 0; i < more; i++)
    good = story_row_take(schema, rows, i, place, arena, made + (*count)++ * size) && good;
  return good;
}

struct bus_uuid *story_rows_ids(const struct bus_rows *rows, struct bus_arena *arena, size_t *ret_count) {
  struct bus_uuid *ids = bus_arena_array(arena, bus_rows_count(rows) + 1, sizeof *ids);
  *ret_count = ids ? bus_rows_count(rows) : 0;
  for (size_t i = 0; i < *ret_count; i++)
    ids[i] = bus_rows_uuid(rows, i, 0);
  return ids;
}

void story_rows_ask_ids(struct bus_sql *sql, size_t statement, const struct bus_uuid *ids, size_t count) {
  struct bus_args *args = bus_sql_add(sql, statement);
  for (size_t i = 0; i < count; i++)
    bus_args_uuid(args, &ids[i]);
}
