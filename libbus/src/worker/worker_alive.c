/* One worker of a process says every few seconds that the process is alive. */
#include "worker_internal.h"

#include <bus/alive.h>
#include <bus/clock.h>

enum { ARENA_LIMIT = 1 << 16 };

static bool speaks(const struct bus_worker *worker) {
  return worker->settings.alive && broker_stands(&worker->broker) && atomic_load(&worker->seen.consuming) &&
         bus_topology_type(worker->topology, bus_str(bus_alive_type.type)) == &bus_alive_type;
}

static void announce(struct bus_worker *worker, struct bus_arena *arena) {
  struct bus_alive alive;
  struct bus_str json;
  struct bus_envelope envelope = {.type = bus_str(bus_alive_type.type),
                                  .app_id = bus_str(worker->service->name),
                                  .timestamp = bus_wall_clock(),
                                  .first_failed_at = BUS_NO_TIME};
  worker->settings.alive(worker->settings.alive_context, &alive);
  bus_uuid_v7(&worker->ids, envelope.timestamp, &envelope.message_id);
  if (!bus_encode(bus_alive_type.schema, &alive, arena, &json))
    return;
  const struct bus_publication notice = {.exchange = bus_alive_type.exchange,
                                         .key = bus_message_key(&bus_alive_type),
                                         .transient = true,
                                         .envelope = &envelope,
                                         .body = json};
  loop_step(worker, &(struct bus_pipeline_event){.kind = BUS_ON_NOTICE, .notice = &notice});
}

void alive_announce(struct bus_worker *worker) {
  int64_t now = bus_monotonic();
  if (now < worker->alive_at || !speaks(worker))
    return;
  worker->alive_at = now + BUS_ALIVE_EVERY;
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  if (arena) /* else once it has memory */
    announce(worker, arena);
  bus_arena_free(arena);
}

int64_t alive_next(const struct bus_worker *worker) {
  return speaks(worker) ? worker->alive_at : INT64_MAX;
}
