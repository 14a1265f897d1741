/* The loop of a thread that owns connections to the broker: it connects, serves, and connects again with backoff. */
#pragma once

#include <bus/backoff.h>

#include <stdatomic.h>

struct thread_loop {
  struct bus_rotation *hosts;
  const atomic_bool *stopping;
  int wake_fd; /* an eventfd: readable when stopping may have changed */
  bool (*connect)(void *context);
  void (*serve)(void *context); /* until the connection is lost, or the thread is to stop */
  void *context;
};

/* Returns when the thread is to stop. */
void thread_loop_run(const struct thread_loop *loop);
void thread_loop_take_wake(int wake_fd);
