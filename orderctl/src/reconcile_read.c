/* Databases are read page by page, each page in a transaction of its own. */
#include "reconcile_read.h"

#include "provider.h"
#include "reconcile_statements.h"

#include <stdlib.h>

enum { READ_MS = 30000, PAGE_ROWS = 20000, PAGE_MEMORY = 1 << 16 };

struct order_row {
  struct misfit_row row;
  struct misfit_facts facts; /* of the order alone */
};
struct stock_row {
  struct misfit_row row;
  enum misfit_stock_state state;
};

/* NULL: out of memory. */
static void *add_row(struct reconcile_books *books, enum reconcile_kinds kind, const struct misfit_row *row) {
  struct reconcile_shelf *shelf = &books->shelves[kind];
  char *grown = story_grow(books->arena, shelf->rows, shelf->count, &shelf->room, shelf->size);
  if (!grown)
    return NULL;
  shelf->rows = grown;
  char *added = grown + shelf->size * shelf->count++;
  memset(added, 0, shelf->size);
  memcpy(added, row, sizeof *row);
  return added;
}

/* ---- rows ---- */

struct reading {
  struct reconcile_books *books;
  enum story_place place;
  int64_t since;
  struct bus_uuid after;
  size_t taken;        /* of the page */
  const char *strange; /* a table with a word that is no state */
  bool failed;         /* out of memory */
};

static bool take_order(struct reading *reading, const struct misfit_row *row, const struct bus_rows *rows, size_t i) {
  struct order_row *added = add_row(reading->books, RECONCILE_ORDERS, row);
  if (!added)
    return false;
  added->facts.total = bus_rows_int64(rows, i, 5);
  added->facts.refunded = bus_rows_int64(rows, i, 6);
  added->facts.attempts = bus_rows_int64(rows, i, 7);
  added->facts.pay_later = bus_rows_bool(rows, i, 8);
  added->facts.stock_settled = bus_rows_bool(rows, i, 9);
  added->facts.payment_settled = bus_rows_bool(rows, i, 10);
  added->facts.stock_missing = bus_rows_bool(rows, i, 11);
  if (!misfit_order_state_of(bus_rows_text(rows, i, 4), &added->facts.order))
    reading->strange = "orders.order_states";
  return true;
}

static bool take_stock(struct reading *reading, const struct misfit_row *row, const struct bus_rows *rows, size_t i) {
  if (bus_rows_is_null(rows, i, 4))
    return true; /* an operator's own reservation */
  struct stock_row *added = add_row(reading->books, RECONCILE_STOCK, row);
  if (added && !misfit_stock_state_of(bus_rows_text(rows, i, 4), &added->state))
    reading->strange = "inventory.reservations";
  return added != NULL;
}

static bool take_payment(struct reading *reading, const struct misfit_row *row, const struct bus_rows *rows, size_t i) {
  struct misfit_payment *added = add_row(reading->books, RECONCILE_PAYMENTS, row);
  struct bus_str psp_id = bus_rows_text(rows, i, 8);
  if (!added)
    return false;
  added->attempt = bus_rows_int64(rows, i, 5);
  added->amount = bus_rows_int64(rows, i, 6);
  added->refunded = bus_rows_int64(rows, i, 7);
  added->psp_id = psp_id.data ? bus_arena_copy(reading->books->arena, psp_id) : BUS_NO_STR;
  if (!misfit_payment_state_of(bus_rows_text(rows, i, 4), &added->state))
    reading->strange = "payments.payments";
  return !psp_id.data || added->psp_id.data;
}

static bool (*const take_rest[STORY_BROKER])(struct reading *, const struct misfit_row *, const struct bus_rows *,
                                             size_t) = {
    [STORY_ORDERS] = take_order, [STORY_INVENTORY] = take_stock, [STORY_PAYMENTS] = take_payment};

/* ---- pages ---- */

static void ask(void *context, struct bus_sql *sql) {
  const struct reading *reading = context;
  struct bus_args *args = bus_sql_add(sql, RECONCILE_SQL_PAGE);
  bus_args_uuid(args, &reading->after);
  bus_args_int64(args, reading->since);
  bus_args_int64(args, PAGE_ROWS);
}

static void take(void *context, size_t index, const struct bus_rows *rows) {
  struct reading *reading = context;
  (void)index;
  reading->taken = bus_rows_count(rows);
  for (size_t i = 0; i < reading->taken && !reading->failed; i++) {
    const struct misfit_row row = {bus_rows_uuid(rows, i, 1), bus_rows_time(rows, i, 2), bus_rows_time(rows, i, 3)};
    reading->failed = !take_rest[reading->place](reading, &row, rows, i);
    reading->after = bus_rows_uuid(rows, i, 0);
  }
}

static bool read_pages(struct bus_reader *reader, struct bus_arena *arena, struct reading *reading,
                       struct bus_error *err) {
  const struct bus_reader_calls calls = {ask, take, reading};
  do {
    bus_arena_reset(arena);
    if (!bus_reader_run(reader, arena, &calls, err))
      return false;
    if (reading->failed)
      return bus_fail(err, BUS_E_NOMEM, "out of memory for its rows: name fewer by --days");
  } while (reading->taken == PAGE_ROWS);
  return !reading->strange ||
         bus_fail(err, BUS_E_DECODE, "%s has a state that this version does not know", reading->strange);
}

