/* bus/sql.h over cells instead of a connection. */
#include <bus/memory_sql.h>

#include <assert.h>

enum { STATEMENTS_FIRST = 8, VALUES_FIRST = 4, ROWS_FIRST = 2 };

/* Doubles in the arena; what was there is copied. NULL: out of memory. */
static void *grow(struct bus_arena *arena, void *items, size_t count, size_t *room, size_t size, size_t first) {
  size_t wanted = *room ? *room * 2 : first;
  void *grown = bus_arena_array(arena, wanted, size);
  if (!grown)
    return NULL;
  if (count > 0)
    memcpy(grown, items, count * size);
  *room = wanted;
  return grown;
}

struct bus_sql *bus_sql_new(struct bus_arena *arena, const struct bus_registry registries[BUS_REGISTRIES]) {
  struct bus_sql *sql = bus_arena_alloc(arena, sizeof *sql);
  if (!sql)
    return NULL;
  memcpy(sql->registries, registries, sizeof sql->registries);
  sql->arena = arena;
  return sql;
}

static struct bus_args *add_statement(struct bus_sql *sql, int from, size_t statement) {
  size_t size = sizeof *sql->items;
  assert(statement < sql->registries[from].count);
  struct bus_args *items = bus_arena_grow(sql->arena, sql->items, sql->count * size, (sql->count + 1) * size,
                                          STATEMENTS_FIRST * size, &sql->room);
  struct bus_args *args = items ? &items[sql->count++] : &sql->spare;
  const char *params = sql->registries[from].statements[statement].params;
  sql->items = items ? items : sql->items;
  *args =
      (struct bus_args){.own = from == BUS_REGISTRY_OWN, .failed = !items, .statement = statement, .arena = sql->arena};
  bool lists = false;
  for (const char *kind = params; kind && *kind; kind++) {
    *(*kind >= 'a' ? &args->singles : &args->width) += 1;
    lists |= *kind == 'V' || *kind == 'W';
  }
  if (lists)
    args->width -= 2; /* the bounds of the list, which stands in its row here */
  return args;
}

struct bus_args *bus_sql_add(struct bus_sql *sql, size_t statement) {
  return add_statement(sql, BUS_REGISTRY_SERVICE, statement);
}

struct bus_args *bus_sql_add_own(struct bus_sql *sql, size_t statement) {
  return add_statement(sql, BUS_REGISTRY_OWN, statement);
}

size_t bus_sql_count(const struct bus_sql *sql) {
  return sql->count;
}

bool bus_memory_failed(const struct bus_sql *sql) {
  bool failed = sql->spare.failed;
  for (size_t i = 0; i < sql->count; i++)
    failed |= sql->items[i].failed;
  return failed;
}

bool bus_memory_writes(const struct bus_sql *sql, const struct bus_args *args) {
  const struct bus_registry *registry = &sql->registries[args->own ? BUS_REGISTRY_OWN : BUS_REGISTRY_SERVICE];
  const char *text = registry->statements[args->statement].sql;
  return *text != 'S' && *text != '('; /* of a SELECT */
}

struct bus_args bus_memory_args(struct bus_arena *arena) {
  return (struct bus_args){.arena = arena};
}

void bus_args_list_bounds(struct bus_args *args, size_t count) {
  (void)args, (void)count;
}

static struct bus_memory_value *no_memory(struct bus_args *args) {
  args->failed = true;
  return &args->spare;
}

static struct bus_memory_value *add(struct bus_args *args) {
  size_t first = args->singles + args->width > VALUES_FIRST ? args->singles + args->width : VALUES_FIRST;
  if (args->in_list > 0) {
    args->in_list--;
    return args->items ? args->items++ : &args->spare;
  }
  if (args->failed)
    return &args->spare;
  if (args->count == args->room) {
    void *grown = grow(args->arena, args->values, args->count, &args->room, sizeof *args->values, first);
    if (!grown)
      return no_memory(args);
    args->values = grown;
  }
  struct bus_memory_value *value = &args->values[args->count++];
  *value = (struct bus_memory_value){.text = BUS_NO_STR};
  return value;
}

