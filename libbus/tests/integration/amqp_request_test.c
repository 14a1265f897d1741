/* Requests over a real broker: every state, and answers of every kind. */
#include "amqp_request_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TEST(request_is_answered)
{
  const char *url = make_place();
  struct responder *responder = start_responder(url, ANSWER_ONCE);
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *command = begin(requester, &ask, 41), *question = begin(requester, &query, 42);
  assert_int_equal(wait_ms(command, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(wait_ms(question, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(take(question), 42);
  assert_int_equal(take(command), 41);
  assert_int_equal(take(command), -1); /* it was taken */
  assert_int_equal(wait_ms(command, 50, true), BUS_REQUEST_CONFIRMED);
  bus_request_end(command);
  bus_request_end(question);
  bus_request_end(NULL);
  bus_requester_free(requester);
  stop_responder(responder);
}

TEST(request_is_confirmed_where_nobody_answers)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &ask, 1);
  assert_int_equal(wait_ms(pending, 5000, true), BUS_REQUEST_CONFIRMED);
  int64_t before = bus_monotonic();
  assert_int_equal(wait_ms(pending, 200, false), BUS_REQUEST_CONFIRMED);
  assert_true(bus_monotonic() - before >= 200 * BUS_MILLISECOND);
  bus_request_end(pending);
  bus_requester_free(requester);
}

/* The same event may come twice at once: the second must not take the confirm of the first. */
TEST(request_with_an_id_of_its_own_is_open_once)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  const struct number body = {1};
  const struct bus_uuid id = {{0xab, 1, 2, 3}};
  const struct bus_request request = {.type = &ask, .body = &body, .message_id = &id};
  await_up(requester);
  struct bus_pending *first = bus_request_begin(requester, &request), *second = bus_request_begin(requester, &request);
  assert_int_equal(wait_ms(second, 5000, true), BUS_REQUEST_UNAVAILABLE);
  assert_int_equal(wait_ms(first, 5000, true), BUS_REQUEST_CONFIRMED);
  bus_request_end(second);
  bus_request_end(first);
  struct bus_pending *later = bus_request_begin(requester, &request);
  assert_int_equal(wait_ms(later, 5000, true), BUS_REQUEST_CONFIRMED);
  bus_request_end(later);
  bus_requester_free(requester);
}

/* "Confirmed" would be a promise that nobody gave: the message goes with its queue's time to live. */
TEST(request_query_is_never_confirmed)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &query, 1);
  assert_int_equal(wait_ms(pending, 300, true), BUS_REQUEST_SENT);
  bus_request_end(pending);
  bus_requester_free(requester);
}

TEST(request_without_a_queue_is_unroutable_at_once)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &lost_ask, 1);
  assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_UNROUTABLE);
  assert_int_equal(wait_ms(pending, 100, true), BUS_REQUEST_UNROUTABLE); /* also after its confirm */
  bus_request_end(pending);
  bus_requester_free(requester);
}

/* A virtual host whose queue "asked" takes one message of that kind and nacks what comes while it is there. */
static const char *make_narrow_place(enum bus_exchange exchange, const char *key) {
  static char vhost[64];
  const char *url = fresh_vhost(vhost, sizeof vhost);
  struct link *link = link_open(url);
  struct bus_declaration queue = queue_of("asked"), binding = binding_of(exchange, key, "asked");
  queue.arguments[queue.argument_count++] = (struct bus_declare_argument){"x-max-length", NULL, 1, false};
  queue.arguments[queue.argument_count++] = (struct bus_declare_argument){"x-overflow", "reject-publish", 0, false};
  declare_exchanges(link);
  declare(link, &queue);
  declare(link, &binding);
  link_close(link);
  return url;
}

static enum bus_request_state send_once(struct bus_requester *requester, const struct bus_message_type *type,
                                        int64_t patience_ms) {
  struct bus_pending *pending = begin(requester, type, 1);
  enum bus_request_state state = wait_ms(pending, patience_ms, true);
  bus_request_end(pending);
  return state;
}

static enum bus_request_state ask_once(struct bus_requester *requester) {
  return send_once(requester, &ask, 5000);
}

