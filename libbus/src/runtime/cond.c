/* Condition variables whose waits end by bus_monotonic. */
#include <bus/clock.h>

#include <time.h>

/* None of these calls can fail on Linux. */
void bus_cond_init(pthread_cond_t *cond) {
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(cond, &monotonic);
  pthread_condattr_destroy(&monotonic);
}

bool bus_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until) {
  struct timespec deadline = {.tv_sec = (time_t)(until / BUS_SECOND), .tv_nsec = (long)(until % BUS_SECOND * 1000)};
  return pthread_cond_timedwait(cond, lock, &deadline) == 0;
}
