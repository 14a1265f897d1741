/* The database in memory: the service's tables, the inbox, and one session for each worker. */
#include "kit.h"

#include "../src/pipeline/own.h"

#include <assert.h>
#include <string.h>

/* ---- rules and tables, as a test makes them ---- */

struct kit_table *kit_table_of(const struct bus_test *test, const struct bus_table *of) {
  struct kit_table *table = test->database.tables;
  while (table && table->rows.of != of)
    table = table->next;
  return table;
}

/* NULL: out of memory. */
static struct kit_table *need_table(struct bus_test *test, const struct bus_table *of) {
  struct kit_table *table = kit_table_of(test, of);
  if (table)
    return table;
  table = bus_arena_alloc(test->arena, sizeof *table);
  if (!table) {
    kit_no_memory(test);
    return NULL;
  }
  bus_memory_table_init(&table->rows, of, of->is_valid);
  table->next = test->database.tables;
  return test->database.tables = table;
}

static void add_rule(struct bus_test *test, const struct kit_rule *rule) {
  struct kit_rule *added = bus_arena_alloc(test->arena, sizeof *added);
  if (!added) {
    kit_no_memory(test);
    return;
  }
  *added = *rule;
  added->next = test->database.rules;
  test->database.rules = added;
}

static void add_table_rule(struct bus_test *test, const struct bus_statement *statement, enum kit_act act,
                           const struct bus_table *table) {
  add_rule(test, &(struct kit_rule){.statement = statement, .act = act, .table = need_table(test, table)});
}

void bus_test_reads(struct bus_test *test, const struct bus_statement *statement, const struct bus_table *table) {
  add_table_rule(test, statement, KIT_READ, table);
}

void bus_test_inserts(struct bus_test *test, const struct bus_statement *statement, const struct bus_table *table) {
  add_table_rule(test, statement, KIT_INSERT, table);
}

void bus_test_updates(struct bus_test *test, const struct bus_statement *statement, const struct bus_table *table) {
  add_table_rule(test, statement, KIT_UPDATE, table);
}

void bus_test_answers(struct bus_test *test, const struct bus_statement *statement, bus_test_answer *answer,
                      void *context) {
  add_rule(test, &(struct kit_rule){.statement = statement, .act = KIT_ANSWER, .answer = answer, .context = context});
}

void bus_test_put(struct bus_test *test, const struct bus_table *of, const void *row) {
  struct kit_table *table = need_table(test, of);
  if (!table || !bus_memory_add(&table->rows, row, test->arena))
    kit_no_memory(test);
}

const void *bus_test_row(const struct bus_test *test, const struct bus_table *of, const void *key) {
  const struct kit_table *table = kit_table_of(test, of);
  const struct bus_memory_row *row = table ? bus_memory_find(&table->rows, key) : NULL;
  return row ? row->record : NULL;
}

size_t bus_test_row_count(const struct bus_test *test, const struct bus_table *of) {
  const struct kit_table *table = kit_table_of(test, of);
  size_t count = 0;
  for (const struct bus_memory_row *row = table ? table->rows.rows : NULL; row; row = row->next)
    count++;
  return count;
}

const void *bus_test_row_at(const struct bus_test *test, const struct bus_table *of, size_t index) {
  assert(index < bus_test_row_count(test, of)); /* the test's fault */
  const struct bus_memory_row *row = kit_table_of(test, of)->rows.rows;
  while (index-- > 0)
    row = row->next;
  return row->record;
}

void bus_test_refuse_commit(struct bus_test *test, enum bus_errc code) {
  test->database.next_commit = code;
}

/* ---- a trip ---- */

struct trip {
  struct bus_worker *worker;
  struct bus_test *test;
  struct kit_session *session;
  const struct bus_sql *sql;
  size_t at; /* the statement that runs */
};

static bool refuse(const struct trip *trip, enum bus_errc code, const char *text) {
  struct bus_trip_result *result = &trip->session->result;
  result->failed_at = (long)trip->at;
  return bus_fail(&result->error, code, "%s", text);
}

static bool no_memory(const struct trip *trip) {
  return refuse(trip, BUS_E_NOMEM, "out of memory in the database of a test");
}

