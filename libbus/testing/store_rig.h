/* The store against a real Postgres, as the worker drives it: a migrated database, the runtime role, two trips a batch;
 * only the broker is missing. Skips the test where TEST_DATABASE_URL is not set. */
#pragma once

#include <bus/worker.h>
#include <migrated.h>
#include <pg.h>

/* One number of one row, as superuser. */
int64_t rig_number(const struct migrated *database, const char *sql);

/* Until one connection to the database waits for a lock of another. */
void rig_await_waiter(const struct migrated *database);

/* One worker's connection and memory. */
struct rig_link {
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
struct rig_link *rig_connect(const struct migrated *database, const struct bus_service *service);
void rig_disconnect(struct rig_link *link);

void rig_add(struct rig_link *link, const struct bus_message_type *type, const void *body);
void rig_add_due(struct rig_link *link, const void *due);
/* The halves of a batch. begin only sends trip 1. False: link->error says why, and the transaction is rolled back. */
void rig_send_lock(struct rig_link *link);
bool rig_finish_lock(struct rig_link *link);
bool rig_decide_and_store(struct rig_link *link);
/* All of it; inputs are forgotten only when it succeeds. */
bool rig_run(struct rig_link *link);
/* The n-th message of the last batch; NULL: none. */
const struct bus_effect *rig_message(const struct rig_link *link, size_t n);

/* A statement of the registry without arguments, in a transaction of its own. */
void rig_statement(struct rig_link *link, size_t statement);
/* The inputs as queries: read and answered without a transaction. */
void rig_query(struct rig_link *link);

/* Asserts that the n-th message of the last run has this type and body. */
void rig_assert_said(const struct rig_link *link, size_t n, const struct bus_message_type *type, const char *json);