TEST(request_into_a_full_queue_is_refused)
{
  struct bus_requester *requester = new_requester(make_narrow_place(BUS_EXCHANGE_CMD, "test.ask"), 0);
  await_up(requester);
  assert_int_equal(ask_once(requester), BUS_REQUEST_CONFIRMED);
  assert_int_equal(ask_once(requester), BUS_REQUEST_REFUSED);
  bus_requester_free(requester);
}

/* A queue that has lost its leader may nack on this connection what it would take on another one. */
TEST(requester_opens_a_new_connection_when_every_command_is_nacked)
{
  struct bus_requester *requester = new_requester(make_narrow_place(BUS_EXCHANGE_CMD, "test.ask"), 0);
  await_up(requester);
  assert_int_equal(ask_once(requester), BUS_REQUEST_CONFIRMED);
  int64_t began = bus_monotonic();
  for (bool lost = false; !lost; usleep(20000)) {
    struct bus_pending *question = begin(requester, &query, 2); /* is acked: its queue is another one */
    lost = ask_once(requester) != BUS_REQUEST_REFUSED || !bus_requester_is_up(requester);
    bus_request_end(question);
    assert_true(bus_monotonic() - began < 3 * BUS_SECOND);
  }
  assert_true(bus_monotonic() - began > 900 * BUS_MILLISECOND);
  await_up(requester);
  for (int64_t until = bus_monotonic() + 1500 * BUS_MILLISECOND; bus_monotonic() < until; usleep(20000))
    assert_int_equal(ask_once(requester), BUS_REQUEST_REFUSED); /* it is full: a while longer on this one */
  bus_requester_free(requester);
}

/* Outcomes of queries do not change the state of the command queues. */
TEST(requester_stays_on_its_connection_when_queries_are_nacked)
{
  struct bus_requester *requester = new_requester(make_narrow_place(BUS_EXCHANGE_QUERY, "test.query"), 0);
  await_up(requester);
  (void)send_once(requester, &query, 300); /* fills the queue */
  for (int64_t until = bus_monotonic() + 1500 * BUS_MILLISECOND; bus_monotonic() < until; usleep(20000)) {
    assert_int_equal(send_once(requester, &query, 5000), BUS_REQUEST_REFUSED);
    assert_true(bus_requester_is_up(requester));
  }
  bus_requester_free(requester);
}

TEST(request_takes_a_second_answer)
{
  const char *url = make_place();
  struct responder *responder = start_responder(url, ANSWER_TWICE);
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  struct bus_pending *pending = begin(requester, &ask, 1);
  assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(take(pending), 1);
  assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(take(pending), 2);
  bus_request_end(pending);
  bus_requester_free(requester);
  stop_responder(responder);
}

TEST(request_answers_of_a_bundle_find_their_requests)
{
  const char *url = make_place();
  struct responder *responder = start_responder(url, ANSWER_IN_BUNDLES);
  struct bus_requester *requester = new_requester(url, 0);
  struct bus_pending *pending[2 * BUNDLED];
  await_up(requester);
  for (int i = 0; i < 2 * BUNDLED; i++)
    pending[i] = begin(requester, i % 2 ? &ask : &query, 100 + i);
  (void)wait_ms(pending[3], 5000, true); /* else it may not be sent */
  bus_request_end(pending[3]);           /* its answer belongs to no request */
  for (int i = 0; i < 2 * BUNDLED; i++) {
    if (i == 3)
      continue;
    assert_int_equal(wait_ms(pending[i], 5000, false), BUS_REQUEST_ANSWERED);
    assert_int_equal(take(pending[i]), 100 + i);
    bus_request_end(pending[i]);
  }
  bus_requester_free(requester);
  stop_responder(responder);
}

