/* The keyed set of a batch's rows: locked, loaded and stored; over any binding of bus/sql.h. */
#include <bus/aggregate.h>

static bool is_text(const struct bus_set *set) {
  return set->table->columns[0].cell == BUS_CELL_TEXT;
}

/* NULL behind the last key. */
static void add_argument(const struct bus_set *set, size_t i, struct bus_args *args) {
  static const struct bus_uuid none;
  bool is_there = i < set->key_count;
  if (is_text(set))
    bus_args_text_or_null(args, is_there ? ((const struct bus_str *)(const void *)set->keys)[i] : BUS_NO_STR);
  else
    bus_args_uuid_or_null(args, is_there ? &((const struct bus_uuid *)(const void *)set->keys)[i] : &none);
}

void bus_set_lock(const struct bus_set *set, struct bus_sql *sql, size_t statement) {
  struct bus_args *args = bus_sql_add(sql, statement);
  for (size_t i = 0; i < set->key_count; i++)
    add_argument(set, i, args);
}

void bus_set_lock_both(const struct bus_set *first, const struct bus_set *second, struct bus_sql *sql,
                       size_t statement) {
  struct bus_args *args = bus_sql_add(sql, statement);
  for (size_t i = 0; i < first->key_count || i < second->key_count; i++) {
    add_argument(first, i, args);
    add_argument(second, i, args);
  }
}

/* Rows come in the order of their keys: mostly the next one is it. */
static void *find_id(const struct bus_set *set, const struct bus_uuid *id, size_t next) {
  const struct bus_uuid *keys = (const void *)set->keys;
  return next < set->count && bus_uuid_equal(&keys[next], id) ? bus_set_at(set, next) : bus_set_find(set, id);
}

static void *find_row(const struct bus_set *set, const struct bus_rows *rows, size_t row, size_t next) {
  if (is_text(set)) {
    const struct bus_str text = bus_rows_text(rows, row, 0);
    return bus_set_find(set, &text);
  }
  const struct bus_uuid id = bus_rows_uuid(rows, row, 0);
  return find_id(set, &id, next);
}

static void add_key(struct bus_set *set, const struct bus_rows *rows, size_t row) {
  if (is_text(set)) {
    const struct bus_str text = bus_arena_copy(set->arena, bus_rows_text(rows, row, 0));
    set->failed |= !text.data;
    bus_set_add(set, &text);
  } else {
    const struct bus_uuid id = bus_rows_uuid(rows, row, 0);
    bus_set_add(set, &id);
  }
}

/* Rows whose keys were not added become rows of the set: it is opened again, and loaded from the first row on. */
static bool take_in(struct bus_set *set, const struct bus_rows *rows, struct bus_error *err) {
  for (size_t row = 0; row < bus_rows_count(rows); row++)
    if (!find_row(set, rows, row, row))
      add_key(set, rows, row);
  if (!bus_set_open(set))
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the rows of %s", set->table->name);
  return bus_set_load(set, rows, err);
}

bool bus_set_load(struct bus_set *set, const struct bus_rows *rows, struct bus_error *err) {
  size_t next = 0;
  for (size_t row = 0; row < bus_rows_count(rows); row++) {
    char *found = find_row(set, rows, row, next);
    if (!found)
      return take_in(set, rows, err);
    if (!bus_row_read(set->table, BUS_ROW, rows, row, 0, set->arena, found, err))
      return false;
    if (set->table->is_valid && !set->table->is_valid(found))
      return bus_fail(err, BUS_E_DB_OTHER, "row %zu of %s is not one that this version writes", row, set->table->name);
    bus_set_keep(set, found);
    next = (size_t)(found - set->rows) / set->size + 1;
  }
  return true;
}

bool bus_set_load_next(struct bus_set *set, const struct bus_rows *const **rows, struct bus_error *err) {
  return set->count == 0 || bus_set_load(set, *(*rows)++, err);
}

void bus_sql_add_row(struct bus_sql *sql, struct bus_args **args, size_t statement, const struct bus_table *table,
                     const void *row) {
  if (!*args)
    *args = bus_sql_add(sql, statement);
  bus_row_add(*args, table, BUS_ROW, row);
}

void bus_set_store(const struct bus_set *set, struct bus_sql *sql, size_t insert, size_t update) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < set->count; i++) {
    const void *row = bus_set_at(set, i);
    if (bus_set_is_changed(set, row) && !bus_set_is_stored(set, row))
      bus_sql_add_row(sql, &args, insert, set->table, row);
  }
  args = NULL;
  for (size_t i = 0; i < set->count; i++) {
    const void *row = bus_set_at(set, i);
    if (!bus_set_is_changed(set, row) || !bus_set_is_stored(set, row))
      continue;
    if (!args)
      args = bus_sql_add(sql, update);
    bus_row_add(args, set->table, BUS_KEY | BUS_CHANGING, row);
  }
}
