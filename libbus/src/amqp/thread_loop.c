/* Connects, serves, and connects again with backoff, at the next host. */
#include "thread_loop.h"

#include <bus/clock.h>
#include <bus/uuid.h>

#include <poll.h>
#include <sys/eventfd.h>

enum { STABLE_MS = 10000 };

void thread_loop_take_wake(int wake_fd) {
  eventfd_t count;
  (void)eventfd_read(wake_fd, &count); /* none there is as good */
}

static void wait_before_next_try(const struct thread_loop *loop, int64_t delay) {
  int64_t until = bus_monotonic() + delay, left;
  while (!atomic_load(loop->stopping) && (left = until - bus_monotonic()) > 0) {
    struct pollfd fd = {.fd = loop->wake_fd, .events = POLLIN};
    (void)poll(&fd, 1, (int)(left / BUS_MILLISECOND) + 1); /* interrupted is as good */
    thread_loop_take_wake(loop->wake_fd);
  }
}

void thread_loop_run(const struct thread_loop *loop) {
  uint64_t seed[4];
  struct bus_uuid_source random;
  bus_random_seed(seed);
  bus_uuid_source_init(&random, seed);
  while (!atomic_load(loop->stopping)) {
    int64_t began = bus_monotonic();
    if (loop->connect(loop->context))
      loop->serve(loop->context);
    if (bus_monotonic() - began > STABLE_MS * BUS_MILLISECOND) /* else what refuses us is asked less and less often */
      bus_rotation_reset(loop->hosts);
    wait_before_next_try(loop, bus_rotation_next(loop->hosts, bus_uuid_source_random(&random)));
  }
}
