/* Clients that hold threads: civetweb alone would serve nobody else for as long as they please. */
#include <bus/clock.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "test.h"

enum { THREADS = 8, DEADLINE_MS = 2000 };

struct slow_client {
  int port;
  pthread_t thread;
  struct raw_answer answer;
};

/* Sends the text at once and then one byte a quarter of a second, until the server has had enough. */
static void drip(struct slow_client *client, const char *text) {
  int64_t started = bus_monotonic();
  int fd = raw_connect(client->port);
  raw_send(fd, text, strlen(text));
  do {
    raw_read_to_end(fd, 250, &client->answer);
    if (client->answer.len == 0)
      raw_send(fd, "x", 1);
  } while (client->answer.len == 0 && !client->answer.closed && bus_monotonic() - started < 20 * BUS_SECOND);
  client->answer.duration = bus_monotonic() - started;
  char rest;
  client->answer.closed = client->answer.closed || recv(fd, &rest, 1, 0) <= 0;
  close(fd);
}

static void *drip_body(void *context) {
  drip(context, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n");
  return NULL;
}

static void *drip_head(void *context) {
  drip(context, "POST /echo HTTP/1.1\r\nHost: a\r\nX-Long: ");
  return NULL;
}

/* So many clients drip; a normal one is served within victim_ms. → each of them was cut between `soonest` and `latest`
 * after its begin. */
static void hold_threads(int count, void *(*hold)(void *), int status, int64_t soonest, int64_t latest) {
  static struct slow_client clients[3 * THREADS];
  struct fixture fixture =
      fixture_start((struct bus_http_settings){.threads = THREADS, .body_deadline_ms = DEADLINE_MS});
  for (int i = 0; i < count; i++) {
    clients[i] = (struct slow_client){.port = fixture.port};
    assert_int_equal(pthread_create(&clients[i].thread, NULL, hold, &clients[i]), 0);
  }
  usleep(50000);
  const struct raw_answer *victim =
      raw_talk(fixture.port, "GET /item/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 15000);
  assert_int_equal(raw_status(victim), 200);
  assert_true(victim->duration < (DEADLINE_MS - 500) * BUS_MILLISECOND);
  int cut = 0;
  for (int i = 0; i < count; i++) {
    pthread_join(clients[i].thread, NULL);
    assert_true(raw_status(&clients[i].answer) == status || raw_status(&clients[i].answer) == 0);
    assert_true(clients[i].answer.closed);
    assert_true(clients[i].answer.duration < (2 * DEADLINE_MS + 1000) * BUS_MILLISECOND);
    cut += clients[i].answer.duration > soonest && clients[i].answer.duration < latest;
  }
  assert_in_range(cut, count - THREADS + THREADS / 4, count);
  fixture_stop(&fixture);
}

static void hold_few(void *(*hold)(void *), int status) {
  hold_threads(THREADS - THREADS / 4, hold, status, (DEADLINE_MS - 500) * BUS_MILLISECOND, INT64_MAX);
}

/* A quarter of the threads stays free of those that are cut; the others have the whole deadline. */
static void hold_many(void *(*hold)(void *), int status) {
  hold_threads(3 * THREADS, hold, status, 80 * BUS_MILLISECOND, (DEADLINE_MS - 500) * BUS_MILLISECOND);
}

TEST(e2_slow_bodies_hold_no_thread_beyond_the_deadline)
{ hold_few(drip_body, 408); }

TEST(slow_heads_hold_no_thread_beyond_the_deadline)
{ hold_few(drip_head, 400); }

TEST(E2_slow_bodies_are_cut_early_while_few_threads_are_free)
{ hold_many(drip_body, 408); }

TEST(E2_slow_heads_are_cut_early_while_few_threads_are_free)
{ hold_many(drip_head, 400); }

/* Before and after the kernel hands the silent ones over. */
static void answer_beside_silent_ones(int64_t silent_for) {
  int silent[4 * THREADS];
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  for (size_t i = 0; i < BUS_COUNT(silent); i++)
    silent[i] = raw_connect(fixture.port);
  usleep((useconds_t)silent_for);
  const struct raw_answer *victim =
      raw_talk(fixture.port, "GET /item/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 15000);
  assert_int_equal(raw_status(victim), 200);
  assert_true(victim->duration < 500 * BUS_MILLISECOND);
  for (size_t i = 0; i < BUS_COUNT(silent); i++)
    close(silent[i]);
  fixture_stop(&fixture);
}

TEST(e15_silent_connections_give_way_to_others)
{
  answer_beside_silent_ones(0);
  answer_beside_silent_ones(1050 * BUS_MILLISECOND);
  answer_beside_silent_ones(2 * BUS_SECOND);
}

TEST(a_silent_connection_is_answered_when_it_speaks)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  int fd = raw_connect(fixture.port);
  const char *request = "GET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n";
  sleep(4); /* longer than a head may take */
  raw_send(fd, request, strlen(request));
  raw_read_one(fd, 5000, false, &answer);
  assert_int_equal(raw_status(&answer), 200);
  close(fd);
  fixture_stop(&fixture);
}

/* Pools of Node's and Go's HTTP clients switch keepalive on. */
static void answer_with_keepalive_after(int64_t silent_for) {
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  int fd = raw_connect(fixture.port), on = 1, seconds = 1;
  assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on), 0);
  assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds), 0);
  const char *request = "GET /item/7 HTTP/1.1\r\nHost: a\r\n\r\n";
  usleep((useconds_t)silent_for);
  raw_send(fd, request, strlen(request));
  raw_read_one(fd, 1000, false, &answer);
  assert_int_equal(raw_status(&answer), 200);
  close(fd);
  fixture_stop(&fixture);
}

