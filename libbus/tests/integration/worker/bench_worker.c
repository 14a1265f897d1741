/* How many messages a second one worker carries from a full queue: a figure to watch, not a test. */
#include "toy.h"

#include <bus/clock.h>
#include <test.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MESSAGES = 40000, COUNTERS = 2000 };

static int64_t cpu_of(pthread_t thread) {
  clockid_t clock;
  struct timespec used = {0};
  if (pthread_getcpuclockid(thread, &clock) == 0)
    (void)clock_gettime(clock, &used);
  return used.tv_sec * BUS_SECOND + used.tv_nsec / 1000;
}

static void await_sum(struct toy *toy, int64_t sum) {
  while (toy_number(toy, "SELECT coalesce(sum(n), 0)::bigint FROM toy.counters") < sum)
    toy_sleep_ms(10);
}

TEST(carries_a_full_queue)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  for (unsigned i = 0; i < MESSAGES; i++)
    (void)toy_publish(&toy, i % COUNTERS, 1);
  toy_flush(&toy);
  int64_t began = bus_monotonic();
  toy_start(&toy, &run);
  await_sum(&toy, MESSAGES);
  int64_t took = bus_monotonic() - began, cpu = cpu_of(run.thread);
  print_message("%" PRId64 " messages/s, %" PRId64 ".%02" PRId64 " us of the worker's CPU a message\n",
                MESSAGES * BUS_SECOND / took, cpu / MESSAGES, cpu * 100 / MESSAGES % 100);
  toy_await(&toy, "SELECT count(*) FROM bus.outbox", 0, 10);
  toy_stop(&run);
  toy_teardown(&toy);
}
