/* The kernel's clocks and entropy. */
#include <bus/clock.h>
#include <bus/log.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_clock(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return now.tv_sec * BUS_SECOND + now.tv_nsec / 1000;
}

int64_t bus_monotonic(void) {
  return read_clock(CLOCK_MONOTONIC);
}

int64_t bus_monotonic_coarse(void) {
  return read_clock(CLOCK_MONOTONIC_COARSE);
}

bus_time bus_wall_clock(void) {
  return read_clock(CLOCK_REALTIME);
}

void bus_random_seed(uint64_t seed[4]) {
  unsigned char *bytes = (unsigned char *)seed;
  size_t wanted = 4 * sizeof seed[0];
  for (size_t have = 0; have < wanted;) {
    ssize_t got = getrandom(bytes + have, wanted - have, 0);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) {
      bus_log_last_text(BUS_STR("getrandom(2) failed: no entropy, so no unique ids\n"));
      abort();
    }
    have += (size_t)got;
  }
}
