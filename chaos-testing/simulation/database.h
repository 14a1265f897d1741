/* One service's database: the service's tables with their keys, CHECKs and row locks, the tables of libbus, and a clock
 * of its own. */
#ifndef SIM_DATABASE_H
#define SIM_DATABASE_H

#include "broker.h"
#include <bus/memory_sql.h>

#include <bus/error.h>

enum { TABLES_MAX = 4 };

struct bus_table;
struct bus_tables;
struct session;

struct store;

/* The advisory locks of a service. */
enum guarded { GUARDED_TOMBSTONES, GUARDED_UNPAID, GUARDED };

/* An advisory lock of the transaction. */
struct guard {
  const struct session *session;
  bool alone;
};

struct database {
  int service;
  const struct store *store;
  bool up;
  bus_time refuses_since; /* a GRANT is missing: whatever has inputs rolls back; 0: it takes them */
  bool refuses_all;       /* the inbox, too; else only what is written */
  uint64_t broken;        /* a statement that rides along fails; 0: none */
  enum bus_errc broken_as;
  bus_time killed_at; /* a message killed a session last; 0: never */
  int64_t clock_offset;
  struct bus_memory_table tables[TABLES_MAX];
  struct bus_tables *bus;
  struct guard guards[GUARDED][WORKERS_MAX];
};

/* The rows that a statement of trip 1 reads; rows that it locks are the session's from then on. */
struct reading {
  struct world *world;
  struct database *database;
  const struct session *session;
  struct bus_arena *arena;
  bus_time now;
  bool blocked; /* another session holds a row of them */
};

/* The effect of a service's statements. */
struct store {
  size_t rider;       /* a statement of its periodics */
  bool (*make)(void); /* the statements' texts, once */
  void (*init)(struct database *database);
  void (*read)(struct reading *reading, const struct bus_args *args, struct bus_rows *ret);
  /* Without `world`: looks only whether it can be done. */
  enum bus_memory_outcome (*write)(struct world *world, struct database *database, const struct bus_args *args);
  /* When a periodic finds the next row, by the database's clock; INT64_MAX: never. */
  bus_time (*due_at)(const struct database *database, bus_time now);
};
extern const struct store orders_store, inventory_store_tables, payments_store, webhooks_store;

void database_init(struct world *world, struct database *database, int service);
static inline bus_time database_now(const struct world *world, const struct database *database) {
  return world->now + database->clock_offset;
}

/* ---- tables ---- */
/* False: another session holds it. */
bool row_lock(struct reading *reading, struct bus_memory_row *row);
/* A locked row for each key of the statement, where there is one. */
void database_lock(struct reading *reading, const struct bus_memory_table *table, const struct bus_args *args,
                   struct bus_rows *ret);
/* Takes an advisory lock, alone or shared; or blocks. */
void database_guard(struct reading *reading, enum guarded what, bool alone);
void database_unlock(struct database *database, const struct session *session);
/* A row of one cell, for a periodic that finds an aggregate. */
void database_found(struct reading *reading, struct bus_rows *ret, const struct bus_uuid *id);

/* ---- what happens to it ---- */
void database_outage(struct world *world, struct database *database, int64_t duration);
void database_refuses(struct world *world, struct database *database, int64_t duration);
void database_breaks(struct world *world, struct database *database, int64_t duration);

#endif
