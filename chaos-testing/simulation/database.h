/* One service's database: the service's tables with their keys, CHECKs and row locks, the tables of libbus, a clock of
 * its own, and one session for each worker. */
#ifndef SIM_DATABASE_H
#define SIM_DATABASE_H

#include "broker.h"
#include "memory_sql.h"

enum { TABLES_MAX = 4 };

struct bus_table;

struct row {
  void *record;       /* the service's struct */
  const void *locker; /* the session that holds it FOR UPDATE */
  bool touched;       /* since it was last checked */
  struct row *next;
};

struct table {
  const struct bus_table *of;
  bool (*is_valid)(const void *record); /* the CHECKs; NULL: none */
  struct row *rows;
};

/* A row of the outbox. */
struct outgoing {
  const struct message *message;
  bus_time next_attempt_at;
  int64_t attempts;
  bool unroutable;
  const void *locker;
  struct outgoing *next;
};

struct id_count {
  struct bus_uuid id;
  int64_t count;
  struct id_count *next;
};

enum { INBOX_SLOTS = 256 };

enum commit { COMMIT_DONE, COMMIT_CONFLICT, COMMIT_DATA, COMMIT_FAULT };

struct store;

/* The advisory locks of a service. */
enum guarded { GUARDED_TOMBSTONES, GUARDED_UNPAID, GUARDED };

/* An advisory lock of the transaction. */
struct guard {
  const void *session;
  bool alone;
};

struct database {
  int service;
  const struct store *store;
  bool up;
  bus_time refuses_since; /* a GRANT is missing: whatever has inputs rolls back; 0: it takes them */
  int64_t clock_offset;
  struct table tables[TABLES_MAX];
  struct id_count *inbox[INBOX_SLOTS];
  struct id_count *suspects;
  struct outgoing *outbox, **outbox_end;
  struct guard guards[GUARDED][WORKERS_MAX];
  size_t parked;
};

/* The rows that a statement of trip 1 reads; rows that it locks are the session's from then on. */
struct reading {
  struct world *world;
  struct database *database;
  const void *session;
  struct bus_arena *arena;
  bool blocked; /* another session holds a row of them */
};

/* How many due rows are looked for. repeated: of payments whose call failed before. */
struct due_room {
  size_t most, repeated;
  bool oldest_first; /* whatever failed before */
};

/* The effect of a service's statements. */
struct store {
  const struct bus_statement *statements;
  bool (*make)(void); /* their texts, once */
  void (*init)(struct database *database);
  void (*read)(struct reading *reading, const struct bus_args *args, struct bus_rows *ret);
  /* Without `world`: looks only whether it can be done. */
  enum commit (*write)(struct world *world, struct database *database, const struct bus_args *args);
  /* When the next row comes due, by the database's clock; INT64_MAX: none. */
  bus_time (*due_at)(const struct database *database);
  size_t (*find_due)(const struct database *database, bus_time now, struct due_room room, struct bus_uuid *ret);
};
extern const struct store orders_store, inventory_store_tables, payments_store;

void database_init(struct world *world, struct database *database, int service);
static inline bus_time database_now(const struct world *world, const struct database *database) {
  return world->now + database->clock_offset;
}

/* ---- tables ---- */
/* False: another session holds it. */
bool row_lock(struct reading *reading, struct row *row);
/* Takes an advisory lock, alone or shared; or blocks. */
void database_guard(struct reading *reading, enum guarded what, bool alone);
void database_unlock(struct database *database, const void *session);

/* ---- libbus's own tables ---- */
struct id_count *inbox_find(struct database *database, const struct bus_uuid *id);
void inbox_add(struct world *world, struct database *database, const struct bus_uuid *id);
int64_t suspect_count(struct world *world, struct database *database, const struct bus_uuid *id);
void suspect_forget(struct database *database, const struct bus_uuid *id);
struct outgoing *outbox_add(struct world *world, struct database *database, const struct message *message,
                            bus_time next_attempt_at);
/* A row that another session holds stays. */
void outbox_delete(struct world *world, struct database *database, const struct message *message, const void *session);
struct outgoing *outbox_find(const struct database *database, const struct message *message);

/* ---- what happens to it ---- */
void database_outage(struct world *world, struct database *database, int64_t duration);
void database_refuses(struct world *world, struct database *database, int64_t duration);

#endif
