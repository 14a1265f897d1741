/* Clients that hold threads: civetweb alone would serve nobody else for as long as they please. */
#include <bus/clock.h>

#include <pthread.h>
#include <stdio.h>
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

static void *stay_silent(void *context) {
  struct slow_client *client = context;
  int64_t started = bus_monotonic();
  int fd = raw_connect(client->port);
  raw_read_to_end(fd, 20000, &client->answer);
  client->answer.duration = bus_monotonic() - started;
  close(fd);
  return NULL;
}

/* All threads are held; a normal client waits no longer than until the deadline has passed. */
static void hold_all_threads(void *(*hold)(void *), int status, int64_t longest) {
  static struct slow_client clients[THREADS];
  struct fixture fixture =
      fixture_start((struct bus_http_settings){.threads = THREADS, .body_deadline_ms = DEADLINE_MS});
  for (int i = 0; i < THREADS; i++) {
    clients[i].port = fixture.port;
    assert_int_equal(pthread_create(&clients[i].thread, NULL, hold, &clients[i]), 0);
  }
  usleep(300000);
  const struct raw_answer *victim =
      raw_talk(fixture.port, "GET /item/7 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 15000);
  assert_int_equal(raw_status(victim), 200);
  assert_true(victim->duration < longest);
  for (int i = 0; i < THREADS; i++) {
    pthread_join(clients[i].thread, NULL);
    assert_int_equal(raw_status(&clients[i].answer), status);
    assert_true(clients[i].answer.closed);
    assert_true(clients[i].answer.duration > (DEADLINE_MS - 500) * BUS_MILLISECOND);
    assert_true(clients[i].answer.duration < longest);
  }
  fixture_stop(&fixture);
}

TEST(e2_slow_bodies_hold_no_thread_beyond_the_deadline)
{ hold_all_threads(drip_body, 408, (2 * DEADLINE_MS + 1000) * BUS_MILLISECOND); }

TEST(slow_heads_hold_no_thread_beyond_the_deadline)
{ hold_all_threads(drip_head, 400, (2 * DEADLINE_MS + 1000) * BUS_MILLISECOND); }

TEST(e15_silent_connections_hold_no_thread_beyond_the_deadline)
{ hold_all_threads(stay_silent, 0, (2 * DEADLINE_MS + 1000) * BUS_MILLISECOND); }

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
