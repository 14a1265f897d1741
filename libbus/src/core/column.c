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
