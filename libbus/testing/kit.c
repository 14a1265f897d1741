/* A program under test: its clock, and the loop over its workers. */
#include "kit.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_LIMIT ((size_t)1 << 28)
#define REST_PATIENCE BUS_MINUTE /* for a batch that is tried again */
enum { TURNS_MAX = 100000, LIST_FIRST = 8 };

/* ---- what the parts share ---- */

void *kit_list_add(struct bus_test *test, struct kit_list *list, size_t size) {
  char *items = bus_arena_grow(test->arena, list->items, list->count * size, (list->count + 1) * size,
                               LIST_FIRST * size, &list->room);
  if (!items) {
    kit_no_memory(test);
    return NULL;
  }
  list->items = items;
  return items + size * list->count++;
}

void kit_fail(struct bus_test *test, enum bus_errc code, const char *format, ...) {
  char text[sizeof test->error.text];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (test->error.code == BUS_OK)
    (void)bus_fail(&test->error, code, "%s", text);
}

void kit_no_memory(struct bus_test *test) {
  kit_fail(test, BUS_E_NOMEM, "out of memory for a test");
}

/* ---- life ---- */

static bool add_workers(struct bus_test *test, struct bus_error *err) {
  const struct bus_program *program = test->program;
  return kit_worker_new(test, program->commands, BUS_QUEUE_WORK, err) &&
         kit_worker_new(test, program->requests, BUS_QUEUE_REQUEST, err) &&
         kit_worker_new(test, program->queries, BUS_QUEUE_QUERY, err);
}

bool bus_test_new(const struct bus_program *program, struct bus_test **ret, struct bus_error *err) {
  static const uint64_t seed[4] = {1, 2, 3, 4}; /* each run of a test is the same */
  if (!bus_topology_is_valid(program->topology, err))
    return false;
  struct bus_test *test = calloc(1, sizeof *test);
  if (!test)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a test");
  test->program = program;
  test->now = BUS_TEST_BEGIN;
  test->settings = (struct bus_worker_settings){BUS_WORKER_DEFAULTS};
  test->settings.gather_ms = 0;
  test->settings.bundle_max = 1; /* each message is one of bus_test_published */
  test->arena = bus_arena_new(ARENA_LIMIT);
  test->broker.end = &test->broker.letters;
  bus_uuid_source_init(&test->ids, seed);
  if (!test->arena ? !bus_fail(err, BUS_E_NOMEM, "out of memory for a test") : !add_workers(test, err)) {
    bus_test_free(test);
    return false;
  }
  *ret = test;
  return true;
}

void bus_test_free(struct bus_test *test) {
  if (!test)
    return;
  for (size_t i = 0; i < test->worker_count; i++)
    kit_worker_free(&test->workers[i]);
  bus_arena_free(test->arena);
  free(test);
}

/* ---- running ---- */

static bool turn(struct bus_test *test) {
  bool went_on = false;
  for (size_t i = 0; i < test->worker_count; i++)
    went_on |= kit_worker_turn(&test->workers[i]);
  return went_on;
}

/* False: it goes on without end. */
static bool turn_to_the_end(struct bus_test *test) {
  int turns = 0;
  while (turns < TURNS_MAX && test->error.code == BUS_OK && turn(test))
    turns++;
  return turns < TURNS_MAX;
}

static const struct bus_worker *one_at_work(const struct bus_test *test) {
  for (size_t i = 0; i < test->worker_count; i++)
    if (!kit_worker_rests(&test->workers[i]))
      return &test->workers[i];
  return NULL;
}

static bus_time next_wake(const struct bus_test *test) {
  bus_time next = INT64_MAX;
  for (size_t i = 0; i < test->worker_count; i++)
    next = test->workers[i].wake_at < next ? test->workers[i].wake_at : next;
  return next > test->now ? next : test->now + 1;
}

static bool fails(struct bus_test *test, struct bus_error *err) {
  if (err)
    *err = test->error;
  return false;
}

bool bus_test_run(struct bus_test *test, struct bus_error *err) {
  const struct bus_worker *worker = NULL;
  bus_time until = test->now + REST_PATIENCE;
  bool ends = turn_to_the_end(test);
  while (ends && test->error.code == BUS_OK && (worker = one_at_work(test)) != NULL && test->now < until) {
    test->now = next_wake(test);
    ends = turn_to_the_end(test);
  }
  if (!ends)
    kit_fail(test, BUS_E_TIMEOUT, "the program does not come to rest: its messages lead to further ones without end");
  else if (worker)
    kit_fail(test, BUS_E_TIMEOUT, "%s does not come to rest within a minute of the test's clock: it is %s",
             worker->service->name, bus_pipeline_phase(worker->pipeline));
  return test->error.code == BUS_OK || fails(test, err);
}

bool bus_test_advance(struct bus_test *test, int64_t milliseconds, struct bus_error *err) {
  assert(milliseconds >= 0);
  bus_time until = test->now + milliseconds * BUS_MILLISECOND;
  while (bus_test_run(test, err) && test->now < until) {
    bus_time wake = next_wake(test), due = kit_broker_next(test);
    bus_time next = due < wake && due > test->now ? due : wake;
    test->now = next < until ? next : until;
  }
  return test->error.code == BUS_OK;
}

bus_time bus_test_now(const struct bus_test *test) {
  return test->now;
}

struct bus_test_outcomes bus_test_outcomes(const struct bus_test *test) {
  return test->outcomes;
}
