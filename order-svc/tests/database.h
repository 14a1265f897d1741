/* The store against a real Postgres, as the worker drives it: a migrated database, the runtime role's rights, two trips
 * a batch; only the broker is missing. Skips the test where TEST_DATABASE_URL is not set. */
#pragma once

#include "order_service.h"
#include "order_upkeep.h"

#include <migrated.h>
#include <pg.h>

/* The first column of the rows, each followed by a newline, as the superuser. Gives `text` back. */
const char *database_ask(const struct migrated *database, const char *sql, char *text, size_t size);

/* Fails the test unless the rows are these. */
void database_assert_says(const struct migrated *database, const char *sql, const char *expected);

/* One worker's connection and memory. */
struct link {
  struct pg *pg;
  struct bus_arena *arena;
  struct bus_uuid_source ids;
  struct bus_effects effects; /* of the last batch */
  struct bus_input inputs[256];
  struct bus_envelope envelopes[256];
  size_t input_count;
  size_t lock_count; /* statements that order_lock queued */
  struct order_context context;
  void *model;
  bus_time now; /* of the decisions */
  struct bus_error error;
};

struct link *link_open(const struct migrated *database);
/* With the statements of the threads that answer queries. */
struct link *link_open_queries(const struct migrated *database);
void link_close(struct link *link);

struct bus_envelope *link_add(struct link *link, const struct bus_message_type *type, const void *body);
/* The halves of a batch. False: link->error says why, and the transaction is rolled back. */
void link_send_lock(struct link *link);
bool link_finish_lock(struct link *link);
void link_decide(struct link *link);
bool link_store(struct link *link);
/* All of it. */
bool link_run(struct link *link);
/* A batch of this message alone, a second later. Fails the test if it is not committed. */
void link_tell(struct link *link, const struct bus_message_type *type, const void *body);
/* Rows of one statement with one number, in a transaction of its own. */
const struct bus_rows *link_statement(struct link *link, size_t statement, int64_t number);
const struct bus_rows *link_statement_of(struct link *link, size_t statement, const int64_t *numbers, size_t count);
/* The inputs as queries, on a link of link_open_queries. */
void link_query(struct link *link);
/* The body of the n-th message or answer of the last batch. */
struct bus_str link_said(const struct link *link, size_t n);