void bus_args_list(struct bus_args *args, size_t count) {
  assert(args->in_list == 0);
  struct bus_memory_value *list = add(args);
  args->items = bus_arena_array(args->arena, count + 1, sizeof *args->items);
  args->failed |= args->items == NULL;
  list->items = args->items;
  list->item_count = args->items ? count : 0;
  args->in_list = count;
}

void bus_args_uuid(struct bus_args *args, const struct bus_uuid *value) {
  add(args)->uuid = *value;
}

void bus_args_int64(struct bus_args *args, int64_t value) {
  add(args)->number = value;
}

void bus_args_text(struct bus_args *args, struct bus_str value) {
  struct bus_str copy = bus_arena_copy(args->arena, value);
  args->failed |= copy.data == NULL;
  add(args)->text = copy;
}

void bus_args_time(struct bus_args *args, bus_time value) {
  bus_args_int64(args, value);
}

void bus_args_bytes(struct bus_args *args, struct bus_str value) {
  bus_args_text(args, value);
}

void bus_args_bool(struct bus_args *args, bool value) {
  bus_args_int64(args, value);
}

void bus_args_null(struct bus_args *args) {
  add(args)->null = true;
}

size_t bus_memory_arg_rows(const struct bus_args *args) {
  assert(args->count >= args->singles);
  return args->width ? (args->count - args->singles) / args->width : 0;
}

struct bus_memory_value *bus_memory_arg_row(const struct bus_args *args, size_t row) {
  return &args->values[args->singles + row * args->width];
}

struct bus_memory_value *bus_memory_rows_add(struct bus_rows *rows, size_t columns, struct bus_arena *arena) {
  assert(rows->count == 0 || rows->columns == columns);
  rows->columns = columns;
  if (rows->count == rows->room) {
    void *grown = grow(arena, rows->cells, rows->count, &rows->room, columns * sizeof *rows->cells, ROWS_FIRST);
    if (!grown)
      return NULL;
    rows->cells = grown;
  }
  return &rows->cells[columns * rows->count++];
}

static const struct bus_memory_value *cell(const struct bus_rows *rows, size_t row, int column) {
  assert(row < rows->count && column >= 0 && (size_t)column < rows->columns);
  return &rows->cells[row * rows->columns + (size_t)column];
}

size_t bus_rows_count(const struct bus_rows *rows) {
  return rows->count;
}

int64_t bus_rows_affected(const struct bus_rows *rows) {
  return (int64_t)rows->count;
}

bool bus_rows_is_null(const struct bus_rows *rows, size_t row, int column) {
  return cell(rows, row, column)->null;
}

struct bus_uuid bus_rows_uuid(const struct bus_rows *rows, size_t row, int column) {
  static const struct bus_uuid nil;
  const struct bus_memory_value *value = cell(rows, row, column);
  return value->null ? nil : value->uuid;
}

int64_t bus_rows_int64(const struct bus_rows *rows, size_t row, int column) {
  const struct bus_memory_value *value = cell(rows, row, column);
  return value->null ? BUS_NO_INT64 : value->number;
}

struct bus_str bus_rows_text(const struct bus_rows *rows, size_t row, int column) {
  const struct bus_memory_value *value = cell(rows, row, column);
  return value->null ? BUS_NO_STR : value->text;
}

bus_time bus_rows_time(const struct bus_rows *rows, size_t row, int column) {
  return bus_rows_int64(rows, row, column);
}

bool bus_rows_bool(const struct bus_rows *rows, size_t row, int column) {
  const struct bus_memory_value *value = cell(rows, row, column);
  return !value->null && value->number != 0;
}

struct bus_elements bus_rows_elements(const struct bus_rows *rows, size_t row, int column) {
  const struct bus_memory_value *value = cell(rows, row, column);
  return (struct bus_elements){value->items, value->null ? 0 : value->item_count};
}

static const struct bus_memory_value *take_element(struct bus_elements *elements) {
  const struct bus_memory_value *value = elements->next;
  assert(elements->left > 0);
  elements->left--;
  elements->next = value + 1;
  return value;
}

struct bus_str bus_elements_text(struct bus_elements *elements) {
  const struct bus_memory_value *value = take_element(elements);
  return value->null ? BUS_NO_STR : value->text;
}

int64_t bus_elements_int64(struct bus_elements *elements) {
  const struct bus_memory_value *value = take_element(elements);
  return value->null ? BUS_NO_INT64 : value->number;
}
