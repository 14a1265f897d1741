/* Opening, calls and publishing against a broker that does what brokers rarely do. */
#include "connection_fixture.h"

#include <bus/clock.h>

#include <stdio.h>
#include <unistd.h>

/* ---- opening ---- */

TEST(connection_to_nowhere_fails_within_the_timeout)
{
  struct bus_amqp_settings settings = {.url = "amqp://u:p@127.0.0.1:1/", .open_timeout_ms = 500};
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  settings.url = "amqp://u:hunter2@127.0.0.1:1/v";
  int64_t before = bus_monotonic();
  assert_false(bus_amqp_open(&settings, &amqp, &err));
  assert_null(amqp);
  assert_int_equal(err.code, BUS_E_AMQP_CONNECTION);
  assert_null(strstr(err.text, "hunter2"));
  assert_true(bus_monotonic() - before < 2 * BUS_SECOND);
}

/* It takes the connection and never says a word. */
TEST(connection_to_a_mute_server_fails_within_the_timeout)
{
  struct fake_broker *broker = fake_broker_start();
  struct bus_amqp_settings settings = {.url = fake_broker_url(broker), .open_timeout_ms = 500};
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  fake_broker_deafen(broker);
  int64_t before = bus_monotonic();
  assert_false(bus_amqp_open(&settings, &amqp, &err));
  assert_int_equal(err.code, BUS_E_AMQP_CONNECTION);
  assert_true(bus_monotonic() - before < 2 * BUS_SECOND);
  fake_broker_stop(broker);
}

TEST(connection_to_any_host_finds_the_one_that_answers)
{
  struct fake_broker *broker = fake_broker_start();
  char url[256];
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  (void)snprintf(url, sizeof url, "amqp://tester:secret@127.0.0.1:1,127.0.0.1:2,%s",
                 strchr(fake_broker_url(broker), '@') + 1);
  struct bus_amqp_settings settings = {.url = url, .open_timeout_ms = 2000};
  assert_true(bus_amqp_open_any(&settings, &amqp, &err));
  assert_non_null(strstr(fake_broker_url(broker), bus_amqp_peer(amqp)));
  assert_true(bus_str_is(bus_amqp_server(amqp, "version"), "9.8.7"));
  assert_null(bus_amqp_server(amqp, "threads").data); /* no text */
  assert_null(bus_amqp_server(amqp, "cluster_name").data);
  bus_amqp_free(amqp);
  fake_broker_stop(broker);
  amqp = NULL;
  settings.url = "amqp://u:p@127.0.0.1:1,127.0.0.1:2/v";
  assert_false(bus_amqp_open_any(&settings, &amqp, &err));
  assert_non_null(strstr(err.text, "port 2"));
  settings.host = 1;
  assert_false(bus_amqp_open_any(&settings, &amqp, &err));
  assert_non_null(strstr(err.text, "port 1"));
}

/* ---- calls ---- */

TEST(connection_outlives_a_refused_declaration)
{
  struct fixture f = set_up();
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE, .name = "q"};
  fake_broker_refuse_next(f.broker, 404);
  assert_false(bus_amqp_declare(f.amqp, &d, true, &f.err));
  assert_int_equal(f.err.code, BUS_E_TOPOLOGY);
  assert_non_null(strstr(f.err.text, "q is missing"));
  fake_broker_refuse_next(f.broker, 406);
  assert_false(bus_amqp_declare(f.amqp, &d, false, &f.err));
  assert_non_null(strstr(f.err.text, "q is different"));
  assert_true(bus_amqp_declare(f.amqp, &d, true, &f.err));
  tear_down(&f);
}

/* A classic queue of a node that is away: it comes back, and nobody must take the topology for wrong. */
TEST(connection_tells_a_queue_whose_node_is_away_from_one_that_is_missing)
{
  struct fixture f = set_up();
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE, .name = "q"};
  fake_broker_refuse_next_because(f.broker, 404,
                                  "NOT_FOUND - home node 'rabbit@a' of durable queue 'q' in vhost '/' "
                                  "is down or inaccessible");
  assert_false(bus_amqp_declare(f.amqp, &d, true, &f.err));
  assert_int_equal(f.err.code, BUS_E_AMQP_CONNECTION);
  tear_down(&f);
}

TEST(connection_with_consumers_goes_with_a_refused_declaration)
{
  struct fixture f = set_up();
  assert_true(bus_amqp_consume(f.amqp, "q", 0, 1, false, &f.err));
  fake_broker_refuse_next(f.broker, 404);
  assert_false(bus_amqp_ping(f.amqp, &f.err));
  assert_int_equal(f.err.code, BUS_E_TOPOLOGY);
  assert_false(bus_amqp_pump(f.amqp, &events, &f.seen, &f.err));
  tear_down(&f);
}

TEST(connection_refused_for_permissions_is_gone)
{
  struct fixture f = set_up();
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE, .name = "q"};
  fake_broker_refuse_next(f.broker, 403);
  assert_false(bus_amqp_declare(f.amqp, &d, false, &f.err));
  assert_int_equal(f.err.code, BUS_E_AMQP_REFUSED);
  assert_false(bus_amqp_ping(f.amqp, &f.err));
  tear_down(&f);
}

