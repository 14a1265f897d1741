/* A batch in memory when memory runs out at any place: it says so, or everything is there. */
#include "sample.h"

#include <bus/testing.h>
#include <test.h>
#include <torture.h>

enum { RETRIES_MS = 60000 }; /* a message without memory waits in a tier */
static const struct bus_uuid id = {{1}};

static bool is_whole(const struct bus_test *test) {
  const struct counter *counter = bus_test_row(test, &counter_table, &id);
  return counter && counter->n == 7 && bus_test_published_count(test) == 2 && bus_test_dead_count(test) == 0;
}

static bool one_batch(struct bus_arena *arena, const void *context) {
  struct bus_test *test = sample_test();
  (void)arena, (void)context;
  if (!test)
    return false;
  (void)BUS_TEST_SEND(test, counter_add, &id, &(struct counter_add){.counter = id, .by = 3});
  (void)BUS_TEST_SEND(test, counter_add, &id, &(struct counter_add){.counter = id, .by = 4});
  bool done = bus_test_run(test, NULL);
  bus_refusals_over();
  assert_true(!done || (bus_test_advance(test, RETRIES_MS, NULL) && is_whole(test)));
  bus_test_free(test);
  return done;
}

TEST(a_batch_in_memory)
{ torture(one_batch, NULL); }