static const struct kit_rule *rule_of(const struct trip *trip, const struct bus_args *args) {
  const struct bus_statement *statement = &trip->sql->registries[BUS_REGISTRY_SERVICE].statements[args->statement];
  const struct kit_rule *rule = trip->test->database.rules;
  while (rule && rule->statement->sql != statement->sql) /* registries are copied, texts are not */
    rule = rule->next;
  if (!rule) {
    kit_fail(trip->test, BUS_E_INVALID,
             "statement %zu of %s, \"%.60s\", has no answer: name it in bus_test_reads, bus_test_inserts, "
             "bus_test_updates or bus_test_answers",
             args->statement, trip->worker->service->name, statement->sql);
    (void)refuse(trip, BUS_E_DB_FAULT, "a statement without an answer");
  }
  return rule;
}

static bool read_rows(const struct trip *trip, const struct kit_table *table, const struct bus_args *args,
                      struct bus_rows *ret) {
  for (size_t i = 0; table && i < bus_memory_arg_rows(args); i++) {
    const struct bus_memory_row *row = bus_memory_find_value(&table->rows, bus_memory_arg_row(args, i));
    if (row && !bus_memory_read(ret, &table->rows, row, trip->session->arena))
      return no_memory(trip);
  }
  return true;
}

/* Tries a write, or with `keep` carries it out. */
static bool write_rows(const struct trip *trip, const struct kit_rule *rule, const struct bus_args *args,
                       struct bus_arena *keep) {
  enum bus_memory_outcome outcome = !rule->table              ? BUS_MEMORY_NOMEM
                                    : rule->act == KIT_INSERT ? bus_memory_insert(&rule->table->rows, args, keep)
                                                              : bus_memory_update(&rule->table->rows, args, keep);
  switch (outcome) {
  case BUS_MEMORY_DONE:
    return true;
  case BUS_MEMORY_CONFLICT:
    return refuse(trip, BUS_E_DB_CONFLICT, "SQLSTATE 23505: a row of that key is there");
  case BUS_MEMORY_DATA:
    return refuse(trip, BUS_E_DB_DATA, "SQLSTATE 23514: the table does not take that row");
  case BUS_MEMORY_NOMEM:
    break;
  }
  return no_memory(trip);
}

static bool run_service(const struct trip *trip, const struct bus_args *args, struct bus_rows *ret) {
  const struct kit_rule *rule = rule_of(trip, args);
  if (!rule)
    return false;
  switch (rule->act) {
  case KIT_READ:
    return read_rows(trip, rule->table, args, ret);
  case KIT_ANSWER:
    rule->answer(rule->context, trip->test, args, trip->session->arena, ret);
    return true;
  case KIT_INSERT:
  case KIT_UPDATE:
    break;
  }
  return write_rows(trip, rule, args, NULL);
}

/* ---- libbus's own statements ---- */

static bool has(const struct kit_list *ids, const struct bus_uuid *id) {
  const struct bus_uuid *items = ids->items;
  for (size_t i = 0; i < ids->count; i++)
    if (bus_uuid_equal(&items[i], id))
      return true;
  return false;
}

static bool insert_inbox(const struct trip *trip, const struct bus_args *args, struct bus_rows *ret) {
  struct kit_list *fresh = &trip->session->fresh;
  for (size_t i = 0; i < bus_memory_arg_rows(args); i++) {
    const struct bus_uuid *id = &bus_memory_arg_row(args, i)->uuid;
    if (has(&trip->test->database.inbox, id) || has(fresh, id))
      continue;
    struct bus_uuid *kept = kit_list_add(trip->test, fresh, sizeof *kept);
    struct bus_memory_value *cells = kept ? bus_memory_rows_add(ret, 2, trip->session->arena) : NULL;
    if (!cells)
      return no_memory(trip);
    *kept = *id;
    cells[0] = (struct bus_memory_value){.uuid = *id};
    cells[1] = (struct bus_memory_value){.number = trip->test->now};
  }
  return true;
}

static void forget(struct kit_list *ids, const struct bus_uuid *id) {
  struct bus_uuid *items = ids->items;
  size_t kept = 0;
  for (size_t i = 0; i < ids->count; i++)
    if (!bus_uuid_equal(&items[i], id))
      items[kept++] = items[i];
  ids->count = kept;
}

