/* Descriptors: enough for the threads, or no start; and what happens when others have taken them. Not for the thread
 * sanitizer: it does not see how civetweb's threads wait for each other, and takes close() for a race with dup3(). */
#include <bus/clock.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

enum { THREADS = 8 };

static const char get_and_close[] = "GET /item/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

static rlim_t set_limit(rlim_t soft, rlim_t hard) {
  struct rlimit limit = {soft, hard};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  return limit.rlim_cur;
}

TEST(a_soft_limit_of_descriptors_that_is_too_low_is_raised)
{
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  set_limit(40, limit.rlim_max);
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_true(limit.rlim_cur >= THREADS + 40);
  fixture_stop(&fixture);
}

TEST(too_few_descriptors_for_the_threads_stop_the_start)
{
  const struct bus_http_settings settings = {.bind = "127.0.0.1", .threads = 256};
  struct bus_http_server *server = NULL;
  struct bus_error err;
  set_limit(100, 100);
  assert_false(bus_http_server_start(&settings, NULL, 0, NULL, &server, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_non_null(strstr(err.text, "256 HTTP threads need 320 file descriptors, and the process may have 100"));
  assert_null(server);
}

static int64_t processor_time(void) {
  struct timespec used;
  assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used), 0);
  return used.tv_sec * BUS_SECOND + used.tv_nsec / 1000;
}

enum { DESCRIPTORS = 120 };

/* Until there is none. → how many were opened */
static size_t take_all_descriptors(int taken[DESCRIPTORS]) {
  size_t count = 0;
  while (count < DESCRIPTORS && (taken[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
    count++;
  return count;
}

/* The clients' sockets are there before the last descriptor is gone; the server's are made when they speak. */
TEST(without_descriptors_new_connections_wait_and_nothing_spins)
{
  static struct raw_answer answer;
  int clients[4], taken[DESCRIPTORS];
  struct rlimit usual;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
  set_limit(DESCRIPTORS, usual.rlim_max);
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  for (size_t i = 0; i < BUS_COUNT(clients); i++)
    clients[i] = raw_connect(fixture.port);
  size_t count = take_all_descriptors(taken);
  for (size_t i = 0; i < BUS_COUNT(clients); i++)
    raw_send(clients[i], get_and_close, sizeof get_and_close - 1);
  sleep(1); /* by now the watch has seen it */
  int64_t used = processor_time();
  sleep(2);
  used = processor_time() - used;
  print_message("%lld ms of a processor in 2 s\n", (long long)(used / BUS_MILLISECOND));
  assert_true(used < 200 * BUS_MILLISECOND);
  for (size_t i = 0; i < count; i++)
    close(taken[i]);
  for (size_t i = 0; i < BUS_COUNT(clients); i++) {
    raw_read_one(clients[i], 5000, false, &answer);
    assert_int_equal(raw_status(&answer), 200);
    close(clients[i]);
  }
  fixture_stop(&fixture);
}