TEST(request_answer_that_cannot_be_read_is_none)
{
  static const enum behaviour behaviours[] = {ANSWER_GARBAGE, ANSWER_STRANGE_TYPE};
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  for (size_t i = 0; i < BUS_COUNT(behaviours); i++) {
    struct responder *responder = start_responder(url, behaviours[i]);
    struct bus_pending *pending = begin(requester, &ask, 1);
    assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_ANSWERED);
    assert_int_equal(take(pending), -1);
    assert_int_equal(wait_ms(pending, 50, true), BUS_REQUEST_CONFIRMED);
    bus_request_end(pending);
    stop_responder(responder);
  }
  bus_requester_free(requester);
}

TEST(request_answer_after_the_end_is_dropped)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  for (int i = 0; i < 100; i++)
    bus_request_end(begin(requester, &ask, i)); /* some not even published yet */
  struct responder *responder = start_responder(url, ANSWER_TWICE);
  struct bus_pending *pending = begin(requester, &ask, 7);
  assert_int_equal(wait_ms(pending, 5000, false), BUS_REQUEST_ANSWERED);
  assert_int_equal(take(pending), 7);
  bus_request_end(pending);
  bus_requester_free(requester);
  stop_responder(responder);
}

/* ---- unavailable ---- */

TEST(request_without_a_broker_is_unavailable_at_once)
{
  struct bus_requester *requester = new_requester("amqp://u:p@127.0.0.1:1/v", 0);
  int64_t before = bus_monotonic();
  struct bus_pending *pending = begin(requester, &ask, 1);
  assert_int_equal(wait_ms(pending, 5000, true), BUS_REQUEST_UNAVAILABLE);
  assert_true(bus_monotonic() - before < 100 * BUS_MILLISECOND);
  assert_int_equal(take(pending), -1);
  assert_false(bus_requester_is_up(requester));
  assert_false(bus_requester_is_blocked(requester));
  bus_request_end(pending);
  bus_requester_free(requester);
}

TEST(request_beyond_the_limit_is_unavailable)
{
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 2);
  await_up(requester);
  struct bus_pending *first = begin(requester, &ask, 1), *second = begin(requester, &ask, 2);
  struct bus_pending *third = begin(requester, &ask, 3);
  assert_int_equal(wait_ms(third, 1000, true), BUS_REQUEST_UNAVAILABLE);
  bus_request_end(third);
  bus_request_end(first);
  third = begin(requester, &ask, 3);
  assert_int_equal(wait_ms(third, 5000, true), BUS_REQUEST_CONFIRMED);
  bus_request_end(second);
  bus_request_end(third);
  bus_requester_free(requester);
}

TEST(request_settings_are_checked)
{
  static const char *const instances[] = {"", "a.b", "a b", "01234567890123456789012345678901234567890"};
  struct bus_requester_settings settings = {.amqp_url = "amqp://u:p@h/v", .service = "edge"};
  struct bus_requester *requester = NULL;
  struct bus_error err;
  for (size_t i = 0; i < BUS_COUNT(instances); i++) {
    settings.instance = instances[i];
    assert_false(bus_requester_new(&settings, &requester, &err));
    assert_int_equal(err.code, BUS_E_CONFIG);
  }
  settings.instance = "1";
  settings.amqp_url = "amqp://h";
  assert_false(bus_requester_new(&settings, &requester, &err));
  assert_null(requester);
}

TEST(request_while_the_broker_is_blocked_is_unavailable_at_once)
{
  require_rabbitmqctl();
  const char *url = make_place();
  struct bus_requester *requester = new_requester(url, 0);
  await_up(requester);
  set_watermark("0.0000001");
  struct bus_pending *first = begin(requester, &ask, 1);
  for (int i = 0; i < 2000 && !bus_requester_is_blocked(requester); i++) /* the broker looks every few seconds */
    usleep(10000);
  assert_true(bus_requester_is_blocked(requester));
  struct bus_pending *second = begin(requester, &ask, 2);
  assert_int_equal(wait_ms(second, 1000, true), BUS_REQUEST_UNAVAILABLE);
  set_watermark("0.4");
  assert_int_equal(wait_ms(first, 10000, true), BUS_REQUEST_CONFIRMED);
  assert_false(bus_requester_is_blocked(requester));
  bus_request_end(first);
  bus_request_end(second);
  bus_requester_free(requester);
}
