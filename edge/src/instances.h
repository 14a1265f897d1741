/* The processes of all services, as they say themselves that they are alive; a silent one falls out. Thread-safe; pure
 * but for its mutex. */
#ifndef EDGE_INSTANCES_H
#define EDGE_INSTANCES_H

#include <bus/alive.h>
#include <bus/arena.h>

#include <pthread.h>

enum { INSTANCES_MAX = 256 };

struct instance {
  char service[BUS_NAME_MAX + 1], id[BUS_INSTANCE_MAX + 1], version[BUS_VERSION_MAX + 1];
  bus_time started_at, seen_at;
  int state;
  struct bus_alive_figures figures;
  struct {
    char dependency[BUS_DEPENDENCY_MAX + 1];
    int state;
  } breakers[BUS_ALIVE_BREAKERS_MAX];
  size_t breaker_count;
  int64_t heard_at; /* monotonic; 0: an empty place */
};

struct instances {
  pthread_mutex_t mutex;
  struct instance items[INSTANCES_MAX]; /* under the mutex */
};

/* As clients see one. */
struct instance_view {
  struct bus_str service, instance, version;
  int state; /* enum bus_alive_state */
  bus_time started_at, seen_at;
  struct bus_alive_figures figures;
  struct bus_alive_breaker *breakers;
  size_t breaker_count;
};
struct instance_list {
  struct instance_view *items;
  size_t item_count;
  struct bus_str next_cursor; /* absent: it is one page */
};
extern const struct bus_schema instance_list_schema;

void instances_init(struct instances *instances);
/* True: it was not in the table. now is monotonic, wall the time of day. If all places are taken, the process that was
 * silent longest gives way. */
bool instances_note(struct instances *instances, struct bus_str service, const struct bus_alive *alive, int64_t now,
                    bus_time wall);
/* Those that spoke lately, by service and start. False: out of memory. */
bool instances_list(struct instances *instances, int64_t now, struct bus_arena *arena,
                    struct instance_list *ret) BUS_MUST_CHECK;

#endif
