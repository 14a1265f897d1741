/* Commands that wait for the I/O thread at the same time, over a real broker: one message, one confirm, one fate. */
#include "amqp_request_fixture.h"
#include "requester.h"

#include <bus/bundle.h>

#include <proxy.h>

#include <stdio.h>
#include <unistd.h>

enum { THREADS = 32, REQUESTS = 50 };

static struct bus_requester *gathering_requester(const char *url, int bundle_max, int64_t gather_ms) {
  const struct bus_requester_settings settings = {.amqp_url = url,
                                                  .service = "edge",
                                                  .instance = fresh_name("i"),
                                                  .heartbeat_s = 10,
                                                  .bundle_max = bundle_max,
                                                  .gather_ms = gather_ms};
  struct bus_requester *requester;
  struct bus_error err;
  if (!bus_requester_new(&settings, &requester, &err))
    fail_msg("%s", err.text);
  await_up(requester);
  usleep(100000); /* it is at rest */
  return requester;
}

static struct bus_requester *bundling_requester(const char *url, int bundle_max) {
  return gathering_requester(url, bundle_max, 0);
}

/* While it is on, requests queue up without waking the I/O thread, as if that were busy. */
static void set_busy(struct bus_requester *requester, bool busy) {
  pthread_mutex_lock(&requester->lock);
  requester->asleep = false;
  pthread_mutex_unlock(&requester->lock);
  if (!busy)
    requester_wake(requester);
}

static size_t unconfirmed_bundles(struct bus_requester *requester) {
  pthread_mutex_lock(&requester->lock);
  size_t count = requester->bundles.count;
  pthread_mutex_unlock(&requester->lock);
  return count;
}

static void begin_at_once(struct bus_requester *requester, const struct bus_message_type *type, size_t count,
                          struct bus_pending **ret) {
  set_busy(requester, true);
  for (size_t i = 0; i < count; i++)
    ret[i] = begin(requester, type, (int64_t)i);
  set_busy(requester, false);
}

static void expect_all(struct bus_pending *const *pending, size_t count, enum bus_request_state state) {
  for (size_t i = 0; i < count; i++)
    assert_int_equal(wait_ms(pending[i], 5000, true), state);
}

static void end_all(struct bus_pending *const *pending, size_t count) {
  for (size_t i = 0; i < count; i++)
    bus_request_end(pending[i]);
}

static const struct bus_delivery *nth_delivery(struct link *link, size_t nth) {
  link_await(link, SEEN_DELIVERY, nth + 1, 5000);
  return &link_nth(link, SEEN_DELIVERY, nth)->delivery;
}

TEST(requests_at_once_are_one_message)
{
  const char *url = make_place();
  struct bus_requester *requester = bundling_requester(url, 128);
  struct bus_pending *pending[5];
  struct link *link = link_open(url);
  struct bus_bundle_element *elements;
  size_t count;
  begin_at_once(requester, &ask, 5, pending);
  expect_all(pending, 5, BUS_REQUEST_CONFIRMED);
  link_consume(link, "asked", 0, 10);
  const struct bus_delivery *delivery = nth_delivery(link, 0);
  if (!bus_bundle_cut(&delivery->envelope, delivery->body, link->arena, &elements, &count, &link->err))
    fail_msg("%s", link->err.text);
  assert_int_equal(count, 5);
  assert_true(bus_str_is(delivery->envelope.reply_to, requester->reply_queue));
  for (size_t i = 0; i < 5; i++) {
    char body[32];
    (void)snprintf(body, sizeof body, "{\"value\":%zu}", i);
    assert_true(bus_str_is(elements[i].body, body));
    assert_true(bus_uuid_equal(&elements[i].envelope.message_id, &pending[i]->envelope.message_id));
    assert_true(bus_uuid_equal(&elements[i].envelope.correlation_id, &pending[i]->envelope.correlation_id));
    assert_memory_equal(&elements[i].envelope.trace, &pending[i]->envelope.trace, offsetof(struct bus_trace, state));
  }
  assert_int_equal(unconfirmed_bundles(requester), 0);
  end_all(pending, 5);
  link_close(link);
  bus_requester_free(requester);
}

