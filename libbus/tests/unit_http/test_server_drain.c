/* The end of a server: what clients see of it. */
#include <bus/clock.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

static const char get[] = "GET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n";

struct ending {
  struct fixture *fixture;
  int64_t serve_ms, kept_ms, took;
  pthread_t thread;
  atomic_bool ended;
};

static void *end(void *context) {
  struct ending *ending = context;
  int64_t began = bus_monotonic();
  bus_http_server_drain(ending->fixture->server, ending->serve_ms, ending->kept_ms);
  fixture_stop(ending->fixture);
  ending->took = bus_monotonic() - began;
  atomic_store(&ending->ended, true);
  return NULL;
}

static void begin_end(struct ending *ending) {
  assert_int_equal(pthread_create(&ending->thread, NULL, end, ending), 0);
}

static void ask(int fd, bool stays_open) {
  static struct raw_answer answer;
  raw_send(fd, get, sizeof get - 1);
  raw_read_one(fd, 5000, false, &answer);
  assert_int_equal(raw_status(&answer), 200);
  assert_int_equal(raw_has_line(&answer, "Connection: close"), !stays_open);
}

TEST(a_kept_connection_gets_one_more_answer_after_the_drain_began)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  struct ending ending = {.fixture = &fixture, .serve_ms = 0, .kept_ms = 20000};
  int first = raw_connect(fixture.port), second = raw_connect(fixture.port);
  ask(first, true);
  ask(second, true);
  begin_end(&ending);
  usleep(300000);
  ask(first, false);
  usleep(300000);
  assert_false(atomic_load(&ending.ended)); /* the second one is kept still */
  ask(second, false);
  pthread_join(ending.thread, NULL);
  assert_true(ending.took < 3 * BUS_SECOND);
  close(first);
  close(second);
}

TEST(new_connections_are_served_while_the_server_drains)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  struct ending ending = {.fixture = &fixture, .serve_ms = 1500, .kept_ms = 1500};
  begin_end(&ending);
  usleep(100000);
  for (int i = 0; i < 20; i++) {
    int fd = raw_connect(fixture.port);
    ask(fd, false);
    close(fd);
  }
  assert_false(atomic_load(&ending.ended));
  pthread_join(ending.thread, NULL);
  assert_true(ending.took > 1400 * BUS_MILLISECOND && ending.took < 4 * BUS_SECOND);
}

TEST(a_connection_that_stays_idle_ends_the_drain_at_its_limit)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){0});
  struct ending ending = {.fixture = &fixture, .serve_ms = 0, .kept_ms = 1000};
  int fd = raw_connect(fixture.port);
  ask(fd, true);
  begin_end(&ending);
  raw_read_to_end(fd, 5000, &answer);
  assert_true(answer.closed && answer.len == 0);
  pthread_join(ending.thread, NULL);
  assert_true(ending.took > 900 * BUS_MILLISECOND && ending.took < 3 * BUS_SECOND);
  close(fd);
}

/* Two threads are busy for 0.4 s, and the requests of sixteen more connections wait in the kernel. */
TEST(requests_that_have_arrived_are_answered_by_a_stop)
{
  static const char slow[] = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";
  static struct raw_answer answer;
  int fds[18];
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = 2});
  struct ending ending = {.fixture = &fixture};
  for (size_t i = 0; i < BUS_COUNT(fds); i++) {
    fds[i] = raw_connect(fixture.port);
    raw_send(fds[i], slow, sizeof slow - 1);
  }
  while (fixture_handled() == 0)
    usleep(1000);
  begin_end(&ending);
  for (size_t i = 0; i < BUS_COUNT(fds); i++) {
    raw_read_to_end(fds[i], 9000, &answer);
    assert_int_equal(raw_status(&answer), 200);
    assert_true(raw_has_line(&answer, "Connection: close"));
    close(fds[i]);
  }
  pthread_join(ending.thread, NULL);
}

/* ---- clients that go on asking, as behind a proxy ---- */
struct asker {
  pthread_t thread;
  int port, answered, refused, failed;
};

/* On a new connection each time, until there is none to be had. */
static void *ask_until_refused(void *context) {
  struct asker *asker = context;
  struct raw_answer *answer = calloc(1, sizeof *answer);
  assert_non_null(answer);
  for (int fd; (fd = raw_try_connect(asker->port)) >= 0; close(fd)) {
    raw_send(fd, get, sizeof get - 1);
    raw_read_one(fd, 5000, false, answer);
    *(raw_status(answer) == 200 ? &asker->answered : &asker->failed) += 1;
  }
  asker->refused++;
  free(answer);
  return NULL;
}

TEST(a_connection_that_was_made_is_answered_however_close_the_end)
{
  for (int round = 0; round < 5; round++) {
    struct asker askers[8];
    struct fixture fixture = fixture_start((struct bus_http_settings){0});
    struct ending ending = {.fixture = &fixture, .serve_ms = 50 + 7 * round, .kept_ms = 50};
    for (size_t i = 0; i < BUS_COUNT(askers); i++) {
      askers[i] = (struct asker){.port = fixture.port};
      assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_until_refused, &askers[i]), 0);
    }
    begin_end(&ending);
    pthread_join(ending.thread, NULL);
    for (size_t i = 0; i < BUS_COUNT(askers); i++) {
      pthread_join(askers[i].thread, NULL);
      assert_int_equal(askers[i].failed, 0);
      assert_int_equal(askers[i].refused, 1);
      assert_true(askers[i].answered > 0);
    }
  }
}
