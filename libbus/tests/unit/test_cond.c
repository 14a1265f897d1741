/* Waits on condition variables end by bus_monotonic. */
#include <bus/clock.h>
#include <test.h>

struct shared {
  pthread_mutex_t lock;
  pthread_cond_t cond;
  bool set;
};

static bool wait_until(struct shared *shared, int64_t until) {
  bool more = true;
  pthread_mutex_lock(&shared->lock);
  while (!shared->set && more)
    more = bus_cond_wait(&shared->cond, &shared->lock, until);
  pthread_mutex_unlock(&shared->lock);
  return more;
}

static void *set_it(void *context) {
  struct shared *shared = context;
  pthread_mutex_lock(&shared->lock);
  shared->set = true;
  pthread_cond_signal(&shared->cond);
  pthread_mutex_unlock(&shared->lock);
  return NULL;
}

TEST(a_wait_ends_at_its_time_and_not_before)
{
  struct shared shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
  int64_t until = bus_monotonic() + 30 * BUS_MILLISECOND;
  bus_cond_init(&shared.cond);
  assert_false(wait_until(&shared, until));
  assert_true(bus_monotonic() >= until && bus_monotonic() < until + 60 * BUS_SECOND);
  pthread_cond_destroy(&shared.cond);
}

TEST(a_time_in_the_past_ends_a_wait_at_once)
{
  struct shared shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
  bus_cond_init(&shared.cond);
  assert_false(wait_until(&shared, 0));
  assert_false(wait_until(&shared, -BUS_SECOND - 1));
  pthread_cond_destroy(&shared.cond);
}

TEST(a_signal_ends_a_wait)
{
  struct shared shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
  pthread_t thread;
  bus_cond_init(&shared.cond);
  assert_int_equal(pthread_create(&thread, NULL, set_it, &shared), 0);
  assert_true(wait_until(&shared, bus_monotonic() + 60 * BUS_SECOND));
  pthread_join(thread, NULL);
  pthread_cond_destroy(&shared.cond);
}
