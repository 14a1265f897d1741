/* From column tables to the SQL text and the parameter letters of statements. */
#include <bus/column.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SQL_MAX = 8192, LETTERS_MAX = 64 };

/* A statement that is being written; what does not fit makes it fail. */
struct writer {
  char sql[SQL_MAX], letters[LETTERS_MAX];
  size_t sql_len, letter_count;
  bool failed;
};

/* The name of a column in a statement, and its place in the struct. */
struct place {
  const struct bus_table *table;
  const struct bus_column *column; /* of an item, where list is not NULL */
  const struct bus_column *list;
  const char *alias;
};

static void sql_put(struct writer *writer, const char *format, ...) BUS_PRINTF(2, 3);
static void sql_put(struct writer *writer, const char *format, ...) {
  size_t room = sizeof writer->sql - writer->sql_len;
  va_list args;
  va_start(args, format);
  int wrote = vsnprintf(writer->sql + writer->sql_len, room, format, args);
  va_end(args);
  if (wrote < 0 || (size_t)wrote >= room)
    writer->failed = true;
  else
    writer->sql_len += (size_t)wrote;
}

static void put_letter(struct writer *writer, char letter) {
  if (writer->letter_count + 1 < sizeof writer->letters)
    writer->letters[writer->letter_count++] = letter;
  else
    writer->failed = true;
}

static char letter_of(enum bus_cell cell) {
  switch (cell) {
  case BUS_CELL_UUID:
    return 'U';
  case BUS_CELL_INT64:
  case BUS_CELL_NUMBER:
    return 'I';
  case BUS_CELL_TIME:
    return 'Z';
  case BUS_CELL_BOOL:
    return 'L';
  default:
    return 'T';
  }
}

/* ---- lists of columns: `each` is called for those that have one of the flags ---- */

typedef void put_column(struct writer *writer, const struct place *place);

static void each_item(struct writer *writer, const struct place *list, unsigned flags, put_column *each) {
  const struct bus_table *items = list->column->items;
  for (size_t i = 0; i < items->column_count; i++)
    if (items->columns[i].flags & flags)
      each(writer, &(struct place){list->table, &items->columns[i], list->column, list->alias});
}

/* lists: those of lists alone; else all others. */
static void each_column(struct writer *writer, const struct bus_table *table, const char *alias, unsigned flags,
                        bool lists, put_column *each) {
  for (size_t i = 0; i < table->column_count; i++) {
    const struct place place = {table, &table->columns[i], NULL, alias};
    bool is_list = place.column->cell == BUS_CELL_LIST;
    if ((place.column->flags & flags) == 0 || is_list != lists)
      continue;
    if (is_list)
      each_item(writer, &place, flags, each);
    else
      each(writer, &place);
  }
}

/* The lists last, as in a row's arguments. */
static void put_columns(struct writer *writer, const struct bus_table *table, const char *alias, unsigned flags,
                        put_column *each) {
  each_column(writer, table, alias, flags, false, each);
  each_column(writer, table, alias, flags, true, each);
}

static void separate(struct writer *writer, char before) {
  if (writer->sql_len > 0 && writer->sql[writer->sql_len - 1] != before)
    sql_put(writer, ", ");
}

/* ---- reading ---- */

static void put_selected(struct writer *writer, const struct place *place) {
  const char *cast = place->column->cell == BUS_CELL_NUMBER ? "::bigint"
                     : place->column->cell == BUS_CELL_JSON ? "::text"
                                                            : "";
  if (place->column->cell == BUS_CELL_NOW)
    return;
  separate(writer, ' ');
  sql_put(writer, "%s.%s%s", place->alias, place->column->name, cast);
}

static void make_read(struct writer *writer, const struct bus_table *table, bool locks) {
  const char *key = table->columns[0].name;
  sql_put(writer, "SELECT ");
  put_columns(writer, table, "t", BUS_ROW, put_selected);
  sql_put(writer, " FROM %s t WHERE t.%s = ANY ($1)", table->name, key);
  if (locks)
    sql_put(writer, " ORDER BY t.%s FOR UPDATE", key);
  put_letter(writer, letter_of(table->columns[0].cell));
}

/* "{p.row}" and "{p.view}". */
static void make_text(struct writer *writer, const struct bus_recipe *recipe) {
  const char *at = recipe->sql;
  for (const char *brace = strchr(at, '{'); brace; brace = strchr(at, '{')) {
    const char alias[] = {brace[1], '\0'};
    bool view = strncmp(brace + 2, ".view}", 6) == 0;
    if (!view && strncmp(brace + 2, ".row}", 5) != 0) {
      writer->failed = true;
      return;
    }
    sql_put(writer, "%.*s", (int)(brace - at), at);
    put_columns(writer, recipe->table, alias, view ? BUS_VIEW : BUS_ROW, put_selected);
    at = strchr(brace, '}') + 1;
  }
  sql_put(writer, "%s", at);
  for (const char *letter = recipe->params; letter && *letter; letter++)
    put_letter(writer, *letter);
}

/* ---- writing: the arguments of a row are its columns, the bounds of its lists, and the lists' items ---- */

static void put_name(struct writer *writer, const struct place *place) {
  if (place->column->cell == BUS_CELL_NOW)
    return;
  separate(writer, '(');
  sql_put(writer, "%s", place->column->name);
}

static void put_param(struct writer *writer, char letter) {
  separate(writer, '(');
  put_letter(writer, letter);
  sql_put(writer, "$%zu", writer->letter_count);
}

