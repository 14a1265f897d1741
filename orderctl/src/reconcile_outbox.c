/* Ids of each outbox, looked up in the inboxes of the other places. */
#include "reconcile_outbox.h"

#include "reconcile_statements.h"
#include "story_rows.h"

enum { READ_MS = 10000, MEMORY = 64 << 20 };

struct ids {
  struct bus_arena *arena;
  struct bus_uuid *ids;
  size_t count;
  int64_t taken;
};

static void ask_waiting(void *context, struct bus_sql *sql) {
  (void)context;
  bus_args_int64(bus_sql_add(sql, RECONCILE_SQL_OUTBOX), RECONCILE_OUTBOX_MAX);
}

static void take_waiting(void *context, size_t index, const struct bus_rows *rows) {
  struct ids *ids = context;
  (void)index;
  ids->ids = story_rows_ids(rows, ids->arena, &ids->count);
}

static void ask_taken(void *context, struct bus_sql *sql) {
  const struct ids *ids = context;
  story_rows_ask_ids(sql, RECONCILE_SQL_TAKEN, ids->ids, ids->count);
}

static void take_taken(void *context, size_t index, const struct bus_rows *rows) {
  (void)index;
  ((struct ids *)context)->taken += bus_rows_int64(rows, 0, 0);
}

static bool run_at(const struct program *program, enum story_place place, struct bus_arena *arena,
                   const struct bus_reader_calls *calls, struct bus_error *err) {
  struct bus_reader *reader = NULL;
  bool good = reconcile_reader_open(program, place, READ_MS, &reader, err) && bus_reader_run(reader, arena, calls, err);
  bus_reader_free(reader);
  return good || bus_error_wrap(err, "%s database", story_place_names[place]);
}

static bool read_one(const struct program *program, enum story_place place, struct ids *ids, struct bus_error *err) {
  const struct bus_reader_calls waiting = {ask_waiting, take_waiting, ids}, taken = {ask_taken, take_taken, ids};
  if (!run_at(program, place, ids->arena, &waiting, err))
    return false;
  if (!ids->ids)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for an outbox");
  for (int other = 0; ids->count > 0 && other < STORY_BROKER; other++)
    if (other != (int)place && !run_at(program, (enum story_place)other, ids->arena, &taken, err))
      return false;
  return true;
}

bool reconcile_outboxes_read(const struct program *program, struct reconcile_outbox ret[STORY_BROKER],
                             struct bus_error *err) {
  struct bus_arena *arena = bus_arena_new(MEMORY);
  bool good = arena || bus_fail(err, BUS_E_NOMEM, "out of memory for outboxes");
  for (int place = 0; good && place < STORY_BROKER; place++) {
    struct ids ids = {.arena = arena};
    bus_arena_reset(arena);
    good = read_one(program, (enum story_place)place, &ids, err);
    ret[place] = (struct reconcile_outbox){(int64_t)ids.count, ids.taken};
  }
  bus_arena_free(arena);
  return good;
}
