/* Drives one connection to its end of each trip, by poll(2). */
#include <bus/reader.h>

#include <bus/clock.h>

#include "pg.h"
#include "trip.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

enum { BEGIN_READING, BEGIN_WRITING, END };

static const struct bus_statement frame[] = {
    [BEGIN_READING] = {"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ""},
    [BEGIN_WRITING] = {"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", ""},
    [END] = {"COMMIT", ""},
};

struct bus_reader {
  struct pg *pg;
  int64_t timeout_ms;
  bool writes;
};

static bool is_under_way(const struct pg *pg) {
  return pg_state(pg) == PG_CONNECTING || pg_state(pg) == PG_BUSY;
}

/* Until nothing is under way any more, or the time is over. */
static void drive(struct bus_reader *reader) {
  int64_t until = bus_monotonic() + reader->timeout_ms * BUS_MILLISECOND;
  while (is_under_way(reader->pg)) {
    struct pollfd fd = {.fd = pg_fd(reader->pg), .events = pg_events(reader->pg)};
    int64_t left = (until - bus_monotonic()) / BUS_MILLISECOND;
    int ready = left > 0 ? poll(&fd, 1, (int)left) : 0;
    if (ready < 0 && errno == EINTR)
      continue;
    if (ready <= 0)
      pg_give_up(reader->pg, "the database does not answer in time");
    else
      pg_advance(reader->pg);
  }
}

bool bus_reader_open(const struct bus_reader_settings *settings, struct bus_reader **ret, struct bus_error *err) {
  if (!pg_url_check(settings->url, err))
    return false;
  struct bus_reader *reader = calloc(1, sizeof *reader);
  if (!reader)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a database connection");
  const struct pg_settings session = {
      .url = settings->url,
      .dns_server = settings->dns_server,
      .application_name = settings->name,
      .allow_unsafe = true,
      .only_reads = !settings->writes,
      .registries = {[PG_OWN] = {frame, BUS_COUNT(frame)}, [PG_SERVICE] = {settings->statements, settings->count}}};
  reader->timeout_ms = settings->timeout_ms;
  reader->writes = settings->writes;
  bool good = pg_new(&session, &reader->pg, err);
  if (good) {
    drive(reader);
    good = pg_state(reader->pg) == PG_IDLE;
    if (!good)
      pg_error(reader->pg, err);
  }
  if (!good) {
    bus_reader_free(reader);
    return false;
  }
  *ret = reader;
  return true;
}

void bus_reader_free(struct bus_reader *reader) {
  if (!reader)
    return;
  pg_free(reader->pg);
  free(reader);
}

static bool take_all(struct bus_reader *reader, size_t asked, const struct bus_reader_calls *calls,
                     struct bus_error *err) {
  if (pg_state(reader->pg) == PG_DEAD) {
    pg_error(reader->pg, err);
    return false;
  }
  if (pg_failed(reader->pg, err))
    return false;
  for (size_t i = 0; i < asked; i++)
    calls->take(calls->context, i, pg_rows(reader->pg, i + 1));
  return true;
}

bool bus_reader_run(struct bus_reader *reader, struct bus_arena *arena, const struct bus_reader_calls *calls,
                    struct bus_error *err) {
  struct bus_sql *sql = pg_begin_trip(reader->pg, arena);
  (void)pg_add_own(sql, reader->writes ? BEGIN_WRITING : BEGIN_READING);
  calls->ask(calls->context, sql);
  size_t asked = pg_trip_count(sql) - 1;
  (void)pg_add_own(sql, END);
  if (!pg_send_trip(reader->pg, err))
    return false;
  drive(reader);
  bool good = take_all(reader, asked, calls, err);
  pg_end_trip(reader->pg);
  return good;
}
