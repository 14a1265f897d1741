/* One Postgres connection in pipeline mode: a trip is a group of statements that are sent together and answered
 * together. The only user of libpq. No call blocks: the owner polls the socket and calls pg_advance. */
#pragma once

#include <bus/arena.h>
#include <bus/error.h>
#include <bus/sql.h>

#include "../core/srv.h"

struct pg;

/* Settings of every session, set after connecting. Plans are generic from the first execution and never scan a whole
 * table that has a usable index, even if they were made while the tables were empty. The planner assumes that a
 * comparison with an unknown value selects a third of a table: over millions of rows it would start parallel workers to
 * find three. Names are looked up in pg_catalog first. synchronous_commit is set in addition (session.c). */
#define PG_SESSION_SETTINGS(X)                                                                                         \
  X(plan_cache_mode, "force_generic_plan")                                                                             \
  X(enable_seqscan, "off")                                                                                             \
  X(enable_hashjoin, "off")                                                                                            \
  X(enable_mergejoin, "off")                                                                                           \
  X(jit, "off")                                                                                                        \
  X(max_parallel_workers_per_gather, "0")                                                                              \
  X(search_path, "pg_catalog,public")                                                                                  \
  X(TimeZone, "UTC")                                                                                                   \
  X(default_transaction_isolation, "read committed")                                                                   \
  X(default_transaction_deferrable, "off")
/* In milliseconds, at most; 0, no limit, becomes that too. A shorter one of the role's stays. */
#define PG_SESSION_BOUNDS(X)                                                                                           \
  X(statement_timeout, 10000)                                                                                          \
  X(lock_timeout, 3000)                                                                                                \
  X(idle_in_transaction_session_timeout, 5000)

/* Sets them for one transaction: a pooler may give each transaction another session. */
extern const char pg_session_set_local[];

/* Two registries: libbus's own statements and the service's. Both are kept. */
enum { PG_OWN = BUS_REGISTRY_OWN, PG_SERVICE = BUS_REGISTRY_SERVICE, PG_REGISTRIES = BUS_REGISTRIES };

struct pg_settings {
  const char *url;
  const char *url_file;   /* its file, read for each connection; NULL: `url` stays */
  const char *dns_server; /* of DNS_SERVER (bus/dns_options.h), for a URL that names a service (srv.h) */
  const char *application_name;
  size_t first_host; /* of several in the URL: which one is tried first */
  bool allow_unsafe; /* also a server that may lose what it committed */
  bool only_reads;   /* also a standby, or as a role whose transactions are read-only */
  struct bus_registry registries[PG_REGISTRIES];
};

enum pg_state {
  PG_CONNECTING, /* and preparing the statements */
  PG_IDLE,
  PG_BUSY, /* a trip is under way */
  PG_DONE, /* its results are there: take them, then pg_end_trip */
  PG_DEAD, /* pg_error says why; free it */
};

/* Is this a URL that can be opened? libpq's own words may hold the password, so the error does not repeat them. */
bool pg_url_check(const char *url, struct bus_error *err) BUS_MUST_CHECK;
/* The lists of a URL with several hosts, rotated to begin with host `first`; empty for a single host. */
enum { PG_HOSTS_MAX = SRV_HOSTS_MAX * SRV_NAME_MAX };
struct pg_hosts {
  char host[PG_HOSTS_MAX], hostaddr[PG_HOSTS_MAX], port[PG_HOSTS_MAX];
};
void pg_hosts_from(const char *url, size_t first, struct pg_hosts *ret);
/* The same of a service's records, at most SRV_HOSTS_MAX of them. */
void pg_hosts_of_records(const struct srv_records *records, size_t first, struct pg_hosts *ret);
/* Can these be prepared? Letters known, not too many, single values before arrays. */
bool pg_registry_check(const struct bus_registry *registry, struct bus_error *err) BUS_MUST_CHECK;

/* Begins to connect; false only when out of memory. It blocks while DNS is asked, and while libpq has the hosts' names
 * resolved. */
bool pg_new(const struct pg_settings *settings, struct pg **ret, struct bus_error *err) BUS_MUST_CHECK;
void pg_free(struct pg *pg);

enum pg_state pg_state(const struct pg *pg);
/* Its name; valid as long as the connection. */
const char *pg_database(const struct pg *pg);
/* Once connected: does a pooler stand between us and the server? */
bool pg_is_pooled(const struct pg *pg);
/* The database refused a statement of the registries when it was prepared: it is dead, and its error names it. */
bool pg_is_refused(const struct pg *pg);
/* -1 while there is none. Events to wait for: POLLIN, and POLLOUT where something is still to be sent. */
int pg_fd(const struct pg *pg);
short pg_events(const struct pg *pg);
/* Reads and writes without blocking. */
void pg_advance(struct pg *pg);

/* ---- a trip ---- */
/* Statements are added with bus_sql_add (the service's) and pg_add_own. Parameters lie in the arena. */
struct bus_sql *pg_begin_trip(struct pg *pg, struct bus_arena *arena);
static inline struct bus_args *pg_add_own(struct bus_sql *sql, size_t statement) {
  return bus_sql_add_own(sql, statement);
}
static inline size_t pg_trip_count(const struct bus_sql *sql) {
  return bus_sql_count(sql);
}
/* Sends all and one Sync. False: out of memory while parameters were built (nothing was sent), or the link is dead. */
bool pg_send_trip(struct pg *pg, struct bus_error *err) BUS_MUST_CHECK;
/* The same for a trip that was not begun here. */
bool pg_send(struct pg *pg, const struct bus_sql *sql, struct bus_error *err) BUS_MUST_CHECK;
/* PG_DONE: rows of the index-th statement; NULL when it failed or came after a failure. */
const struct bus_rows *pg_rows(const struct pg *pg, size_t index);
/* The command tag of the index-th statement ("COMMIT"). */
const char *pg_tag(const struct pg *pg, size_t index);
/* The last statement's; NULL-safe: "" where there is none. */
const char *pg_last_tag(const struct pg *pg);
/* The first failure of the trip, if any: its class says what to do. */
bool pg_failed(const struct pg *pg, struct bus_error *err);
/* Which statement of the trip that was; -1: none, or not known. */
long pg_failed_at(const struct pg *pg);
/* After the trip: is a transaction, failed or not, still open? */
bool pg_in_transaction(const struct pg *pg);
void pg_end_trip(struct pg *pg);

/* No answer came in time: the connection counts as dead. */
void pg_give_up(struct pg *pg, const char *why);
/* PG_DEAD or failed to connect. */
void pg_error(const struct pg *pg, struct bus_error *err);

/* Which error a SQLSTATE is. Pure. */
enum bus_errc pg_errc_of(const char *sqlstate);
