/* Rows of a column table to arguments and from results; over any binding of bus/sql.h. */
#include <bus/column.h>

/* ---- writing ---- */

static void add_name(struct bus_args *args, const struct bus_column *column, int value) {
  bus_args_text_or_null(args, value < 0 ? BUS_NO_STR : bus_str(column->names[value]));
}

static void add_chars(struct bus_args *args, const char *text) {
  bus_args_text_or_null(args, text[0] ? bus_str(text) : BUS_NO_STR);
}

static void add_traceparent(struct bus_args *args, const struct bus_trace *trace) {
  char text[BUS_TRACEPARENT_TEXT] = "";
  if (bus_trace_is_set(trace))
    bus_trace_format(trace, text);
  add_chars(args, text);
}

static void add_value(struct bus_args *args, const struct bus_column *column, const void *slot) {
  switch (column->cell) {
  case BUS_CELL_UUID:
    bus_args_uuid_or_null(args, slot);
    break;
  case BUS_CELL_INT64:
    bus_args_int64_or_null(args, *(const int64_t *)slot);
    break;
  case BUS_CELL_TEXT:
  case BUS_CELL_JSON:
    bus_args_text_or_null(args, *(const struct bus_str *)slot);
    break;
  case BUS_CELL_CHARS:
    add_chars(args, slot);
    break;
  case BUS_CELL_TIME:
    bus_args_time_or_null(args, *(const bus_time *)slot);
    break;
  case BUS_CELL_BOOL:
    bus_args_bool(args, *(const bool *)slot);
    break;
  case BUS_CELL_NAME:
    add_name(args, column, *(const int *)slot);
    break;
  case BUS_CELL_NUMBER:
    bus_args_int64_or_null(args, *(const int *)slot < 0 ? BUS_NO_INT64 : *(const int *)slot);
    break;
  case BUS_CELL_TRACEPARENT:
    add_traceparent(args, slot);
    break;
  case BUS_CELL_TRACESTATE:
    bus_args_text_or_null(args, ((const struct bus_trace *)slot)->state);
    break;
  case BUS_CELL_LIST:
  case BUS_CELL_NOW:
    break;
  }
}

struct list {
  const char *items;
  size_t count;
};

static struct list list_at(const struct bus_column *column, const void *row) {
  struct list list;
  memcpy(&list.items, (const char *)row + column->offset, sizeof list.items); /* the table knows no type of it */
  memcpy(&list.count, (const char *)row + column->count_offset, sizeof list.count);
  return list;
}

static void add_items(struct bus_args *args, const struct bus_column *column, unsigned flags, const void *row) {
  const struct list list = list_at(column, row);
  for (size_t i = 0; i < column->items->column_count; i++) {
    const struct bus_column *item = &column->items->columns[i];
    if ((item->flags & flags) == 0)
      continue;
    bus_args_list(args, list.count);
    for (size_t j = 0; j < list.count; j++)
      add_value(args, item, list.items + j * column->items->size + item->offset);
  }
}

void bus_row_add(struct bus_args *args, const struct bus_table *table, unsigned flags, const void *row) {
  const struct bus_column *end = table->columns + table->column_count;
  for (const struct bus_column *column = table->columns; column < end; column++)
    if (column->flags & flags)
      add_value(args, column, (const char *)row + column->offset);
  for (const struct bus_column *column = table->columns; column < end; column++)
    if (column->flags & flags && column->cell == BUS_CELL_LIST)
      bus_args_list_bounds(args, list_at(column, row).count);
  for (const struct bus_column *column = table->columns; column < end; column++)
    if (column->flags & flags && column->cell == BUS_CELL_LIST)
      add_items(args, column, flags, row);
}

/* ---- reading ---- */

struct reader {
  const struct bus_table *table;
  const struct bus_rows *rows;
  size_t row;
  int column; /* the next one */
  struct bus_arena *arena;
  struct bus_error *err;
};

static bool no_memory(const struct reader *reader) {
  return bus_fail(reader->err, BUS_E_NOMEM, "out of memory reading a row of %s", reader->table->name);
}

static bool unknown(const struct reader *reader, const struct bus_column *column) {
  return bus_fail(reader->err, BUS_E_DB_OTHER, "column %s of %s has a value that this version does not write",
                  column->name, reader->table->name);
}

static bool keep_text(const struct reader *reader, struct bus_str text, struct bus_str *ret) {
  *ret = text.data ? bus_arena_copy(reader->arena, text) : BUS_NO_STR;
  return !text.data || ret->data || no_memory(reader);
}

static bool read_chars(const struct reader *reader, const struct bus_column *column, struct bus_str text, char *slot) {
  if (text.len > (size_t)column->max)
    return unknown(reader, column);
  if (text.len > 0)
    memcpy(slot, text.data, text.len);
  slot[text.len] = '\0';
  return true;
}

static bool read_name(const struct reader *reader, const struct bus_column *column, struct bus_str text, int *slot) {
  *slot = -1;
  if (!text.data)
    return (column->flags & BUS_NULL) != 0 || unknown(reader, column);
  for (int i = 0; column->names[i]; i++)
    if (bus_str_is(text, column->names[i])) {
      *slot = i;
      return true;
    }
  return unknown(reader, column);
}

