/* Rows of a column table without a database: how one begins, and the table as text. */
#include <bus/column.h>

#include <inttypes.h>
#include <stdio.h>

static void set_absent(const struct bus_column *column, void *slot) {
  switch (column->cell) {
  case BUS_CELL_INT64:
  case BUS_CELL_TIME:
    *(int64_t *)slot = BUS_NO_INT64;
    break;
  case BUS_CELL_NAME:
  case BUS_CELL_NUMBER:
    *(int *)slot = -1;
    break;
  default: /* zero is absent */
    break;
  }
}

void bus_row_init(const struct bus_table *table, void *row) {
  memset(row, 0, table->size);
  for (size_t i = 0; i < table->column_count; i++)
    if (table->columns[i].flags & BUS_NULL)
      set_absent(&table->columns[i], (char *)row + table->columns[i].offset);
}

static bool same_text(struct bus_str a, struct bus_str b) {
  return (a.data == NULL) == (b.data == NULL) && bus_str_equal(a, b);
}

static bool same_value(const struct bus_column *column, const void *a, const void *b) {
  switch (column->cell) {
  case BUS_CELL_UUID:
    return bus_uuid_equal(a, b);
  case BUS_CELL_INT64:
  case BUS_CELL_TIME:
    return *(const int64_t *)a == *(const int64_t *)b;
  case BUS_CELL_TEXT:
  case BUS_CELL_JSON:
    return same_text(*(const struct bus_str *)a, *(const struct bus_str *)b);
  case BUS_CELL_CHARS:
    return strcmp(a, b) == 0;
  case BUS_CELL_BOOL:
    return *(const bool *)a == *(const bool *)b;
  case BUS_CELL_NAME:
  case BUS_CELL_NUMBER:
    return *(const int *)a == *(const int *)b;
  default:
    return true;
  }
}

static bool same_list(const struct bus_column *column, unsigned flags, const char *a, const char *b) {
  const struct bus_table *items = column->items;
  const char *a_items, *b_items;
  size_t count = *(const size_t *)(const void *)(a + column->count_offset);
  memcpy(&a_items, a + column->offset, sizeof a_items);
  memcpy(&b_items, b + column->offset, sizeof b_items);
  if (count != *(const size_t *)(const void *)(b + column->count_offset))
    return false;
  for (size_t i = 0; i < count; i++)
    if (bus_row_differs(items, flags, a_items + i * items->size, b_items + i * items->size, NULL))
      return false;
  return true;
}

const struct bus_column *bus_row_differs(const struct bus_table *table, unsigned flags, const void *a, const void *b,
                                         const struct bus_column *after) {
  const struct bus_column *end = table->columns + table->column_count;
  for (const struct bus_column *column = after ? after + 1 : table->columns; column < end; column++) {
    bool same = column->cell == BUS_CELL_LIST
                    ? same_list(column, flags, a, b)
                    : same_value(column, (const char *)a + column->offset, (const char *)b + column->offset);
    if ((column->flags & flags) != 0 && !same)
      return column;
  }
  return NULL;
}

static const char *const types[] = {
    [BUS_CELL_UUID] = "uuid",
    [BUS_CELL_INT64] = "bigint",
    [BUS_CELL_TEXT] = "text",
    [BUS_CELL_CHARS] = "text",
    [BUS_CELL_TIME] = "timestamp with time zone",
    [BUS_CELL_BOOL] = "boolean",
    [BUS_CELL_NAME] = "text",
    [BUS_CELL_NUMBER] = "smallint",
    [BUS_CELL_JSON] = "json",
    [BUS_CELL_TRACEPARENT] = "text",
    [BUS_CELL_TRACESTATE] = "text",
    [BUS_CELL_LIST] = "ARRAY",
    [BUS_CELL_NOW] = "timestamp with time zone",
};

