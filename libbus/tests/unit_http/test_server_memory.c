/* Tests the memory of 256 threads after each has served a request: the process must stay small. */
#include <bus/clock.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

enum {
  THREADS = 256,
  LIMIT_KIB = 8 * 1024,
  STACK_BYTES = 102400,
  STACK_LIMIT_KIB = THREADS * 10,
  BUSY_STACK_LIMIT_KIB = THREADS * 21,
  BUSY_LIMIT_KIB = 9 * 1024
};

static long anonymous_kib(void) {
  char line[256];
  long kib = 0;
  FILE *file = fopen("/proc/self/status", "re");
  assert_non_null(file);
  while (fgets(line, sizeof line, file))
    if (strncmp(line, "RssAnon:", 8) == 0)
      kib = strtol(line + 8, NULL, 10);
  fclose(file);
  return kib;
}

/* "7f0000000000-7f0000019000 rw-p …": a mapping begins. → its size, or 0 where it is another line. */
static unsigned long mapping_size(const char *line) {
  char *dash, *space;
  unsigned long from = strtoul(line, &dash, 16), to = *dash == '-' ? strtoul(dash + 1, &space, 16) : 0;
  return to > 0 && *space == ' ' ? to - from : 0;
}

/* Resident memory of the stacks of civetweb's threads: mappings as large as the stacks that it makes. */
static long stacks_kib(void) {
  static const char label[] = "Anonymous:";
  char line[512];
  long total = 0;
  unsigned long size = 0, begun;
  FILE *file = fopen("/proc/self/smaps", "re");
  assert_non_null(file);
  while (fgets(line, sizeof line, file)) {
    if ((begun = mapping_size(line)) > 0)
      size = begun;
    else if (size == STACK_BYTES && strncmp(line, label, sizeof label - 1) == 0)
      total += strtol(line + sizeof label - 1, NULL, 10);
  }
  fclose(file);
  return total;
}

struct held {
  long anonymous, stacks;
};

/* Every thread holds a connection and serves a large body on it, all at once. → what is held while they wait for more
 */
static struct held serve_on_all(int port) {
  static struct raw_answer answer;
  static char request[20000];
  static int fds[THREADS];
  int len =
      snprintf(request, sizeof request,
               "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n");
  memset(request + len, 'x', 4000);
  for (int i = 0; i < THREADS; i++)
    fds[i] = raw_connect(port);
  for (int i = 0; i < THREADS; i++)
    raw_send(fds[i], request, (size_t)len + 4000);
  for (int i = 0; i < THREADS; i++) {
    raw_read_one(fds[i], 5000, false, &answer);
    assert_int_equal(raw_status(&answer), 200);
  }
  struct held held = {.anonymous = anonymous_kib(), .stacks = stacks_kib()};
  for (int i = 0; i < THREADS; i++)
    close(fds[i]);
  return held;
}

/* Threads give their stacks back when they have seen their connections end. */
static long anonymous_kib_at_rest(void) {
  long kib = anonymous_kib();
  for (int i = 0; i < 20 && (kib > LIMIT_KIB || stacks_kib() > STACK_LIMIT_KIB); i++) {
    usleep(100000);
    kib = anonymous_kib();
  }
  return kib;
}

TEST(two_hundred_and_fifty_six_threads_stay_below_eight_mib)
{
  if (SANITIZED)
    skip();
  mallopt(M_ARENA_MAX, 2); /* as the programs do */
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  long before = anonymous_kib();
  (void)serve_on_all(fixture.port);
  struct held busy = serve_on_all(fixture.port);
  long after = anonymous_kib_at_rest(), stacks = stacks_kib();
  print_message("RssAnon in KiB, and stacks of it: %ld at the start, %ld and %ld while every thread has served, "
                "%ld and %ld later\n",
                before, busy.anonymous, busy.stacks, after, stacks);
  assert_in_range(busy.anonymous, 1, BUSY_LIMIT_KIB);
  assert_in_range(busy.stacks, THREADS * 4, BUSY_STACK_LIMIT_KIB); /* five pages each: civetweb's frames lie in four */
  assert_in_range(after, 1, LIMIT_KIB);
  assert_in_range(stacks, THREADS * 4, STACK_LIMIT_KIB); /* each ends in a page that is always used */
  fixture_stop(&fixture);
}
