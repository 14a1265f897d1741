/* The world of one seed: virtual time, future events, and all parties. No code reads a real clock, an address or a
 * hash's order, so that a seed always gives the same trace. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "bugs.h"
#include "plan.h"
#include "random.h"
#include "tally.h"

#include <bus/arena.h>
#include <bus/worker.h>

#include <inttypes.h>
#include <setjmp.h>

struct world;
typedef void event_run(struct world *world, void *subject, uint64_t detail);

struct event {
  bus_time at;
  uint64_t number; /* of two at one time the earlier made one comes first */
  event_run *run;
  void *subject;
  uint64_t detail;
};

/* Behind those with a database of their own: the workers of inventory-svc that carry out requests. */
enum {
  SERVICE_ORDER,
  SERVICE_INVENTORY,
  SERVICE_PAYMENT,
  SERVICE_NOTIFY,
  DATABASES,
  SERVICE_REQUESTS = DATABASES,
  SERVICES
};
enum { WORKERS_MAX = 2 * SERVICES, EDGES = 2 };
extern const char *const service_names[DATABASES];

struct world {
  uint64_t seed;
  struct random random;
  bus_time now, begin;
  struct event *heap;
  size_t heap_count, heap_room;
  uint64_t next_number;
  struct bus_arena *arena; /* as long as the seed */
  struct plan plan;
  struct bus_worker_settings settings, alone; /* of workers; of those that send each message alone */
  bool checks_parts;                          /* of the pipelines, after each step */
  bool quiet;                                 /* the faults are over */
  bool breaker_opened;                        /* one in front of the PSP, at some time */
  enum bug bug;
  bool traced;
  struct tally *tally;
  struct broker *broker;
  struct database *databases; /* DATABASES */
  struct worker *workers;
  size_t worker_count;
  struct edge *edges; /* EDGES */
  struct psp *psp;
  struct hooks *hooks;
  struct clients *clients;
  struct check *check;
  jmp_buf violated;
  char violation[400];
};

#define WORLD_BEGIN INT64_C(1767225600000000) /* 2026-01-01 */

void world_after(struct world *world, int64_t delay, event_run *run, void *subject, uint64_t detail);
void world_at(struct world *world, bus_time at, event_run *run, void *subject, uint64_t detail);

/* From the arena of the seed; never NULL. */
void *world_alloc(struct world *world, size_t size);
struct bus_str world_text(struct world *world, struct bus_str text);

/* The arena for rows that are written; NULL where a write is only tried. */
static inline struct bus_arena *world_keep(const struct world *world) {
  return world ? world->arena : NULL;
}

/* A line of the trace. */
#define TRACE(world, ...)                                                                                              \
  do {                                                                                                                 \
    if ((world)->traced)                                                                                               \
      world_trace((world), __VA_ARGS__);                                                                               \
  } while (0)
void world_trace(const struct world *world, const char *format, ...) BUS_PRINTF(2, 3);

/* Ends the seed: an invariant does not hold. */
_Noreturn void world_violate(struct world *world, const char *format, ...) BUS_PRINTF(2, 3);

/* Runs one seed in memory that is kept from seed to seed. True: every invariant held. */
struct run {
  struct bus_arena *arena, *scratch[WORKERS_MAX];
  struct event *heap;
  size_t heap_room;
  enum bug bug;
  bool traced;
  struct tally tally;
  char violation[400];
  bus_time violated_at; /* since the begin */
};
bool run_init(struct run *run);
void run_done(struct run *run);
bool run_seed(struct run *run, uint64_t seed);

static inline bool has_bug(const struct world *world, enum bug bug) {
  return world->bug == bug;
}

#endif