static void print_column(const char *table, const struct bus_column *column, const char *type,
                         void (*print)(void *context, const char *text), void *context) {
  char line[256];
  (void)snprintf(line, sizeof line, "%s\t%s\t%s\t%u\t%" PRId64 "\t%" PRId64 "\n", table, column->name, type,
                 column->flags, column->min, column->max); /* a name that is cut is not in the database */
  print(context, line);
}

void bus_table_print(const struct bus_table *table, void (*print)(void *context, const char *text), void *context) {
  for (size_t i = 0; i < table->column_count; i++) {
    const struct bus_column *column = &table->columns[i];
    for (size_t j = 0; column->cell == BUS_CELL_LIST && j < column->items->column_count; j++)
      print_column(table->name, &column->items->columns[j], types[column->cell], print, context);
    if (column->cell != BUS_CELL_LIST)
      print_column(table->name, column, types[column->cell], print, context);
  }
}

/* ---- as JSON, and as text ---- */

static bool field_of(const struct bus_column *column, struct bus_field *ret) {
  static const struct {
    bool used;
    enum bus_kind kind;
  } kinds[] = {[BUS_CELL_UUID] = {true, BUS_KIND_UUID},   [BUS_CELL_INT64] = {true, BUS_KIND_INT64},
               [BUS_CELL_TEXT] = {true, BUS_KIND_STRING}, [BUS_CELL_TIME] = {true, BUS_KIND_TIME},
               [BUS_CELL_BOOL] = {true, BUS_KIND_BOOL},   [BUS_CELL_NOW] = {false, BUS_KIND_TIME}};
  *ret = (struct bus_field){.name = column->name,
                            .kind = kinds[column->cell].kind,
                            .presence = column->flags & BUS_NULL ? BUS_OPTIONAL : BUS_REQUIRED,
                            .offset = column->offset,
                            .min = column->min,
                            .max = column->max,
                            .description = column->name};
  return kinds[column->cell].used;
}

size_t bus_table_fields(const struct bus_table *table, unsigned flags, struct bus_field *ret, size_t room) {
  size_t count = 0;
  for (size_t i = 0; i < table->column_count && count < room; i++)
    if ((table->columns[i].flags & flags) != 0 && field_of(&table->columns[i], &ret[count]))
      count++;
  return count;
}

static void number_text(int64_t number, char *text, size_t size) {
  if (number == BUS_NO_INT64)
    (void)snprintf(text, size, "null");
  else
    (void)snprintf(text, size, "%" PRId64, number);
}

static void list_text(const struct bus_column *column, const char *row, char *text, size_t size) {
  const struct bus_table *items = column->items;
  const char *at;
  size_t count = *(const size_t *)(const void *)(row + column->count_offset), len = 0;
  memcpy(&at, row + column->offset, sizeof at);
  text[0] = '\0';
  for (size_t i = 0; i < count * items->column_count && len + 1 < size; i++) {
    if (i > 0)
      (void)snprintf(text + len, size - len, "%s", i % items->column_count ? " " : ", ");
    len += strlen(text + len);
    bus_row_text(&items->columns[i % items->column_count], at + i / items->column_count * items->size, text + len,
                 size - len);
    len += strlen(text + len);
  }
}

void bus_row_text(const struct bus_column *column, const void *row, char *text, size_t size) {
  const void *slot = (const char *)row + column->offset;
  const struct bus_str *str = slot;
  switch (column->cell) {
  case BUS_CELL_TEXT:
  case BUS_CELL_JSON:
    (void)snprintf(text, size, "%.*s", str->data ? (int)str->len : 4, str->data ? str->data : "null");
    break;
  case BUS_CELL_INT64:
  case BUS_CELL_TIME:
    number_text(*(const int64_t *)slot, text, size);
    break;
  case BUS_CELL_NAME:
  case BUS_CELL_NUMBER:
    number_text(*(const int *)slot, text, size);
    break;
  case BUS_CELL_BOOL:
    number_text(*(const bool *)slot, text, size);
    break;
  case BUS_CELL_LIST:
    list_text(column, row, text, size);
    break;
  default:
    (void)snprintf(text, size, "another value");
  }
}
