/* Who may hold a thread: kept connections, clients that are let wait, and everyone else. */
#include <bus/clock.h>
#include <bus/metrics.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

enum { THREADS = 8, KEPT = THREADS / 2, HELD = THREADS / 4 };

static const char get[] = "GET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n";
static const char get_and_close[] = "GET /item/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/* → whether the connection stays open */
static bool ask(int fd, const char *request) {
  struct raw_answer *answer = calloc(1, sizeof *answer);
  assert_non_null(answer);
  raw_send(fd, request, strlen(request));
  raw_read_one(fd, 10000, false, answer);
  assert_int_equal(raw_status(answer), 200);
  bool stays_open = !raw_has_line(answer, "Connection: close");
  free(answer);
  return stays_open;
}

static int keep_half(int port, int kept[KEPT]) {
  for (int i = 0; i < KEPT; i++) {
    kept[i] = raw_connect(port);
    if (!ask(kept[i], get))
      return i;
  }
  return KEPT;
}

static int64_t shown(const char *name, const char *const *labels) {
  const struct bus_metric_spec spec = {.name = name, .kind = BUS_GAUGE}; /* it is registered already */
  return bus_series_value(bus_metric_series(bus_metric_register(&spec), labels));
}

static int64_t connections(const char *state) {
  return shown("http_connections", (const char *const[]){"places", state});
}

static bool comes_to(const char *state, int64_t count) {
  for (int i = 0; i < 500 && connections(state) != count; i++)
    usleep(10000);
  return connections(state) == count;
}

TEST(connections_are_shown_while_they_last)
{
  int kept[KEPT];
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS, .metrics_name = "places"});
  assert_int_equal(shown("http_threads", (const char *const[]){"places"}), THREADS);
  assert_int_equal(connections("open"), 0);
  assert_int_equal(keep_half(fixture.port, kept), KEPT);
  assert_int_equal(connections("open"), KEPT);
  assert_true(comes_to("kept", KEPT));
  assert_int_equal(connections("held"), 0);
  close(kept[0]);
  assert_true(comes_to("open", KEPT - 1));
  assert_true(comes_to("kept", KEPT - 1));
  for (int i = 1; i < KEPT; i++)
    close(kept[i]);
  assert_true(comes_to("open", 0));
  fixture_stop(&fixture);
}

TEST(kept_connections_hold_half_of_the_threads_and_others_are_told_to_close)
{
  int kept[KEPT];
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  assert_int_equal(keep_half(fixture.port, kept), KEPT);
  for (int i = 0; i < 3 * THREADS; i++) {
    int fd = raw_connect(fixture.port);
    assert_false(ask(fd, get));
    close(fd);
  }
  for (int i = 0; i < KEPT; i++)
    assert_true(ask(kept[i], get));
  close(kept[0]);
  bool taken = false; /* once the server has seen the close, its place is free */
  for (int i = 0; i < 100 && !taken; i++) {
    int fd = raw_connect(fixture.port);
    taken = ask(fd, get);
    close(fd);
    usleep(10000);
  }
  assert_true(taken);
  fixture_stop(&fixture);
}

TEST(a_kept_connection_is_still_open_after_three_seconds)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  int fd = raw_connect(fixture.port);
  assert_true(ask(fd, get));
  sleep(3);
  assert_true(ask(fd, get));
  close(fd);
  fixture_stop(&fixture);
}

/* ---- clients that are let wait ---- */
static void *wait_held(void *context) {
  const char *request = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n";
  struct raw_answer *answer = calloc(1, sizeof *answer);
  assert_non_null(answer);
  int fd = raw_connect(*(int *)context);
  raw_send(fd, request, strlen(request));
  raw_read_one(fd, 10000, false, answer);
  close(fd);
  return answer;
}

TEST(clients_that_are_let_wait_hold_a_quarter_of_the_threads)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  pthread_t waiting[HELD];
  struct raw_answer *answer;
  for (int i = 0; i < HELD; i++) {
    assert_int_equal(pthread_create(&waiting[i], NULL, wait_held, &fixture.port), 0);
    while (fixture_handled() <= i)
      usleep(1000);
  }
  answer = wait_held(&fixture.port);
  assert_string_equal(raw_body(answer), "at once");
  free(answer);
  fixture_stop(&fixture);
  for (int i = 0; i < HELD; i++) {
    pthread_join(waiting[i], (void **)&answer);
    assert_string_equal(raw_body(answer), "held");
    free(answer);
  }
}

