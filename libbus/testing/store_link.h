/* The store against a real Postgres, as the worker drives it: a migrated database, the runtime role, two trips a batch;
 * only the broker is missing. Skips the test where TEST_DATABASE_URL is not set. */
#pragma once

#include <bus/worker.h>
#include <migrated.h>
#include <pg.h>

/* One number of one row, as superuser. */
int64_t link_number(const struct migrated *database, const char *sql);

/* Until one connection to the database waits for a lock of another. */
void link_await_waiter(const struct migrated *database);

/* One worker's connection and memory. */
struct link {
  const struct bus_service *service;
  void *context; /* of the service's functions; NULL at first */
  bus_time now;  /* of decisions; BUS_SECOND at first */
  struct pg *pg;
  struct bus_arena *arena;
  struct bus_uuid_source ids;
  struct bus_effects effects; /* of the last batch */
  struct bus_input inputs[1024];
  struct bus_envelope envelopes[1024];
  size_t input_count;
  void *model;
  struct bus_error error;
};

/* service: name, statements, lock, load, decide, and store unless it answers queries. */
struct link *link_connect(const struct migrated *database, const struct bus_service *service);
void link_disconnect(struct link *link);

/* Returns the envelope, which may be changed until the batch begins. */
struct bus_envelope *link_add(struct link *link, const struct bus_message_type *type, const void *body);
void link_add_due(struct link *link, const void *due);
/* The halves of a batch. begin only sends trip 1. False: link->error says why, and the transaction is rolled back. */
void link_send_lock(struct link *link);
bool link_finish_lock(struct link *link);
bool link_decide_and_store(struct link *link);
/* All of it; inputs are forgotten only when it succeeds. */
bool link_run(struct link *link);
/* The n-th message of the last batch; NULL: none. */
const struct bus_effect *link_message(const struct link *link, size_t n);

/* Rows of a statement of the registry with these numbers, in a transaction of its own; valid until the next call. */
const struct bus_rows *link_statement(struct link *link, size_t statement, const int64_t *numbers, size_t count);
/* The inputs as queries: read and answered without a transaction. */
void link_query(struct link *link);

/* Asserts that the n-th message of the last run has this type and body. */
void link_assert_said(const struct link *link, size_t n, const struct bus_message_type *type, const char *json);
