/* Requests over a real broker: lost connections, many threads at once, and rest. */
#include "amqp_request_fixture.h"

#include <proxy.h>

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- loss ---- */

TEST(request_under_way_is_lost_with_the_connection_and_the_next_one_answered)
{
  char through[512];
  const char *url = make_place();
  struct proxy *proxy = proxy_for_url(url, through);
  assert_non_null(proxy);
  struct bus_requester *requester = new_requester(through, 0);
  await_up(requester);
  struct bus_pending *confirmed = begin(requester, &ask, 1), *question = begin(requester, &query, 2);
  assert_int_equal(wait_ms(confirmed, 5000, true), BUS_REQUEST_CONFIRMED);
  proxy_refuse(proxy, true);
  proxy_cut(proxy);
  assert_int_equal(wait_ms(question, 5000, false), BUS_REQUEST_LOST);
  assert_int_equal(wait_ms(confirmed, 50, false), BUS_REQUEST_CONFIRMED); /* the broker has it */
  assert_false(bus_requester_is_up(requester));
  struct bus_pending *refused = begin(requester, &ask, 3);
  assert_int_equal(wait_ms(refused, 1000, true), BUS_REQUEST_UNAVAILABLE);
  proxy_refuse(proxy, false);
  await_up(requester);
  struct responder *responder = start_responder(url, ANSWER_ONCE);
  /* the queue kept what was confirmed, and its answer finds the asker's new queue of the same name */
  assert_int_equal(wait_ms(confirmed, 5000, false), BUS_REQUEST_ANSWERED);
  struct bus_pending *next = begin(requester, &ask, 4);
  assert_int_equal(wait_ms(next, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(take(next), 4);
  bus_request_end(confirmed);
  bus_request_end(question);
  bus_request_end(refused);
  bus_request_end(next);
  bus_requester_free(requester);
  stop_responder(responder);
  proxy_stop(proxy);
}

TEST(requester_goes_to_another_broker_when_its_own_is_lost)
{
  char one[512], both[600];
  const char *url = make_place();
  struct proxy *first = proxy_for_url(url, both), *second = proxy_for_url(url, one);
  const char *rest = strrchr(both, '/');
  (void)snprintf(one, sizeof one, "%.*s,127.0.0.1:%d%s", (int)(rest - both), both, proxy_port(second), rest);
  struct responder *responder = start_responder(url, ANSWER_ONCE);
  struct bus_requester *requester = new_requester(one, 0);
  await_up(requester);
  assert_int_equal(proxy_bytes(second), 0);
  proxy_refuse(first, true);
  proxy_cut(first);
  while (bus_requester_is_up(requester))
    usleep(1000);
  await_up(requester);
  assert_true(proxy_bytes(second) > 0);
  struct bus_pending *pending = begin(requester, &ask, 5);
  assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_ANSWERED);
  bus_request_end(pending);
  bus_requester_free(requester);
  stop_responder(responder);
  proxy_stop(first);
  proxy_stop(second);
}

TEST(request_survives_a_deleted_reply_queue)
{
  const char *url = make_place();
  struct responder *responder = start_responder(url, ANSWER_ONCE);
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  char answer_text[65536], path[256], name[128];
  const char *vhost = strrchr(url, '/') + 1;
  (void)snprintf(path, sizeof path, "queues/%s", vhost);
  assert_int_equal(manage("GET", path, NULL, answer_text, sizeof answer_text), 200);
  const char *begin_of = strstr(answer_text, "edge.reply.");
  assert_non_null(begin_of);
  (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(begin_of, "\""), begin_of);
  (void)snprintf(path, sizeof path, "queues/%s/%s", vhost, name);
  int status = manage("DELETE", path, NULL, NULL, 0);
  assert_in_range(status, 200,
                  499); /* a broker may refuse to delete someone's exclusive queue; then it is still there */
  usleep(200000);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &ask, 5);
  assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_ANSWERED);
  bus_request_end(pending);
  bus_requester_free(requester);
  stop_responder(responder);
}

static void *free_requester(void *requester) {
  bus_requester_free(requester);
  return NULL;
}

TEST(request_open_at_the_end_is_lost_and_not_left_waiting)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  pthread_t thread;
  await_up(requester);
  struct bus_pending *pending = begin(requester, &query, 1);
  assert_int_equal(wait_ms(pending, 100, false), BUS_REQUEST_SENT);
  assert_int_equal(pthread_create(&thread, NULL, free_requester, requester), 0);
  assert_int_equal(wait_ms(pending, 20000, false), BUS_REQUEST_LOST);
  bus_request_end(pending);
  pthread_join(thread, NULL);
}

/* ---- many ---- */

enum { THREADS = 64, REQUESTS = 50 };

struct asker {
  struct bus_requester *requester;
  int index, wrong;
};

static void *ask_many(void *argument) {
  struct asker *asker = argument;
  for (int i = 0; i < REQUESTS; i++) {
    int64_t value = asker->index * REQUESTS + i;
    struct number body = {.value = value};
    struct bus_request request = {.type = i % 3 == 0 ? &query : &ask, .body = &body};
    struct bus_pending *pending = bus_request_begin(asker->requester, &request);
    if (pending == NULL || wait_ms(pending, 20000, false) != BUS_REQUEST_ANSWERED || take(pending) != value)
      asker->wrong++;
    bus_request_end(pending);
  }
  return NULL;
}

TEST(request_answers_find_their_askers_among_many_threads)
{
  const char *url = make_place();
  struct responder *responder = start_responder(url, ANSWER_ONCE);
  struct bus_requester *requester = new_requester(url, 0);
  static struct asker askers[THREADS];
  static pthread_t threads[THREADS];
  await_up(requester);
  for (int i = 0; i < THREADS; i++) {
    askers[i] = (struct asker){.requester = requester, .index = i};
    assert_int_equal(pthread_create(&threads[i], NULL, ask_many, &askers[i]), 0);
  }
  int wrong = 0;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    wrong += askers[i].wrong;
  }
  assert_int_equal(wrong, 0);
  assert_int_equal(atomic_load(&responder->taken), THREADS * REQUESTS);
  bus_requester_free(requester);
  stop_responder(responder);
}

/* More at once than may be unconfirmed: the rest waits in the queue for confirms, and all get through. */
TEST(request_cap_of_unconfirmed_bytes_loses_nothing)
{
  enum { N = 500 };
  const char *url = make_place();
  struct bus_requester_settings settings = {
      .amqp_url = url, .service = "edge", .instance = fresh_name("i"), .max_unconfirmed = 4096};
  struct bus_requester *requester;
  struct bus_error err;
  static struct bus_pending *pending[N];
  assert_true(bus_requester_new(&settings, &requester, &err));
  await_up(requester);
  for (int i = 0; i < N; i++)
    pending[i] = begin(requester, &ask, i);
  for (int i = 0; i < N; i++) {
    assert_int_equal(wait_ms(pending[i], 20000, true), BUS_REQUEST_CONFIRMED);
    bus_request_end(pending[i]);
  }
  bus_requester_free(requester);
}

static int64_t cpu_time(void) {
  struct rusage usage;
  (void)getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * BUS_SECOND + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

TEST(request_idle_requester_uses_no_cpu)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &ask, 1);
  assert_int_equal(wait_ms(pending, 5000, true), BUS_REQUEST_CONFIRMED);
  bus_request_end(pending);
  usleep(700000); /* the watchdog falls asleep */
  int64_t before = cpu_time();
  usleep(2000000);
  assert_true(cpu_time() - before < 10 * BUS_MILLISECOND);
  bus_requester_free(requester);
}
