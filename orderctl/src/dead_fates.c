/* One statement over the inbox and the record of dead letters. */
#include "dead_fates.h"

#include "story_rows.h"
#include "story_statements.h"

#include <orderbus_topology.h>

enum { READ_MS = 5000 };

int dead_service(const struct bus_queue *queue) {
  const char *name = bus_topology_owner(&orderbus_topology, queue)->user.name;
  int service = 0;
  while (service < OUTBOXES && strcmp(outbox_services[service], name) != 0)
    service++;
  return service;
}

bool dead_fates_open(const struct program *program, const struct bus_queue *queue, struct bus_reader **ret,
                     struct bus_error *err) {
  int service = dead_service(queue);
  if (service == OUTBOXES)
    return bus_fail(err, BUS_E_CONFIG, "the service of %s has no database to watch: say --canary 0", queue->name);
  const struct bus_reader_settings settings =
      story_reader(&program->settings, program->outbox_urls[service], &fates_statements, READ_MS);
  return bus_reader_open(&settings, ret, err) ||
         bus_error_wrap(err, "the database of %s tells whether messages come back", outbox_services[service]);
}

struct asking {
  const struct bus_uuid *ids;
  size_t count;
  struct dead_fates *fates;
};

static void ask(void *context, struct bus_sql *sql) {
  const struct asking *asking = context;
  story_rows_ask_ids(sql, FATES_SQL_FATES, asking->ids, asking->count);
}

static void take(void *context, size_t index, const struct bus_rows *rows) {
  struct dead_fates *fates = ((struct asking *)context)->fates;
  (void)index;
  fates->taken = bus_rows_int64(rows, 0, 0);
  fates->failed = bus_rows_int64(rows, 0, 1);
}

bool dead_fates_read(struct bus_reader *reader, const struct bus_uuid *ids, size_t count, struct dead_fates *ret,
                     struct bus_error *err) {
  struct asking asking = {ids, count, ret};
  const struct bus_reader_calls calls = {ask, take, &asking};
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  bool good =
      arena ? bus_reader_run(reader, arena, &calls, err) : bus_fail(err, BUS_E_NOMEM, "out of memory for watching");
  bus_arena_free(arena);
  return good;
}

static void ask_first(void *context, struct bus_sql *sql) {
  (void)context;
  (void)bus_sql_add(sql, FATES_SQL_FIRST);
}

static void take_first(void *context, size_t index, const struct bus_rows *rows) {
  (void)index;
  *(bus_time *)context = bus_rows_time(rows, 0, 0);
}

bool dead_first_taken(struct bus_reader *reader, bus_time *ret, struct bus_error *err) {
  const struct bus_reader_calls calls = {ask_first, take_first, ret};
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  bool good =
      arena ? bus_reader_run(reader, arena, &calls, err) : bus_fail(err, BUS_E_NOMEM, "out of memory for the inbox");
  bus_arena_free(arena);
  return good;
}
