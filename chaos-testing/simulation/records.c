/* Structs to cells and back, by the column tables of the services. */
#include "records.h"

#include "check.h"

#include <assert.h>

void records_init(struct table *table, const struct bus_table *columns, bool (*is_valid)(const void *record)) {
  *table = (struct table){.of = columns, .is_valid = is_valid};
}

static bool same_member(const struct bus_column *column, const void *a, const void *b) {
  switch (column->cell) {
  case BUS_CELL_UUID:
    return bus_uuid_equal(a, b);
  case BUS_CELL_TEXT:
    return bus_str_equal(*(const struct bus_str *)a, *(const struct bus_str *)b);
  case BUS_CELL_INT64:
    return *(const int64_t *)a == *(const int64_t *)b;
  default:
    return *(const int *)a == *(const int *)b;
  }
}

static bool same_key(const struct bus_table *table, const char *a, const char *b) {
  for (size_t i = 0; i < table->column_count; i++) {
    const struct bus_column *column = &table->columns[i];
    if ((column->flags & BUS_KEY) && !same_member(column, a + column->offset, b + column->offset))
      return false;
  }
  return true;
}

struct row *records_find(const struct table *table, const void *key) {
  const struct bus_column *column = &table->of->columns[0];
  struct row *row = table->rows;
  while (row && !same_member(column, (const char *)row->record + column->offset, key))
    row = row->next;
  return row;
}

static struct row *find_value(const struct table *table, const struct value *key) {
  bool text = table->of->columns[0].cell == BUS_CELL_TEXT;
  return text ? records_find(table, &key->text) : records_find(table, &key->uuid);
}

/* ---- reading ---- */

static struct bus_args cells_of(const struct table *table, const void *record, struct bus_arena *arena) {
  struct bus_args args = memory_args(arena);
  bus_row_add(&args, table->of, BUS_ROW, record);
  return args;
}

void records_read(struct bus_rows *ret, const struct table *table, const struct row *row, struct bus_arena *arena) {
  const struct bus_args cells = cells_of(table, row->record, arena);
  memcpy(memory_rows_add(ret, cells.count, arena), cells.values, cells.count * sizeof *cells.values);
}

void records_lock(struct reading *reading, const struct table *table, const struct bus_args *args,
                  struct bus_rows *ret) {
  for (size_t i = 0; i < memory_args_rows(args) && !reading->blocked; i++) {
    struct row *row = find_value(table, memory_args_row(args, i));
    if (row && row_lock(reading, row))
      records_read(ret, table, row, reading->arena);
  }
}

/* ---- writing ---- */

static void fill(const struct table *table, struct value *cells, size_t count, struct bus_arena *arena, void *ret) {
  const struct bus_rows rows = {.cells = cells, .count = 1, .columns = count};
  bus_row_init(table->of, ret);
  bool read = bus_row_read(table->of, BUS_ROW, &rows, 0, 0, arena, ret, NULL);
  assert(read);
  (void)read;
}

static void *make(const struct table *table, struct value *cells, size_t count, struct bus_arena *arena) {
  void *record = bus_arena_alloc(arena, table->of->size);
  assert(record);
  fill(table, cells, count, arena, record);
  return record;
}

static bool is_taken(const struct table *table, const void *record) {
  for (const struct row *row = table->rows; row; row = row->next)
    if (same_key(table->of, row->record, record))
      return true;
  return false;
}

static void append(struct world *world, struct table *table, void *record) {
  struct row *row = world_alloc(world, sizeof *row);
  *row = (struct row){.touched = true, .record = record};
  struct row **at = &table->rows;
  while (*at)
    at = &(*at)->next;
  *at = row;
}

void records_add(struct world *world, struct table *table, const void *record) {
  void *copy = world_alloc(world, table->of->size);
  memcpy(copy, record, table->of->size);
  append(world, table, copy);
}

static enum commit insert(struct world *world, struct table *table, const struct bus_args *args, size_t number) {
  void *record = make(table, memory_args_row(args, number), args->width, world ? world->arena : args->arena);
  if (is_taken(table, record))
    return COMMIT_CONFLICT;
  if (world)
    append(world, table, record);
  return world || !table->is_valid || table->is_valid(record) ? COMMIT_DONE : COMMIT_DATA;
}

/* Puts the values of an update over the cells of the whole row. */
static void overlay(const struct bus_table *table, const struct value *values, struct value *cells) {
  for (int lists = 0; lists < 2; lists++)
    for (size_t i = 0; i < table->column_count; i++) {
      const struct bus_column *column = &table->columns[i];
      bool is_list = column->cell == BUS_CELL_LIST;
      if (is_list != (lists == 1) || (column->flags & BUS_ROW) == 0 || column->cell == BUS_CELL_NOW)
        continue;
      for (size_t j = 0; j < (is_list ? column->items->column_count : 1); j++, cells++)
        if ((is_list ? column->items->columns[j].flags & column->flags : column->flags) & (BUS_KEY | BUS_CHANGING))
          *cells = *values++;
    }
}

static enum commit update(struct world *world, struct table *table, const struct bus_args *args, size_t number) {
  const struct value *values = memory_args_row(args, number);
  struct row *row = find_value(table, values);
  if (!row)
    return COMMIT_DONE;
  struct bus_args cells = cells_of(table, row->record, args->arena);
  overlay(table->of, values, cells.values);
  if (!world)
    return !table->is_valid || table->is_valid(make(table, cells.values, cells.count, args->arena)) ? COMMIT_DONE
                                                                                                    : COMMIT_DATA;
  fill(table, cells.values, cells.count, world->arena, row->record);
  row->touched = true;
  return COMMIT_DONE;
}

static enum commit each_row(struct world *world, struct table *table, const struct bus_args *args,
                            enum commit (*write)(struct world *, struct table *, const struct bus_args *, size_t)) {
  enum commit outcome = COMMIT_DONE;
  for (size_t i = 0; outcome == COMMIT_DONE && i < memory_args_rows(args); i++)
    outcome = write(world, table, args, i);
  return outcome;
}

enum commit records_insert(struct world *world, struct table *table, const struct bus_args *args) {
  return each_row(world, table, args, insert);
}

enum commit records_update(struct world *world, struct table *table, const struct bus_args *args) {
  return each_row(world, table, args, update);
}
