/*
 * The rows of one table that a batch works on: each once, sorted by key, found by binary search. A service adds the
 * keys that its inputs name, opens the set, and works on the rows; the set locks and loads them and writes each changed
 * row once. Everything lies in the batch's arena.
 *
 *   lock    bus_set_init, bus_set_add for each input, bus_set_open, bus_set_lock
 *   load    bus_set_load
 *   decide  bus_set_find, bus_set_change
 *   store   bus_set_store
 */
#pragma once

#include <bus/column.h>

BUS_C_BEGIN

struct bus_effects;
struct bus_input;
struct bus_message_type;

struct bus_set {
  const struct bus_table *table; /* its key is one column, uuid or text */
  size_t size;                   /* of a row: the table's struct, or one that begins with it */
  struct bus_arena *arena;
  char *keys;                 /* struct bus_uuid or struct bus_str; sorted and each once from bus_set_open on */
  size_t key_count, key_room; /* room: in bytes */
  char *rows;
  unsigned char *marks; /* for each row: stored, changed */
  size_t count;
  bool failed; /* out of memory */
};

/* size: of a row, where the service keeps more than the table's struct; 0: that struct. */
void bus_set_init(struct bus_set *set, const struct bus_table *table, size_t size, struct bus_arena *arena);
/* The key is copied, its text is not. Out of memory is remembered until bus_set_open. */
void bus_set_add(struct bus_set *set, const void *key);
/* Makes the rows, absent yet. False: out of memory. */
bool bus_set_open(struct bus_set *set) BUS_MUST_CHECK;

/* NULL: the key was not added. */
void *bus_set_find(const struct bus_set *set, const void *key);
/* The index-th row by key, below set->count; good until the set is loaded. */
void *bus_set_at(const struct bus_set *set, size_t index);
/* The row differs from the database's: bus_set_store writes it. */
void bus_set_change(struct bus_set *set, const void *row);
/* There is a row in the database; what bus_set_load does, without a database. */
void bus_set_keep(struct bus_set *set, const void *row);
/* Is there a row in the database? row is one of the set's. */
bool bus_set_is_stored(const struct bus_set *set, const void *row);
/* Was bus_set_change called for the row in this batch? */
bool bus_set_is_changed(const struct bus_set *set, const void *row);
/* Publishes notices of rows (bus_notify_list): take writes a row's item, or returns false for none. */
void bus_set_notify(const struct bus_set *set, struct bus_effects *effects, const struct bus_message_type *type,
                    bool (*take)(const void *row, void *ret));

/* ---- over a database ---- */

/* The keys as the array of the statement. */
void bus_set_lock(const struct bus_set *set, struct bus_sql *sql, size_t statement);
/* The keys of two sets as the statement's two arrays, of which the shorter one is filled with NULL. */
void bus_set_lock_both(const struct bus_set *first, const struct bus_set *second, struct bus_sql *sql,
                       size_t statement);
/* Reads rows of the table, from column 0 on. Keys that were not added become rows of the set too: pointers to rows are
 * good from here on. */
bool bus_set_load(struct bus_set *set, const struct bus_rows *rows, struct bus_error *err) BUS_MUST_CHECK;
/* The same with the next of several statements' rows; a set without keys has no statement and takes no rows. */
bool bus_set_load_next(struct bus_set *set, const struct bus_rows *const **rows, struct bus_error *err) BUS_MUST_CHECK;
/* Changed rows: those that are stored are updated, the others inserted. A statement without rows is not sent. */
void bus_set_store(const struct bus_set *set, struct bus_sql *sql, size_t insert, size_t update);
/* The arguments of one more row; the statement is queued by the first. */
void bus_sql_add_row(struct bus_sql *sql, struct bus_args **args, size_t statement, const struct bus_table *table,
                     const void *row);

/* ---- the usual service ---- */

/* A service whose inputs each name one row of one table: `aggregate` of struct bus_service takes the place of its lock,
 * load, store and statements. The model that decide() gets is the struct bus_set of the batch's rows. */
struct bus_aggregate {
  const struct bus_table *table;
  /* The key of the row that an input is about: a value of the table's first column, which must live as long as the
   * input. NULL: the correlation id of a message, the body of a deadline. */
  const void *(*key_of)(const struct bus_input *input);
};

/* The statements of such a service; its own follow, from BUS_AGGREGATE_STATEMENTS on. Rows are locked where the table
 * has a column that changes and the service writes. */
enum bus_aggregate_statement {
  BUS_AGGREGATE_READ,
  BUS_AGGREGATE_INSERT,
  BUS_AGGREGATE_UPDATE,
  BUS_AGGREGATE_STATEMENTS
};

/* lock() of such a service, which is its own context. */
bool bus_aggregate_lock(void *service, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                        struct bus_sql *sql, void **ret_model) BUS_MUST_CHECK;
/* load() of such a service. */
bool bus_aggregate_load(void *model, const struct bus_rows *const *rows, size_t count,
                        struct bus_error *err) BUS_MUST_CHECK;
/* store() of such a service. Asserts that a stored row changes only where the table has a column that does. */
bool bus_aggregate_store(void *model, struct bus_sql *sql) BUS_MUST_CHECK;
/* Does the table have a column that updates write? */
bool bus_table_changes(const struct bus_table *table) BUS_MUST_CHECK;

BUS_C_END
