/* The event heap, and one seed from its beginning to its end. */
#include "world.h"

#include "broker.h"
#include "check.h"
#include "clients.h"
#include "faults.h"
#include "hooks.h"
#include "psp.h"
#include "worker.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_LIMIT ((size_t)256 << 20)
#define END_AFTER (4 * BUS_HOUR) /* of the last fault: retry tiers, slow retries, clocks that went back */
enum { EVENTS_MAX = 500000 };

static struct world *present; /* for what the services' asserts say */

/* ---- events ---- */

static bool is_before(const struct event *a, const struct event *b) {
  return a->at < b->at || (a->at == b->at && a->number < b->number);
}

static void grow(struct world *world) {
  size_t room = world->heap_room ? world->heap_room * 2 : 1024;
  struct event *heap = realloc(world->heap, room * sizeof *heap);
  if (!heap)
    abort();
  world->heap = heap;
  world->heap_room = room;
}

void world_at(struct world *world, bus_time at, event_run *run, void *subject, uint64_t detail) {
  const struct event event = {at < world->now ? world->now : at, world->next_number++, run, subject, detail};
  if (world->heap_count == world->heap_room)
    grow(world);
  size_t place = world->heap_count++;
  for (; place > 0 && is_before(&event, &world->heap[(place - 1) / 2]); place = (place - 1) / 2)
    world->heap[place] = world->heap[(place - 1) / 2];
  world->heap[place] = event;
}

void world_after(struct world *world, int64_t delay, event_run *run, void *subject, uint64_t detail) {
  world_at(world, world->now + delay, run, subject, detail);
}

static struct event take_first(struct world *world) {
  struct event first = world->heap[0], last = world->heap[--world->heap_count];
  size_t place = 0;
  for (;;) {
    size_t child = 2 * place + 1;
    if (child >= world->heap_count)
      break;
    if (child + 1 < world->heap_count && is_before(&world->heap[child + 1], &world->heap[child]))
      child++;
    if (!is_before(&world->heap[child], &last))
      break;
    world->heap[place] = world->heap[child];
    place = child;
  }
  world->heap[place] = last;
  return first;
}

/* ---- memory, trace, violations ---- */

void *world_alloc(struct world *world, size_t size) {
  void *memory = bus_arena_alloc(world->arena, size);
  if (!memory)
    world_violate(world, "a seed takes more than %zu MiB", ARENA_LIMIT >> 20);
  return memory;
}

struct bus_str world_text(struct world *world, struct bus_str text) {
  struct bus_str copy = bus_arena_copy(world->arena, text);
  if (!copy.data)
    world_violate(world, "a seed takes more than %zu MiB", ARENA_LIMIT >> 20);
  return copy;
}

void world_trace(const struct world *world, const char *format, ...) {
  int64_t time = world->now - world->begin;
  va_list args;
  printf("%6" PRId64 ".%06" PRId64 " ", time / BUS_SECOND, time % BUS_SECOND);
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  putchar('\n');
}

_Noreturn void world_violate(struct world *world, const char *format, ...) {
  va_list args;
  va_start(args, format);
  (void)vsnprintf(world->violation, sizeof world->violation, format, args); /* a cut text still says it */
  va_end(args);
  longjmp(world->violated, 1); // NOLINT(cert-err52-cpp,misc-*): out of whatever depth it was seen in
}

#ifdef NDEBUG
_Noreturn void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function);
#endif

/* An assertion of a service is an invariant, too: in production the process would end before it commits. */
_Noreturn void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function) {
  const char *name = strrchr(file, '/');
  if (present)
    world_violate(present, "assertion failed in %s: %s", name ? name + 1 : file, assertion);
  fprintf(stderr, "%s:%u: %s: %s\n", file, line, function, assertion);
  abort();
}

/* ---- a seed ---- */

static void begin(struct world *world, struct bus_arena *const *scratch) {
  world->now = world->begin = WORLD_BEGIN;
  world->databases = world_alloc(world, DATABASES * sizeof *world->databases);
  plan_draw(&world->plan, &world->random);
  world->settings = (struct bus_worker_settings){BUS_WORKER_DEFAULTS};
  world->settings.batch_max = world->plan.batch_max;
  world->settings.bundle_max = world->plan.bundle_max;
  world->settings.gather_ms = world->plan.gather_ms;
  world->settings.give_up_ms = world->plan.give_up / BUS_MILLISECOND;
  world->settings.blame_after_ms = world->plan.blame_after / BUS_MILLISECOND;
  world->alone = world->settings;
  world->alone.bundle_max = 1;
  world->checks_parts = true;
  for (int i = 0; i < DATABASES; i++)
    database_init(world, &world->databases[i], i);
  broker_init(world);
  psp_init(world);
  hooks_init(world);
  workers_init(world, scratch);
  edges_init(world);
  clients_init(world);
  check_init(world);
  faults_init(world);
}

static void live(struct world *world) {
  for (int64_t count = 0; world->heap_count > 0; count++) {
    struct event event = take_first(world);
    world->now = event.at;
    world->tally->events++;
    if (count > EVENTS_MAX || world->now > world->begin + world->plan.faults_for + END_AFTER)
      check_overdue(world);
    event.run(world, event.subject, event.detail);
  }
  check_end(world);
}

bool run_init(struct run *run) {
  *run = (struct run){.bug = BUG_NONE};
  run->arena = bus_arena_new(ARENA_LIMIT);
  for (size_t i = 0; i < WORKERS_MAX; i++)
    run->scratch[i] = bus_arena_new(ARENA_LIMIT);
  for (size_t i = 0; i < WORKERS_MAX; i++)
    if (!run->arena || !run->scratch[i])
      return false;
  return true;
}

void run_done(struct run *run) {
  bus_arena_free(run->arena);
  for (size_t i = 0; i < WORKERS_MAX; i++)
    bus_arena_free(run->scratch[i]);
  free(run->heap);
}

bool run_seed(struct run *run, uint64_t seed) {
  struct world *world;
  bus_arena_reset(run->arena);
  for (size_t i = 0; i < WORKERS_MAX; i++)
    bus_arena_reset(run->scratch[i]);
  world = bus_arena_alloc(run->arena, sizeof *world);
  if (!world)
    abort();
  world->seed = world->random.state = seed;
  world->arena = run->arena;
  world->heap = run->heap;
  world->heap_room = run->heap_room;
  world->bug = run->bug;
  world->traced = run->traced;
  world->tally = &run->tally;
  run->violation[0] = '\0';
  present = world;
  if (setjmp(world->violated) == 0) { // NOLINT(cert-err52-cpp): see world_violate
    begin(world, run->scratch);
    live(world);
  } else {
    world = present;
    memcpy(run->violation, world->violation, sizeof run->violation);
    run->violated_at = world->now - world->begin;
  }
  present = NULL;
  run->heap = world->heap;
  run->heap_room = world->heap_room;
  run->tally.seeds++;
  run->tally.virtual_time += world->now - world->begin;
  psp_done(world);
  edges_done(world);
  workers_done(world);
  return run->violation[0] == '\0';
}
