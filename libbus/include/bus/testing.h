/*
 * Tests of a service without servers: a whole program of bus/service.h over a broker, a database and a clock in memory.
 * The batches, retries, dead letters and answers are those of production, made by the same pipeline.
 *
 *   struct bus_test *test;
 *   bus_test_new(&shipping_program, &test, &err)
 *   BUS_TEST_SEND(test, order_confirmed, &id, &(struct order_confirmed){…});   as the type's first sender would
 *   bus_test_run(test, &err)                                                  until nothing is left to do
 *   BUS_TEST_PUBLISHED(test, shipment_created, 0)                             what was sent, decoded
 *   bus_test_row(test, &shipment_table, &id)                                  what was written
 *
 * Functions that add something remember running out of memory: the next bus_test_run returns false. bus_testing must
 * stand before bus_pg and bus_worker on the link line, as its functions take the place of theirs; CMake's bus::testing
 * sees to that. Not thread-safe.
 */
#pragma once

#include <bus/memory_sql.h>
#include <bus/service.h>

BUS_C_BEGIN

struct bus_test;

/* The clock of a new test. It stands still but for bus_test_advance and the pauses of a batch that is tried again. */
#define BUS_TEST_BEGIN INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */

/* Makes the program's workers, one of each kind, as bus_service_main would: `open` is called with program->settings.
 * program is kept. False: out of memory (BUS_E_NOMEM), or the topology or a service is invalid (BUS_E_CONFIG). */
bool bus_test_new(const struct bus_program *program, struct bus_test **ret, struct bus_error *err) BUS_MUST_CHECK;
/* Accepts NULL. Whatever the test returned ends with it. */
void bus_test_free(struct bus_test *test);

/* ---- the database ---- */

/* The statement, an element of a service's registry, is answered by rows of a table in memory, which the first call for
 * a column table makes: reads returns the rows whose keys are in its one array parameter (BUS_LOCK, or a SELECT that
 * the service words itself), inserts and updates are those of BUS_INSERT and BUS_UPDATE. A service with an `aggregate`
 * needs none of these. A statement without an answer fails bus_test_run, which names it. */
void bus_test_reads(struct bus_test *test, const struct bus_statement *statement, const struct bus_table *table);
/* The same for a statement of BUS_INSERT. */
void bus_test_inserts(struct bus_test *test, const struct bus_statement *statement, const struct bus_table *table);
/* The same for a statement of BUS_UPDATE. */
void bus_test_updates(struct bus_test *test, const struct bus_statement *statement, const struct bus_table *table);
/* Any other statement: `answer` adds rows to ret (bus_memory_rows_add) in the arena; it may read and write tables. It
 * is called once for each execution, also if the transaction is rolled back later. */
typedef void bus_test_answer(void *context, struct bus_test *test, const struct bus_args *args, struct bus_arena *arena,
                             struct bus_rows *ret);
/* Has any other statement answered by `answer`, which gets the context. */
void bus_test_answers(struct bus_test *test, const struct bus_statement *statement, bus_test_answer *answer,
                      void *context);
/* Adds a row, a copy of the table's struct; its texts and lists are not copied. */
void bus_test_put(struct bus_test *test, const struct bus_table *table, const void *row);
/* The row with this value of the first column; NULL: none. */
const void *bus_test_row(const struct bus_test *test, const struct bus_table *table, const void *key);
/* Rows of the table, committed ones. */
size_t bus_test_row_count(const struct bus_test *test, const struct bus_table *table);
/* The index-th row in the order of their insertion; index must be below bus_test_row_count. */
const void *bus_test_row_at(const struct bus_test *test, const struct bus_table *table, size_t index);
/* The next transaction fails with this error (BUS_E_DB_CONFLICT, BUS_E_DB_CONNECTION and so on) when its COMMIT is
 * sent. */
void bus_test_refuse_commit(struct bus_test *test, enum bus_errc code);