static void put_array(struct writer *writer, const struct place *place) {
  if (place->column->cell != BUS_CELL_NOW)
    put_param(writer, letter_of(place->column->cell));
}

static bool has_list(const struct bus_column *column, unsigned flags) {
  return column->cell == BUS_CELL_LIST && (column->flags & flags) != 0;
}

/* unnest(…) AS n (…): all but the lists' items, which are the parameters behind them. */
static void put_rows(struct writer *writer, const struct bus_table *table, unsigned flags) {
  sql_put(writer, " FROM unnest(");
  each_column(writer, table, "n", flags, false, put_array);
  for (size_t i = 0; i < table->column_count; i++)
    if (has_list(&table->columns[i], flags)) {
      put_param(writer, 'I');
      put_param(writer, 'I');
    }
  sql_put(writer, ") AS n (");
  each_column(writer, table, "n", flags, false, put_name);
  for (size_t i = 0; i < table->column_count; i++)
    if (has_list(&table->columns[i], flags))
      sql_put(writer, ", %s_first, %s_last", table->columns[i].name, table->columns[i].name);
  sql_put(writer, ")");
}

/* Their numbers are needed before the parameters are listed: they stand behind all others. */
static size_t params_before_lists(const struct bus_table *table, unsigned flags) {
  size_t count = 0;
  for (size_t i = 0; i < table->column_count; i++)
    if (table->columns[i].flags & flags && table->columns[i].cell != BUS_CELL_NOW)
      count += table->columns[i].cell == BUS_CELL_LIST ? 2 : 1;
  return count;
}

static size_t number_of_item(const struct place *place, unsigned flags) {
  size_t number = params_before_lists(place->table, flags);
  for (const struct bus_column *list = place->table->columns; list <= place->list; list++)
    for (size_t i = 0; has_list(list, flags) && i < list->items->column_count; i++) {
      number += (list->items->columns[i].flags & flags) != 0;
      if (&list->items->columns[i] == place->column)
        return number;
    }
  return number;
}

static void put_value(struct writer *writer, const struct place *place, unsigned flags) {
  const char *cast = place->column->cell == BUS_CELL_NUMBER ? "::smallint"
                     : place->column->cell == BUS_CELL_JSON ? "::json"
                                                            : "";
  if (!place->list) {
    sql_put(writer, "n.%s%s", place->column->name, cast);
    return;
  }
  const char *list = place->list->name;
  size_t number = number_of_item(place, flags);
  bool may_be_null = (place->column->flags & BUS_NULL) != 0;
  if (may_be_null)
    sql_put(writer, "CASE WHEN $%zu[n.%s_first] IS NOT NULL THEN ", number, list);
  sql_put(writer, "$%zu[n.%s_first:n.%s_last]%s", number, list, list, may_be_null ? " END" : "");
}

static void put_inserted(struct writer *writer, const struct place *place) {
  if (place->column->cell == BUS_CELL_NOW)
    return;
  separate(writer, ' ');
  put_value(writer, place, BUS_ROW);
}

enum { UPDATED = BUS_KEY | BUS_CHANGING };

static void put_assignment(struct writer *writer, const struct place *place) {
  separate(writer, ' ');
  if (place->column->cell == BUS_CELL_NOW) {
    sql_put(writer, "%s = now()", place->column->name);
    return;
  }
  sql_put(writer, "%s = ", place->column->name);
  put_value(writer, place, UPDATED);
}

static void put_item_letter(struct writer *writer, const struct place *place) {
  put_letter(writer, place->column->cell == BUS_CELL_INT64 ? 'W' : 'V');
}

static void make_insert(struct writer *writer, const struct bus_table *table) {
  sql_put(writer, "INSERT INTO %s (", table->name);
  put_columns(writer, table, "", BUS_ROW, put_name);
  sql_put(writer, ") SELECT ");
  put_columns(writer, table, "n", BUS_ROW, put_inserted);
  put_rows(writer, table, BUS_ROW);
  each_column(writer, table, "n", BUS_ROW, true, put_item_letter);
}

static void make_update(struct writer *writer, const struct bus_table *table) {
  const char *key = table->columns[0].name;
  sql_put(writer, "UPDATE %s t SET ", table->name);
  put_columns(writer, table, "n", BUS_CHANGING, put_assignment);
  put_rows(writer, table, UPDATED);
  each_column(writer, table, "n", UPDATED, true, put_item_letter);
  sql_put(writer, " WHERE t.%s = n.%s", key, key);
}

static bool make_statement(const struct bus_recipe *recipe, struct bus_statement *ret) {
  static struct writer writer; /* large; before there is any thread */
  writer = (struct writer){.failed = false};
  switch (recipe->shape) {
  case BUS_SHAPE_TEXT:
    make_text(&writer, recipe);
    break;
  case BUS_SHAPE_READ:
  case BUS_SHAPE_LOCK:
    make_read(&writer, recipe->table, recipe->shape == BUS_SHAPE_LOCK);
    break;
  case BUS_SHAPE_INSERT:
    make_insert(&writer, recipe->table);
    break;
  case BUS_SHAPE_UPDATE:
    make_update(&writer, recipe->table);
    break;
  }
  *ret = (struct bus_statement){strdup(writer.sql), strdup(writer.letters)};
  return !writer.failed && ret->sql && ret->params;
}

bool bus_recipes_make(const struct bus_recipe *recipes, size_t count, struct bus_statement *ret) {
  for (size_t i = 0; i < count; i++)
    if (!ret[i].sql && !make_statement(&recipes[i], &ret[i]))
      return false;
  return true;
}