TEST(a_connection_with_keepalive_is_answered_when_it_speaks)
{
  answer_with_keepalive_after(980 * BUS_MILLISECOND);
  answer_with_keepalive_after(1020 * BUS_MILLISECOND);
  answer_with_keepalive_after(2500 * BUS_MILLISECOND); /* the client's kernel has sent probes */
}

/* Clients that ask for more than the sockets between take, and read none of it. */
static void hold_by_not_reading(const char *request) {
  int greedy[THREADS];
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  for (int i = 0; i < THREADS; i++) {
    greedy[i] = raw_connect(fixture.port);
    raw_send(greedy[i], request, strlen(request));
  }
  const struct raw_answer *victim =
      raw_talk(fixture.port, "GET /item/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 15000);
  assert_int_equal(raw_status(victim), 200);
  assert_true(victim->duration < 5 * BUS_SECOND);
  for (int i = 0; i < THREADS; i++)
    close(greedy[i]);
  fixture_stop(&fixture);
}

TEST(clients_that_do_not_read_their_answer_hold_no_thread)
{ hold_by_not_reading("GET /huge HTTP/1.1\r\nHost: a\r\n\r\n"); }

TEST(clients_that_do_not_read_a_stream_hold_a_quarter_of_the_threads)
{ hold_by_not_reading("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n"); }

/* Reads a little every now and then: each write of the server makes some progress. */
static void *sip(void *context) {
  static const char request[] = "GET /huge HTTP/1.1\r\nHost: a\r\n\r\n";
  struct slow_client *client = context;
  char piece[32768];
  int fd = raw_connect(client->port), got = 1;
  raw_send(fd, request, sizeof request - 1);
  int64_t began = bus_monotonic();
  while (got > 0 && bus_monotonic() - began < 20 * BUS_SECOND) {
    got = (int)recv(fd, piece, sizeof piece, 0);
    usleep(50000);
  }
  client->answer.duration = bus_monotonic() - began;
  close(fd);
  return NULL;
}

TEST(clients_that_read_their_answer_in_sips_give_way_to_others)
{
  static struct slow_client clients[THREADS];
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = THREADS});
  for (int i = 0; i < THREADS; i++) {
    clients[i].port = fixture.port;
    assert_int_equal(pthread_create(&clients[i].thread, NULL, sip, &clients[i]), 0);
  }
  usleep(300000);
  const struct raw_answer *victim =
      raw_talk(fixture.port, "GET /item/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 15000);
  assert_int_equal(raw_status(victim), 200);
  assert_true(victim->duration < 5 * BUS_SECOND);
  fixture_stop(&fixture);
  for (int i = 0; i < THREADS; i++)
    pthread_join(clients[i].thread, NULL);
}

TEST(e2_a_body_that_stops_is_a_408)
{
  static struct raw_answer answer;
  struct fixture fixture = fixture_start((struct bus_http_settings){.body_deadline_ms = 1000});
  const char *request =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n01234";
  int fd = raw_connect(fixture.port);
  raw_send(fd, request, strlen(request));
  raw_read_to_end(fd, 5000, &answer);
  assert_int_equal(raw_status(&answer), 408);
  assert_true(answer.closed);
  assert_true(answer.duration > 900000 && answer.duration < 3000000);
  close(fd);
  fixture_stop(&fixture);
}

TEST(a_client_that_goes_in_the_middle_of_its_body_is_forgotten)
{
  struct fixture fixture = fixture_start((struct bus_http_settings){.threads = 1});
  const char *request =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n01234";
  for (int i = 0; i < 20; i++) {
    int fd = raw_connect(fixture.port);
    raw_send(fd, request, strlen(request));
    close(fd);
  }
  const struct raw_answer *answer =
      raw_talk(fixture.port, "GET /item/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 3000);
  assert_int_equal(raw_status(answer), 200);
  assert_int_equal(fixture_handled(), 1);
  fixture_stop(&fixture);
}