/* A ping belongs to no client's request. */
TEST(requests_without_a_trace_get_one_that_is_not_sampled)
{
  struct bus_requester *requester = bundling_requester(make_place(), 0);
  struct number body = {.value = 1};
  struct bus_trace trace;
  assert_true(bus_trace_parse(BUS_STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &trace));
  const struct bus_request traced = {.type = &query, .trace = &trace, .body = &body};
  struct bus_pending *pending[] = {begin(requester, &query, 1), bus_request_begin(requester, &traced)};
  assert_true(bus_trace_is_set(&pending[0]->envelope.trace));
  assert_false(bus_trace_is_sampled(&pending[0]->envelope.trace));
  assert_memory_equal(&pending[1]->envelope.trace, &trace, offsetof(struct bus_trace, state));
  end_all(pending, 2);
  bus_requester_free(requester);
}

/* Queries, a lone command, and all of a requester that does not bundle. */
TEST(requests_that_go_alone)
{
  const char *url = make_place();
  struct bus_requester *requester = bundling_requester(url, 128), *plain = bundling_requester(url, 0);
  struct bus_pending *pending[6];
  struct link *link = link_open(url);
  pending[0] = begin(requester, &ask, 1);
  expect_all(pending, 1, BUS_REQUEST_CONFIRMED);
  begin_at_once(requester, &query, 2, pending + 1);
  begin_at_once(plain, &ask, 3, pending + 3);
  expect_all(pending + 3, 3, BUS_REQUEST_CONFIRMED);
  link_consume(link, "asked", 0, 10);
  for (size_t i = 0; i < 6; i++)
    assert_false(nth_delivery(link, i)->envelope.bundle);
  end_all(pending, 6);
  link_close(link);
  bus_requester_free(requester);
  bus_requester_free(plain);
}

TEST(bundle_of_requests_has_at_most_so_many)
{
  static const int64_t counts[] = {3, 3, 0};
  const char *url = make_place();
  struct bus_requester *requester = bundling_requester(url, 3);
  struct bus_pending *pending[7];
  struct link *link = link_open(url);
  begin_at_once(requester, &ask, 7, pending);
  expect_all(pending, 7, BUS_REQUEST_CONFIRMED);
  link_consume(link, "asked", 0, 10);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(nth_delivery(link, i)->envelope.bundle_count, counts[i]);
  end_all(pending, 7);
  link_close(link);
  bus_requester_free(requester);
}

TEST(returned_bundle_fails_all_its_requests_and_no_other)
{
  const char *url = make_place();
  struct bus_requester *requester = bundling_requester(url, 128);
  struct bus_pending *pending[6];
  set_busy(requester, true);
  for (int i = 0; i < 6; i++)
    pending[i] = begin(requester, i % 2 ? &ask : &lost_ask, i);
  bus_request_end(pending[0]); /* no longer sent */
  set_busy(requester, false);
  for (int i = 1; i < 6; i++)
    assert_int_equal(wait_ms(pending[i], 5000, true), i % 2 ? BUS_REQUEST_CONFIRMED : BUS_REQUEST_UNROUTABLE);
  end_all(pending + 1, 5);
  for (int i = 0; i < 100 && unconfirmed_bundles(requester) > 0; i++)
    usleep(10000);
  assert_int_equal(unconfirmed_bundles(requester), 0);
  bus_requester_free(requester);
}

TEST(nacked_bundle_fails_all_its_requests)
{
  char vhost[64];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct link *link = link_open(url);
  struct bus_declaration queue = queue_of("asked"), binding = binding_of(BUS_EXCHANGE_CMD, "test.ask", "asked");
  queue.arguments[queue.argument_count++] = (struct bus_declare_argument){"x-max-length", NULL, 1, false};
  queue.arguments[queue.argument_count++] = (struct bus_declare_argument){"x-overflow", "reject-publish", 0, false};
  declare_exchanges(link);
  declare(link, &queue);
  declare(link, &binding);
  struct bus_requester *requester = bundling_requester(url, 128);
  struct bus_pending *pending[4];
  begin_at_once(requester, &ask, 2, pending);
  expect_all(pending, 2, BUS_REQUEST_CONFIRMED);
  begin_at_once(requester, &ask, 2, pending + 2);
  expect_all(pending + 2, 2, BUS_REQUEST_REFUSED);
  end_all(pending, 4);
  bus_requester_free(requester);
  link_close(link);
}

