/* Transactions on a connection of their own, for programs that run once and may wait; read-only ones, where they are
 * not asked to write. Not thread-safe. */
#pragma once

#include <bus/error.h>
#include <bus/sql.h>

BUS_C_BEGIN

struct bus_reader;

struct bus_reader_settings {
  const char *url;        /* postgresql://…, postgresql+srv://…; of a primary or a standby */
  const char *dns_server; /* of DNS_SERVER (bus/dns_options.h) */
  const char *name;       /* shown in pg_stat_activity */
  const struct bus_statement *statements;
  size_t count;
  int64_t timeout_ms; /* for connecting, and for each transaction */
  bool writes;        /* its transactions may write; the server is a primary */
};

/* Connects and prepares the statements; blocks. */
bool bus_reader_open(const struct bus_reader_settings *settings, struct bus_reader **ret,
                     struct bus_error *err) BUS_MUST_CHECK;
/* Accepts NULL. */
void bus_reader_free(struct bus_reader *reader);

struct bus_reader_calls {
  void (*ask)(void *context, struct bus_sql *sql); /* adds statements by bus_sql_add, at most BUS_READER_MAX */
  /* The rows of the index-th of them, for each in turn. Text points into the result: copy it. */
  void (*take)(void *context, size_t index, const struct bus_rows *rows);
  void *context;
};
enum { BUS_READER_MAX = 40 };

/* One transaction, REPEATABLE READ and READ ONLY: all its statements see the same state. One that writes is READ
 * COMMITTED. After a failure no rows are taken; a failed reader is of no further use. Parameters lie in the arena. */
bool bus_reader_run(struct bus_reader *reader, struct bus_arena *arena, const struct bus_reader_calls *calls,
                    struct bus_error *err) BUS_MUST_CHECK;

BUS_C_END