TEST(connection_refuses_calls_without_sense)
{
  struct fixture f = set_up();
  struct bus_declaration binding = {.kind = BUS_DECLARE_BINDING, .name = "q"};
  assert_false(bus_amqp_consume(f.amqp, "q", -1, 1, false, &f.err));
  assert_false(bus_amqp_consume(f.amqp, "q", CONSUMERS_MAX, 1, false, &f.err));
  assert_false(bus_amqp_consume(f.amqp, "q", 0, 0, false, &f.err));
  assert_false(bus_amqp_consume(f.amqp, "q", 0, 65536, false, &f.err));
  assert_false(bus_amqp_declare(f.amqp, &binding, true, &f.err));
  assert_int_equal(f.err.code, BUS_E_INVALID);
  assert_true(bus_amqp_ping(f.amqp, &f.err)); /* it still stands */
  tear_down(&f);
}

/* ---- publishing ---- */

static bool publish(struct fixture *f, struct bus_str body, uint64_t *ret_seq) {
  struct bus_envelope envelope = {.type = BUS_STR("a.b.v1"), .timestamp = BUS_SECOND};
  struct bus_publication publication = {
      .exchange = BUS_EXCHANGE_CMD, .key = BUS_STR("a.b"), .envelope = &envelope, .body = body};
  return bus_amqp_publish(f->amqp, &publication, ret_seq, &f->err);
}

TEST(connection_counts_publications_once_confirms_are_on)
{
  struct fixture f = set_up();
  uint64_t seq = 99;
  assert_true(publish(&f, BUS_STR("{}"), &seq));
  assert_int_equal(seq, 0);
  assert_true(bus_amqp_confirm(f.amqp, &f.err));
  for (uint64_t i = 1; i <= 3; i++) {
    assert_true(publish(&f, BUS_STR("{}"), &seq));
    assert_int_equal(seq, i);
  }
  tear_down(&f);
}

static bool arrives_within(struct fixture *f, size_t count, int64_t ms) {
  int64_t until = bus_monotonic() + ms * BUS_MILLISECOND;
  while (fake_broker_published(f->broker) < count && bus_monotonic() < until)
    usleep(1000);
  return fake_broker_published(f->broker) >= count;
}

TEST(connection_says_that_a_batch_waits_for_the_pump)
{
  struct fixture f = set_up();
  uint64_t seq;
  assert_true(publish(&f, BUS_STR("{}"), &seq));
  assert_true(bus_amqp_has_buffered(f.amqp));
  assert_true(bus_amqp_pump(f.amqp, &events, &f.seen, &f.err));
  assert_false(bus_amqp_has_buffered(f.amqp));
  assert_true(arrives_within(&f, 1, 100));
  tear_down(&f);
}

/* The library holds the last segment of such a body back; nothing else follows here. */
TEST(connection_sends_empty_bodies_and_whole_frames_at_once)
{
  struct fixture f = set_up();
  static char whole[2 * (FRAME_MAX - 8)];
  memset(whole, 'x', sizeof whole);
  const struct bus_str bodies[] = {BUS_STR(""), {whole, sizeof whole / 2}, {whole, sizeof whole}};
  for (size_t i = 0; i < BUS_COUNT(bodies); i++) {
    uint64_t seq;
    assert_true(publish(&f, bodies[i], &seq));
    assert_true(bus_amqp_pump(f.amqp, &events, &f.seen, &f.err));
    assert_true(arrives_within(&f, i + 1, 150));
  }
  tear_down(&f);
}

/* A broker that no longer reads: the socket fills, the library waits for ever, the watchdog ends it. */
TEST(connection_full_socket_is_shut_by_the_watchdog)
{
  struct fixture f = set_up();
  static char body[100000];
  memset(body, 'x', sizeof body);
  fake_broker_deafen(f.broker);
  int64_t before = bus_monotonic();
  uint64_t seq;
  int sent = 0;
  while (sent < 1000 && publish(&f, (struct bus_str){body, sizeof body}, &seq))
    sent++;
  int64_t took = bus_monotonic() - before;
  assert_true(sent < 1000);
  assert_int_equal(f.err.code, BUS_E_AMQP_CONNECTION);
  assert_non_null(strstr(f.err.text, "read nothing"));
  assert_true(took > 3 * BUS_SECOND && took < 6 * BUS_SECOND);
  tear_down(&f);
}

TEST(connection_publish_into_a_closed_one_fails_at_once)
{
  struct fixture f = set_up();
  uint64_t seq;
  fake_broker_hang_up(f.broker);
  int64_t before = bus_monotonic();
  bool sent = true;
  for (int i = 0; i < 1000 && sent; i++)
    sent = publish(&f, BUS_STR("{\"a\":1}"), &seq);
  assert_false(sent);
  assert_true(bus_monotonic() - before < BUS_SECOND);
  tear_down(&f);
}