TEST(bundle_under_way_is_lost_with_the_connection)
{
  char through[512];
  struct proxy *proxy = proxy_for_url(make_place(), through);
  struct bus_requester *requester = bundling_requester(through, 128);
  struct bus_pending *pending[3];
  set_busy(requester, true);
  proxy_stall(proxy, true);
  for (int i = 0; i < 3; i++)
    pending[i] = begin(requester, &ask, i);
  set_busy(requester, false);
  assert_int_equal(wait_ms(pending[0], 300, true), BUS_REQUEST_SENT);
  proxy_refuse(proxy, true);
  proxy_cut(proxy);
  expect_all(pending, 3, BUS_REQUEST_LOST);
  end_all(pending, 3);
  proxy_stall(proxy, false);
  proxy_refuse(proxy, false);
  await_up(requester);
  assert_int_equal(unconfirmed_bundles(requester), 0);
  begin_at_once(requester, &ask, 2, pending);
  expect_all(pending, 2, BUS_REQUEST_CONFIRMED);
  end_all(pending, 2);
  bus_requester_free(requester);
  proxy_stop(proxy);
}

/* ---- many ---- */

struct asker {
  struct bus_requester *requester;
  int index, wrong;
};

static void *ask_many(void *argument) {
  struct asker *asker = argument;
  for (int i = 0; i < REQUESTS; i++) {
    int64_t value = asker->index * REQUESTS + i;
    struct bus_pending *pending = begin(asker->requester, i % 7 == 0 ? &query : &ask, value);
    asker->wrong += wait_ms(pending, 20000, false) != BUS_REQUEST_ANSWERED || take(pending) != value;
    bus_request_end(pending);
  }
  return NULL;
}

TEST(bundled_requests_of_many_threads_are_answered)
{
  const char *url = make_place();
  struct responder *responder = start_responder(url, ANSWER_ONCE);
  struct bus_requester *requester = bundling_requester(url, 16);
  static struct asker askers[THREADS];
  static pthread_t threads[THREADS];
  int wrong = 0;
  for (int i = 0; i < THREADS; i++) {
    askers[i] = (struct asker){.requester = requester, .index = i};
    assert_int_equal(pthread_create(&threads[i], NULL, ask_many, &askers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    wrong += askers[i].wrong;
  }
  assert_int_equal(wrong, 0);
  assert_int_equal(atomic_load(&responder->taken), THREADS * REQUESTS);
  assert_true(atomic_load(&responder->deliveries) < THREADS * REQUESTS); /* some came together */
  bus_requester_free(requester);
  stop_responder(responder);
}

/* At a high rate bundles leave apart from each other. */
TEST(commands_wait_for_others_only_at_a_high_rate)
{
  enum { MANY = 200 };
  const char *url = make_place();
  struct bus_requester *requester = gathering_requester(url, 128, 100);
  struct bus_pending *pending[MANY];
  pending[0] = begin(requester, &ask, 0);
  assert_int_equal(wait_ms(pending[0], 5000, true), BUS_REQUEST_CONFIRMED);
  bus_request_end(pending[0]);
  for (size_t i = 0; i < MANY; i++) {
    pending[i] = begin(requester, &ask, (int64_t)i);
    usleep(2000);
  }
  expect_all(pending, MANY, BUS_REQUEST_CONFIRMED);
  end_all(pending, MANY);
  struct link *link = link_open(url);
  link_consume(link, "asked", 0, 1000);
  size_t messages = 0, deliveries = 0;
  for (; messages < MANY + 1; deliveries++) {
    const struct bus_delivery *delivery = nth_delivery(link, deliveries);
    messages += delivery->envelope.bundle ? (size_t)delivery->envelope.bundle_count : 1;
  }
  assert_int_equal(messages, MANY + 1);
  assert_true(deliveries < MANY / 4);
  link_close(link);
  bus_requester_free(requester);
}

TEST(bundle_max_is_checked)
{
  struct bus_requester_settings settings = {
      .amqp_url = "amqp://u:p@h/v", .service = "edge", .instance = "1", .bundle_max = BUS_BUNDLE_MAX + 1};
  struct bus_requester *requester = NULL;
  struct bus_error err;
  assert_false(bus_requester_new(&settings, &requester, &err));
  assert_string_equal(err.text, "a requester's bundle_max is 0 to 128");
}