TEST(idle_and_waiting_clients_leave_a_quarter_of_the_threads)
{
  int kept[KEPT];
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  pthread_t waiting[HELD];
  void *answer;
  assert_int_equal(keep_half(fixture.port, kept), KEPT);
  int before = fixture_handled();
  for (int i = 0; i < HELD; i++) {
    assert_int_equal(pthread_create(&waiting[i], NULL, wait_held, &fixture.port), 0);
    while (fixture_handled() <= before + i)
      usleep(1000);
  }
  for (int i = 0; i < 50; i++) {
    const struct raw_answer *one = raw_talk(fixture.port, get_and_close, 5000);
    assert_int_equal(raw_status(one), 200);
    assert_true(one->duration < BUS_SECOND);
  }
  fixture_stop(&fixture);
  for (int i = 0; i < HELD; i++) {
    pthread_join(waiting[i], &answer);
    free(answer);
  }
}

/* ---- requests in progress ---- */
TEST(R4_requests_beyond_those_in_progress_are_refused_and_probes_are_not)
{
  enum { WORK = 4, AGE_MS = 2000 };
  static const char hang[] = "GET /hang HTTP/1.1\r\nHost: a\r\n\r\n";
  static const char probe[] = "GET /probe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  struct fixture fixture =
      fixture_start((struct bus_http_settings){.threads = 16, .work_max = WORK, .work_age_ms = AGE_MS});
  int busy[WORK];
  for (int i = 0; i < WORK; i++) {
    busy[i] = raw_connect(fixture.port);
    raw_send(busy[i], hang, sizeof hang - 1);
  }
  assert_int_equal(raw_status(raw_talk(fixture.port, get_and_close, 5000)), 200); /* those in progress are young */
  usleep((AGE_MS + 500) * 1000);
  const struct raw_answer *refused = raw_talk(fixture.port, get_and_close, 5000);
  assert_int_equal(raw_status(refused), 503);
  assert_true(raw_has_line(refused, "Retry-After: 1"));
  assert_int_equal(raw_status(raw_talk(fixture.port, probe, 5000)), 200);
  for (int i = 0; i < WORK; i++)
    close(busy[i]);
  while (fixture_handled() < WORK + 1)
    usleep(1000);
  usleep(50000);
  assert_int_equal(raw_status(raw_talk(fixture.port, get_and_close, 5000)), 200);
  fixture_stop(&fixture);
}

/* ---- a crowd ---- */
enum { CROWD = 100, CROWD_SECONDS = 3 };

struct busy_client {
  pthread_t thread;
  int port;
  int64_t until, longest;
  int served;
};

/* Asks again as soon as it was answered, on the same connection as long as that is kept. */
static void *keep_busy(void *context) {
  struct busy_client *client = context;
  int fd = -1;
  for (int64_t began; (began = bus_monotonic()) < client->until;) {
    if (fd < 0)
      fd = raw_connect(client->port);
    if (!ask(fd, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")) {
      close(fd);
      fd = -1;
    }
    int64_t took = bus_monotonic() - began;
    client->longest = took > client->longest ? took : client->longest;
    client->served++;
  }
  if (fd >= 0)
    close(fd);
  return NULL;
}

static int compare_served(const void *a, const void *b) {
  return ((const struct busy_client *)a)->served - ((const struct busy_client *)b)->served;
}

/* 100 clients on 32 threads, each answer after 0.4 s: a round of all of them takes 1.25 s, and four rounds pass. */
TEST(busy_connections_beyond_the_threads_take_turns)
{
  static struct busy_client clients[CROWD];
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = 32});
  for (int i = 0; i < CROWD; i++) {
    clients[i] = (struct busy_client){.port = fixture.port, .until = bus_monotonic() + 5 * BUS_SECOND};
    assert_int_equal(pthread_create(&clients[i].thread, NULL, keep_busy, &clients[i]), 0);
  }
  for (int i = 0; i < CROWD; i++)
    pthread_join(clients[i].thread, NULL);
  fixture_stop(&fixture);
  qsort(clients, CROWD, sizeof clients[0], compare_served);
  print_message("served: least %d, median %d, most %d\n", clients[0].served, clients[CROWD / 2].served,
                clients[CROWD - 1].served);
  assert_true(2 * clients[0].served >= clients[CROWD / 2].served);
  assert_true(clients[CROWD - 1].served <= clients[0].served + 3);
}