/* ---- the broker ---- */

/* Sends a message of the type to the queues that take it, as the type's first sender: its id is new, its body is
 * encoded and decoded by the type's field table. A query is asked by its first sender, or by "test" if it is open, and
 * its answer is in bus_test_published. Returns the message's id. */
struct bus_uuid bus_test_send(struct bus_test *test, const struct bus_message_type *type,
                              const struct bus_uuid *correlation_id, const void *body);
/* The same for a body as it stands, for what no sender of this version writes. */
struct bus_uuid bus_test_send_text(struct bus_test *test, const struct bus_message_type *type,
                                   const struct bus_uuid *correlation_id, struct bus_str body);
/* Delivers the last message that was sent once more, under its own id. */
void bus_test_send_again(struct bus_test *test);
/* The same as bus_test_send for a type that BUS_MESSAGE declares. C alone. */
#define BUS_TEST_SEND(test, name, correlation_id, ...)                                                                 \
  bus_test_send((test), &name##_type, (correlation_id), BUS_POINTER_TO_BODY(name, __VA_ARGS__))

/* A message that the program published: an event, command, answer or notice. */
struct bus_test_message {
  const struct bus_message_type *type;
  const struct bus_envelope *envelope;
  const void *body; /* the type's struct */
  struct bus_str text;
  bool returned; /* a queue must take it, and none does: in production its outbox row stays, and is sent again */
};
/* All of them, in order. A message that a queue of the program takes is delivered there, too. */
size_t bus_test_published_count(const struct bus_test *test);
/* The index-th message, below bus_test_published_count. */
const struct bus_test_message *bus_test_published(const struct bus_test *test, size_t index);
/* The body of the index-th one of that type; NULL: there are not so many. */
const void *bus_test_published_body(const struct bus_test *test, const struct bus_message_type *type, size_t index);
/* The same for a type that BUS_MESSAGE declares. C alone. */
#define BUS_TEST_PUBLISHED(test, name, index)                                                                          \
  ((const name##_body *)bus_test_published_body((test), &name##_type, (index)))

/* A dead letter: the queue it came from, the cause as operators see it, and its class ("permanent"). */
struct bus_test_dead {
  struct bus_str queue, cause, cause_class;
  const struct bus_envelope *envelope;
};
/* Dead letters so far. */
size_t bus_test_dead_count(const struct bus_test *test);
/* The index-th dead letter, below bus_test_dead_count. */
const struct bus_test_dead *bus_test_dead(const struct bus_test *test, size_t index);

/* Outcomes of the deliveries so far, counted. Queries are done or late. */
struct bus_test_outcomes {
  size_t done, retried, parked, duplicate, late;
};
/* Counts the outcomes of all deliveries so far. */
struct bus_test_outcomes bus_test_outcomes(const struct bus_test *test);

/* ---- running ---- */

/* Runs the workers until no message, statement or batch is left that can go on now. False: out of memory; a statement
 * without an answer; or the program does not come to rest, and the error says why. */
bool bus_test_run(struct bus_test *test, struct bus_error *err) BUS_MUST_CHECK;
/* Moves the clock on, and runs what comes due meanwhile: retries, periodic statements. Errors as for bus_test_run. */
bool bus_test_advance(struct bus_test *test, int64_t milliseconds, struct bus_error *err) BUS_MUST_CHECK;
/* The clock of the test, which is also Postgres's now(). */
bus_time bus_test_now(const struct bus_test *test);

/* ---- a real Postgres ---- */

/* Prepares each statement of the program, and libbus's own, in the database, in a session as a worker's, and plans it:
 * parameters and columns must be of types that bus/sql.h has, and the login's role must have the rights. False: the
 * error names the statement and says what is wrong. The one function here that does I/O; it changes nothing. */
bool bus_test_statements(const struct bus_program *program, const char *database_url,
                         struct bus_error *err) BUS_MUST_CHECK;

BUS_C_END
