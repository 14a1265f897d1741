/* The tables of sql/bus.sql, as libbus's own statements read and write them. */
#ifndef SIM_TABLE_BUS_H
#define SIM_TABLE_BUS_H

#include "broker.h"
#include <bus/memory_sql.h>

struct bus_tables;
struct database;
struct session;

/* Rows that a transaction has written and others cannot see yet. */
struct unseen {
  struct fresh_id *ids;
  struct claim *claims;
};

struct bus_tables *bus_tables_new(struct world *world);

enum { BUS_TABLES_COLUMNS = 9 };
/* Runs a statement up to its COMMIT: what it returns, and what it locks. False: it waits for another transaction. */
bool bus_tables_run(struct world *world, struct session *session, const struct bus_args *args, struct bus_rows *ret);
/* Its effect, at COMMIT, or at once outside a transaction. */
void bus_tables_apply(struct world *world, struct session *session, const struct bus_args *args, struct bus_rows *ret);
/* The effects of what has run before the last trip. */
void bus_tables_commit(struct world *world, struct session *session);
/* The transaction is over: its locks go. */
void bus_tables_unlock(struct session *session);

/* When the sweeper finds a row, by the database's clock; INT64_MAX: never. */
bus_time bus_tables_due(const struct database *database, bus_time now);
/* The first message that waits to be confirmed and deleted, and how many there are. */
const struct letter *bus_tables_first(const struct database *database);
size_t bus_tables_count(const struct database *database);
/* The ids that a statement inserts into the inbox; 0: it is another statement. */
size_t bus_tables_ids(const struct bus_args *args);
const struct bus_uuid *bus_tables_id(const struct bus_args *args, size_t index);
/* A statement that may be broken while messages go on: sweeper, gauge, deletion of confirmed rows. */
bool bus_tables_is_rider(const struct bus_args *args, uint64_t which);
enum { BUS_TABLES_RIDERS = 5 };
/* Does it add what inputs have led to? */
bool bus_tables_adds(const struct bus_args *args);

#endif