static bool add_number(const struct trip *trip, int64_t number, struct bus_rows *ret) {
  struct bus_memory_value *cell = bus_memory_rows_add(ret, 1, trip->session->arena);
  if (!cell)
    return no_memory(trip);
  *cell = (struct bus_memory_value){.number = number};
  return true;
}

static void end_transaction(struct kit_session *session, const char *tag) {
  session->open = false;
  session->fresh.count = 0;
  session->result.tag = tag;
}

/* The connection is gone: whether the transaction was committed, nobody knows; it was not. */
static bool refuse_commit(const struct trip *trip, enum bus_errc code) {
  trip->test->database.next_commit = BUS_OK;
  if (bus_error_class(code) == BUS_CLASS_CONNECTION) {
    end_transaction(trip->session, "");
    trip->session->result.dead = true;
  }
  return refuse(trip, code, "as the test wants it");
}

static bool commit(const struct trip *trip) {
  struct kit_session *session = trip->session;
  if (trip->test->database.next_commit != BUS_OK)
    return refuse_commit(trip, trip->test->database.next_commit);
  for (size_t i = 0; i < trip->at; i++) {
    const struct bus_args *args = &trip->sql->items[i];
    const struct kit_rule *rule = args->own ? NULL : rule_of(trip, args);
    if (rule && (rule->act == KIT_INSERT || rule->act == KIT_UPDATE) &&
        !write_rows(trip, rule, args, trip->test->arena))
      return false;
  }
  for (size_t i = 0; i < session->fresh.count; i++) {
    struct bus_uuid *kept = kit_list_add(trip->test, &trip->test->database.inbox, sizeof *kept);
    if (!kept)
      return no_memory(trip);
    *kept = ((const struct bus_uuid *)session->fresh.items)[i];
  }
  end_transaction(session, "COMMIT");
  return true;
}

/* Outbox rows are not kept: their messages are confirmed at once, and none is swept. */
static bool run_own(const struct trip *trip, const struct bus_args *args, struct bus_rows *ret) {
  switch ((enum own_statement)args->statement) {
  case OWN_BEGIN:
    trip->session->open = true;
    trip->session->fresh.count = 0;
    return true;
  case OWN_NOW:
    return add_number(trip, trip->test->now, ret);
  case OWN_INBOX_INSERT:
    return insert_inbox(trip, args, ret);
  case OWN_INBOX_DELETE:
    for (size_t i = 0; i < bus_memory_arg_rows(args); i++)
      forget(&trip->session->fresh, &bus_memory_arg_row(args, i)->uuid);
    return true;
  case OWN_SUSPECT_COUNT:
    return add_number(trip, 1, ret);
  case OWN_COMMIT:
    return commit(trip);
  case OWN_ROLLBACK:
    end_transaction(trip->session, "ROLLBACK");
    return true;
  default:
    return true;
  }
}

/* ---- all of a trip ---- */

static bool make_room(struct kit_session *session, size_t count) {
  bus_arena_reset(session->arena);
  session->rows = bus_arena_array(session->arena, count + 1, sizeof *session->rows);
  session->pointers = bus_arena_array(session->arena, count + 1, sizeof *session->pointers);
  session->result = (struct bus_trip_result){.rows = session->pointers, .count = count, .tag = "", .failed_at = -1};
  return session->rows && session->pointers;
}

void kit_database_run(struct bus_worker *worker, const struct bus_sql *sql) {
  struct kit_session *session = &worker->session;
  struct trip trip = {.worker = worker, .test = worker->test, .session = session, .sql = sql};
  bool good = make_room(session, sql->count) && !bus_memory_failed(sql) ? true : no_memory(&trip);
  for (; good && trip.at < sql->count; trip.at++) {
    const struct bus_args *args = &sql->items[trip.at];
    struct bus_rows *rows = &session->rows[trip.at];
    good = args->own ? run_own(&trip, args, rows) : run_service(&trip, args, rows);
    session->pointers[trip.at] = good ? rows : NULL;
  }
  session->result.in_transaction = session->open;
  session->answered = true;
}