static bool read_number(const struct reader *reader, const struct bus_column *column, int64_t number, int *slot) {
  bool absent = number == BUS_NO_INT64 && (column->flags & BUS_NULL) != 0;
  if (!absent && (number < column->min || number > column->max))
    return unknown(reader, column);
  *slot = absent ? -1 : (int)number;
  return true;
}

/* A trace is a help, not a fact. */
static void read_trace(struct bus_str text, struct bus_trace *slot) {
  if (!text.data || !bus_trace_parse(text, slot))
    *slot = (struct bus_trace){.flags = 0};
}

static bool read_state(const struct reader *reader, struct bus_str text, struct bus_trace *slot) {
  struct bus_str kept;
  if (!keep_text(reader, text, &kept))
    return false;
  bus_trace_set_state(slot, kept);
  return true;
}

static bool read_item(const struct reader *reader, const struct bus_column *item, struct bus_elements *elements,
                      void *slot) {
  if (item->cell == BUS_CELL_TEXT)
    return keep_text(reader, bus_elements_text(elements), slot);
  *(int64_t *)slot = bus_elements_int64(elements);
  return true;
}

/* One column of a list; the first one says how many items there are. */
static bool read_items(struct reader *reader, const struct bus_column *column, const struct bus_column *item,
                       struct list *list, char **items) {
  struct bus_elements elements = bus_rows_elements(reader->rows, reader->row, reader->column++);
  size_t size = column->items->size;
  if (!*items) {
    list->count = elements.left;
    list->items = *items = bus_arena_array(reader->arena, list->count + 1, size);
    if (!*items)
      return no_memory(reader);
  }
  bool absent = elements.left == 0 && (item->flags & BUS_NULL) != 0;
  for (size_t i = 0; absent && item->cell == BUS_CELL_INT64 && i < list->count; i++)
    *(int64_t *)(void *)(*items + i * size + item->offset) = BUS_NO_INT64;
  if (absent)
    return true;
  if (elements.left != list->count)
    return unknown(reader, item);
  for (size_t i = 0; i < list->count; i++)
    if (!read_item(reader, item, &elements, *items + i * size + item->offset))
      return false;
  return true;
}

static bool read_list(struct reader *reader, const struct bus_column *column, unsigned flags, void *row) {
  struct list list = {NULL, 0};
  char *items = NULL;
  for (size_t i = 0; i < column->items->column_count; i++)
    if (column->items->columns[i].flags & flags &&
        !read_items(reader, column, &column->items->columns[i], &list, &items))
      return false;
  memcpy((char *)row + column->offset, &list.items, sizeof list.items);
  memcpy((char *)row + column->count_offset, &list.count, sizeof list.count);
  return true;
}

static bool read_value(struct reader *reader, const struct bus_column *column, void *slot) {
  const struct bus_rows *rows = reader->rows;
  size_t row = reader->row;
  int at = reader->column++;
  switch (column->cell) {
  case BUS_CELL_UUID:
    *(struct bus_uuid *)slot = bus_rows_uuid(rows, row, at);
    return true;
  case BUS_CELL_INT64:
  case BUS_CELL_TIME:
    *(int64_t *)slot = column->cell == BUS_CELL_TIME ? bus_rows_time(rows, row, at) : bus_rows_int64(rows, row, at);
    return true;
  case BUS_CELL_BOOL:
    *(bool *)slot = bus_rows_bool(rows, row, at);
    return true;
  case BUS_CELL_TEXT:
  case BUS_CELL_JSON:
    return keep_text(reader, bus_rows_text(rows, row, at), slot);
  case BUS_CELL_CHARS:
    return read_chars(reader, column, bus_rows_text(rows, row, at), slot);
  case BUS_CELL_NAME:
    return read_name(reader, column, bus_rows_text(rows, row, at), slot);
  case BUS_CELL_NUMBER:
    return read_number(reader, column, bus_rows_int64(rows, row, at), slot);
  case BUS_CELL_TRACEPARENT:
    read_trace(bus_rows_text(rows, row, at), slot);
    return true;
  case BUS_CELL_TRACESTATE:
    return read_state(reader, bus_rows_text(rows, row, at), slot);
  case BUS_CELL_LIST:
  case BUS_CELL_NOW:
    break;
  }
  return false;
}

bool bus_row_read(const struct bus_table *table, unsigned flags, const struct bus_rows *rows, size_t number, int first,
                  struct bus_arena *arena, void *ret, struct bus_error *err) {
  struct reader reader = {table, rows, number, first, arena, err};
  const struct bus_column *end = table->columns + table->column_count;
  const struct bus_column *list = end; /* the first one */
  for (const struct bus_column *column = table->columns; column < end; column++) {
    if ((column->flags & flags) == 0 || column->cell == BUS_CELL_NOW)
      continue;
    if (column->cell == BUS_CELL_LIST)
      list = column < list ? column : list;
    else if (!read_value(&reader, column, (char *)ret + column->offset))
      return false;
  }
  for (; list < end; list++)
    if (list->flags & flags && list->cell == BUS_CELL_LIST && !read_list(&reader, list, flags, ret))
      return false;
  return true;
}
