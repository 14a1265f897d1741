/* One statement over the inbox and the record of dead letters. */
#include "dead_fates.h"

#include "story_rows.h"
#include "story_statements.h"

#include <orderbus_topology.h>

enum { READ_MS = 5000 };

enum story_place dead_place(const struct bus_queue *queue) {
  const char *service = bus_topology_owner(&orderbus_topology, queue)->user.name;
  for (int i = 0; i < STORY_BROKER; i++)
    if (strcmp(story_services[i], service) == 0)
      return (enum story_place)i;
  return STORY_BROKER;
}

bool dead_fates_open(const struct program *program, const struct bus_queue *queue, struct bus_reader **ret,
                     struct bus_error *err) {
  enum story_place place = dead_place(queue);
  if (place == STORY_BROKER)
    return bus_fail(err, BUS_E_CONFIG, "the service of %s has no database to watch: say --canary 0", queue->name);
  const struct bus_reader_settings settings =
      story_reader(&program->settings, program->settings.urls[place], &story_statements[place], READ_MS);
  return bus_reader_open(&settings, ret, err) ||
         bus_error_wrap(err, "the %s database tells whether messages come back", story_place_names[place]);
}

struct asking {
  const struct bus_uuid *ids;
  size_t count;
  struct dead_fates *fates;
};

static void ask(void *context, struct bus_sql *sql) {
  const struct asking *asking = context;
  story_rows_ask_ids(sql, STORY_SQL_FATES, asking->ids, asking->count);
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
  (void)bus_sql_add(sql, STORY_SQL_FIRST);
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
