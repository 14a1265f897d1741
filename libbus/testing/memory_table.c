/* Rows of a column table in memory: structs to cells and back. */
#include <bus/memory_sql.h>

#include <assert.h>

void bus_memory_table_init(struct bus_memory_table *table, const struct bus_table *columns,
                           bool (*is_valid)(const void *record)) {
  *table = (struct bus_memory_table){.of = columns, .is_valid = is_valid};
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

struct bus_memory_row *bus_memory_find(const struct bus_memory_table *table, const void *key) {
  const struct bus_column *column = &table->of->columns[0];
  struct bus_memory_row *row = table->rows;
  while (row && !same_member(column, (const char *)row->record + column->offset, key))
    row = row->next;
  return row;
}

struct bus_memory_row *bus_memory_find_value(const struct bus_memory_table *table, const struct bus_memory_value *key) {
  bool text = table->of->columns[0].cell == BUS_CELL_TEXT;
  return text ? bus_memory_find(table, &key->text) : bus_memory_find(table, &key->uuid);
}

/* ---- reading ---- */

static struct bus_args cells_of(const struct bus_memory_table *table, const void *record, struct bus_arena *arena) {
  struct bus_args args = bus_memory_args(arena);
  bus_row_add(&args, table->of, BUS_ROW, record);
  return args;
}

bool bus_memory_read(struct bus_rows *ret, const struct bus_memory_table *table, const struct bus_memory_row *row,
                     struct bus_arena *arena) {
  const struct bus_args cells = cells_of(table, row->record, arena);
  struct bus_memory_value *read = cells.failed ? NULL : bus_memory_rows_add(ret, cells.count, arena);
  if (read)
    memcpy(read, cells.values, cells.count * sizeof *cells.values);
  return read != NULL;
}

/* ---- writing ---- */

/* False: out of memory. Cells that the same column table wrote can be read. */
static bool fill(const struct bus_memory_table *table, struct bus_memory_value *cells, size_t count,
                 struct bus_arena *arena, void *ret) {
  const struct bus_rows rows = {.cells = cells, .count = 1, .columns = count};
  struct bus_error err = {.code = BUS_OK};
  bus_row_init(table->of, ret);
  bool read = bus_row_read(table->of, BUS_ROW, &rows, 0, 0, arena, ret, &err);
  assert(read || err.code == BUS_E_NOMEM);
  return read;
}

/* NULL: out of memory. */
static void *make(const struct bus_memory_table *table, struct bus_memory_value *cells, size_t count,
                  struct bus_arena *arena) {
  void *record = bus_arena_alloc(arena, table->of->size);
  return record && fill(table, cells, count, arena, record) ? record : NULL;
}

static bool is_taken(const struct bus_memory_table *table, const void *record) {
  for (const struct bus_memory_row *row = table->rows; row; row = row->next)
    if (same_key(table->of, row->record, record))
      return true;
  return false;
}

static bool append(struct bus_memory_table *table, void *record, struct bus_arena *keep) {
  struct bus_memory_row *row = bus_arena_alloc(keep, sizeof *row), **at = &table->rows;
  if (!row)
    return false;
  *row = (struct bus_memory_row){.touched = true, .record = record};
  while (*at)
    at = &(*at)->next;
  *at = row;
  return true;
}

bool bus_memory_add(struct bus_memory_table *table, const void *record, struct bus_arena *keep) {
  void *copy = bus_arena_alloc(keep, table->of->size);
  if (!copy)
    return false;
  memcpy(copy, record, table->of->size);
  return append(table, copy, keep);
}

static bool is_valid(const struct bus_memory_table *table, const void *record) {
  return !table->is_valid || table->is_valid(record);
}

static enum bus_memory_outcome insert(struct bus_memory_table *table, const struct bus_args *args, size_t number,
                                      struct bus_arena *keep) {
  void *record = make(table, bus_memory_arg_row(args, number), args->width, keep ? keep : args->arena);
  if (!record)
    return BUS_MEMORY_NOMEM;
  if (is_taken(table, record))
    return BUS_MEMORY_CONFLICT;
  if (!keep)
    return is_valid(table, record) ? BUS_MEMORY_DONE : BUS_MEMORY_DATA;
  return append(table, record, keep) ? BUS_MEMORY_DONE : BUS_MEMORY_NOMEM;
}

/* Puts the values of an update over the cells of the whole row. */
static void overlay(const struct bus_table *table, const struct bus_memory_value *values,
                    struct bus_memory_value *cells) {
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

static enum bus_memory_outcome update(struct bus_memory_table *table, const struct bus_args *args, size_t number,
                                      struct bus_arena *keep) {
  const struct bus_memory_value *values = bus_memory_arg_row(args, number);
  struct bus_memory_row *row = bus_memory_find_value(table, values);
  if (!row)
    return BUS_MEMORY_DONE;
  struct bus_args cells = cells_of(table, row->record, args->arena);
  if (cells.failed)
    return BUS_MEMORY_NOMEM;
  overlay(table->of, values, cells.values);
  if (keep) {
    row->touched = true;
    return fill(table, cells.values, cells.count, keep, row->record) ? BUS_MEMORY_DONE : BUS_MEMORY_NOMEM;
  }
  const void *record = make(table, cells.values, cells.count, args->arena);
  return !record ? BUS_MEMORY_NOMEM : is_valid(table, record) ? BUS_MEMORY_DONE : BUS_MEMORY_DATA;
}

static enum bus_memory_outcome each_row(
    struct bus_memory_table *table, const struct bus_args *args, struct bus_arena *keep,
    enum bus_memory_outcome (*write)(struct bus_memory_table *, const struct bus_args *, size_t, struct bus_arena *)) {
  enum bus_memory_outcome outcome = BUS_MEMORY_DONE;
  for (size_t i = 0; outcome == BUS_MEMORY_DONE && i < bus_memory_arg_rows(args); i++)
    outcome = write(table, args, i, keep);
  return outcome;
}

enum bus_memory_outcome bus_memory_insert(struct bus_memory_table *table, const struct bus_args *args,
                                          struct bus_arena *keep) {
  return each_row(table, args, keep, insert);
}

enum bus_memory_outcome bus_memory_update(struct bus_memory_table *table, const struct bus_args *args,
                                          struct bus_arena *keep) {
  return each_row(table, args, keep, update);
}