static bool read_database(const struct program *program, struct reading *reading, struct bus_error *err) {
  struct bus_arena *arena = bus_arena_new(PAGE_MEMORY);
  struct bus_reader *reader = NULL;
  bool good = arena ? reconcile_reader_open(program, reading->place, READ_MS, &reader, err) &&
                          read_pages(reader, arena, reading, err)
                    : bus_fail(err, BUS_E_NOMEM, "out of memory for a page");
  bus_reader_free(reader);
  bus_arena_free(arena);
  return good || bus_error_wrap(err, "%s database", story_place_names[reading->place]);
}

/* ---- the provider ---- */

static bool add_movement(void *context, const struct reconcile_line *line) {
  struct reconcile_books *books = context;
  struct misfit_row row = {.created_at = line->at * BUS_SECOND, .updated_at = line->at * BUS_SECOND};
  if (!bus_uuid_parse(bus_str(line->order), &row.order_id))
    return true; /* of no order of ours; orderctl pay names it */
  struct misfit_movement *added = add_row(books, RECONCILE_MOVEMENTS, &row);
  if (!added)
    return false;
  added->is_refund = line->kind == RECONCILE_REFUNDED;
  added->amount = line->amount;
  added->currency = bus_arena_copy(books->arena, bus_str(line->currency));
  added->psp_id = bus_arena_copy(books->arena, bus_str(line->psp_id));
  return added->currency.data && added->psp_id.data;
}

/* ---- the books ---- */

static int compare_payments(const void *a, const void *b) {
  const struct misfit_payment *one = a, *other = b;
  int order = bus_uuid_compare(&one->row.order_id, &other->row.order_id);
  return order != 0 ? order : (one->attempt > other->attempt) - (one->attempt < other->attempt);
}

static int compare_movements(const void *a, const void *b) {
  const struct misfit_row *one = a, *other = b;
  int order = bus_uuid_compare(&one->order_id, &other->order_id);
  return order != 0 ? order : (one->created_at > other->created_at) - (one->created_at < other->created_at);
}

static void sort(struct reconcile_shelf *shelf, int (*compare)(const void *, const void *)) {
  if (shelf->count > 0)
    qsort(shelf->rows, shelf->count, shelf->size, compare);
}

bool reconcile_books_read(const struct program *program, int64_t since, struct bus_arena *arena,
                          struct reconcile_books *ret, struct bus_error *err) {
  *ret = (struct reconcile_books){.arena = arena,
                                  .shelves = {[RECONCILE_ORDERS].size = sizeof(struct order_row),
                                              [RECONCILE_STOCK].size = sizeof(struct stock_row),
                                              [RECONCILE_PAYMENTS].size = sizeof(struct misfit_payment),
                                              [RECONCILE_MOVEMENTS].size = sizeof(struct misfit_movement)}};
  for (int place = 0; place < STORY_BROKER; place++) {
    struct reading reading = {.books = ret, .place = (enum story_place)place, .since = since};
    if (!read_database(program, &reading, err))
      return false;
  }
  if (!provider_read(program, since, add_movement, ret, err))
    return false;
  sort(&ret->shelves[RECONCILE_PAYMENTS], compare_payments);
  sort(&ret->shelves[RECONCILE_MOVEMENTS], compare_movements);
  return true;
}

/* ---- the walk ---- */

/* NULL: the end of the shelf. */
static const struct misfit_row *row_at(const struct reconcile_books *books, int kind, size_t at) {
  const struct reconcile_shelf *shelf = &books->shelves[kind];
  return at < shelf->count ? (const struct misfit_row *)(const void *)(shelf->rows + shelf->size * at) : NULL;
}

static const struct misfit_row *next_row(const struct reconcile_books *books, const struct reconcile_walk *walk) {
  const struct misfit_row *least = NULL;
  for (int kind = 0; kind < RECONCILE_SHELVES; kind++) {
    const struct misfit_row *row = row_at(books, kind, walk->at[kind]);
    if (row && (!least || bus_uuid_compare(&row->order_id, &least->order_id) < 0))
      least = row;
  }
  return least;
}

/* Goes on behind the rows of the page's order. Returns how many there are, and the first of them. */
static size_t take_run(const struct reconcile_books *books, int kind, struct reconcile_walk *walk,
                       struct misfit_row *newest, const void **ret) {
  size_t first = walk->at[kind];
  const struct misfit_row *row = row_at(books, kind, first);
  *ret = row;
  for (; row && bus_uuid_equal(&row->order_id, &newest->order_id); row = row_at(books, kind, ++walk->at[kind])) {
    newest->created_at = row->created_at > newest->created_at ? row->created_at : newest->created_at;
    newest->updated_at = row->updated_at > newest->updated_at ? row->updated_at : newest->updated_at;
  }
  return walk->at[kind] - first;
}

bool reconcile_books_next(const struct reconcile_books *books, struct reconcile_walk *walk,
                          struct reconcile_page *ret) {
  const struct misfit_row *next = next_row(books, walk);
  const void *run;
  if (!next)
    return false;
  *ret = (struct reconcile_page){.newest.order_id = next->order_id, .facts.total = BUS_NO_INT64};
  if (take_run(books, RECONCILE_ORDERS, walk, &ret->newest, &run) > 0)
    ret->facts = ((const struct order_row *)run)->facts;
  if (take_run(books, RECONCILE_STOCK, walk, &ret->newest, &run) > 0)
    ret->facts.stock = ((const struct stock_row *)run)->state;
  ret->facts.payment_count = take_run(books, RECONCILE_PAYMENTS, walk, &ret->newest, &run);
  ret->facts.payments = run;
  ret->facts.movement_count = take_run(books, RECONCILE_MOVEMENTS, walk, &ret->newest, &run);
  ret->facts.movements = run;
  return true;
}
