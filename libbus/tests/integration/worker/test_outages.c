/* Tests the worker under faults: servers that hang, statements that fail each time, messages that kill a connection. No
 * message is lost, no innocent message is dead-lettered, no loop spins. */
#include "toy.h"

#include <bus/clock.h>
#include <proxy.h>
#include <test.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A delivery that has arrived in part when the worker begins its next batch belongs to the batch after. */
TEST(keeps_the_text_of_messages_that_arrive_in_pieces)
{
  enum { BODY = 150000, MESSAGES = 400 };
  struct toy toy;
  struct toy_run run;
  char *body = malloc(BODY + 200), id[BUS_UUID_TEXT], url[512];
  toy_setup(&toy);
  assert_non_null(body);
  struct proxy *proxy = proxy_for_url(toy.amqp_url, url); /* forwards in chunks, as a network does */
  toy.settings.amqp_url = url;
  toy.settings.batch_max = 20;
  for (unsigned i = 0; i < MESSAGES; i++) {
    struct bus_envelope envelope = {.type = bus_str(toy_add_type.type), .first_failed_at = BUS_NO_TIME};
    struct bus_uuid counter = toy_counter(i);
    bus_uuid_v7(&toy.ids, bus_wall_clock(), &envelope.message_id);
    bus_uuid_format(&counter, id);
    int len = snprintf(body, 200, "{\"counter\":\"%s\",\"by\":1,\"note\":\"", id);
    memset(body + len, 'x', BODY);
    (void)snprintf(body + len + BODY, 8, "\"}");
    toy_publish_raw(&toy, &envelope, body);
  }
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, MESSAGES, 30);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  free(body);
  proxy_stop(proxy);
  toy_teardown(&toy);
}

TEST(sleeps_while_it_waits)
{
  struct toy toy;
  struct toy_run run;
  char pg[512], amqp[512];
  toy_setup(&toy);
  struct proxy *pg_proxy = proxy_for_url(toy.database_url, pg), *amqp_proxy = proxy_for_url(toy.amqp_url, amqp);
  toy.settings.database_url = pg;
  toy.settings.amqp_url = amqp;
  proxy_refuse(pg_proxy, true);
  toy_start(&toy, &run);
  toy_sleep_ms(500);
  int64_t without_database = toy_cpu_in(1500);
  proxy_refuse(pg_proxy, false);
  proxy_refuse(amqp_proxy, true);
  toy_sleep_ms(3000);
  int64_t without_broker = toy_cpu_in(1500);
  proxy_refuse(amqp_proxy, false);
  (void)toy_publish(&toy, 1, 1);
  toy_await(&toy, SUM, 1, 15);
  toy_sleep_ms(500);
  int64_t idle = toy_cpu_in(2000);
  proxy_refuse(pg_proxy, true);
  proxy_cut(pg_proxy);
  (void)toy_publish(&toy, 1, 1);
  toy_sleep_ms(500);
  int64_t in_an_outage = toy_cpu_in(1500);
  proxy_refuse(pg_proxy, false);
  toy_await(&toy, SUM, 2, 15);
  toy_stop(&run);
  print_message("CPU ms: %d without database, %d without broker, %d idle, %d in an outage\n", (int)without_database,
                (int)without_broker, (int)idle, (int)in_an_outage);
  assert_in_range(without_database, 0, 150);
  assert_in_range(without_broker, 0, 150);
  assert_in_range(idle, 0, 150);
  assert_in_range(in_an_outage, 0, 150);
  proxy_stop(pg_proxy);
  proxy_stop(amqp_proxy);
  toy_teardown(&toy);
}

static void assert_up(struct bus_worker *worker) {
  for (int i = 0; i < 3; i++) {
    struct bus_worker_status probed = bus_worker_probe(worker, 2000);
    assert_int_equal(probed.database, BUS_LINK_UP);
    assert_int_equal(probed.broker, BUS_LINK_UP);
  }
}

TEST(answers_probes_again_and_again)
{
  struct toy toy;
  struct toy_run run, queries;
  toy_setup(&toy);
  toy_start(&toy, &run);
  toy_start_queries(&toy, &queries);
  for (int i = 0; i < 100 && !(bus_worker_status(run.worker).consuming && bus_worker_status(queries.worker).consuming);
       i++)
    toy_sleep_ms(50);
  assert_up(run.worker);
  assert_up(queries.worker);
  toy_stop(&queries);
  toy_stop(&run);
  toy_teardown(&toy);
}

/* With a batch in hand and no database the broker is still asked. */
TEST(a_probe_tells_which_of_both_is_away)
{
  struct toy toy;
  struct toy_run run;
  char url[512];
  toy_setup(&toy);
  struct proxy *proxy = proxy_for_url(toy.database_url, url);
  toy.settings.database_url = url;
  toy_start(&toy, &run);
  toy_on_write(&toy, "bus.inbox", "true", "PERFORM pg_sleep(0.3)");
  (void)toy_publish(&toy, 1, 1);
  toy_flush(&toy);
  toy_await(&toy, TRIES, 1, 10);
  proxy_refuse(proxy, true);
  proxy_cut(proxy);
  toy_sleep_ms(500);
  struct bus_worker_status probed = bus_worker_probe(run.worker, 2000);
  assert_int_equal(probed.database, BUS_LINK_DOWN);
  assert_int_equal(probed.broker, BUS_LINK_UP);
  proxy_refuse(proxy, false);
  toy_await(&toy, SUM, 1, 15);
  toy_stop(&run);
  proxy_stop(proxy);
  toy_teardown(&toy);
}

/* Two ways to one broker stand for two nodes of a cluster. */
struct two_hosts {
  struct proxy *proxies[2];
  char url[512];
};

static struct two_hosts two_hosts(const char *url) {
  struct two_hosts hosts;
  char one[512];
  hosts.proxies[0] = proxy_for_url(url, one);
  hosts.proxies[1] = proxy_for_url(url, hosts.url);
  const char *rest = strrchr(one, '/');
  (void)snprintf(hosts.url, sizeof hosts.url, "%.*s,127.0.0.1:%d%s", (int)(rest - one), one,
                 proxy_port(hosts.proxies[1]), rest);
  return hosts;
}

static void lose(struct proxy *proxy) {
  proxy_refuse(proxy, true);
  proxy_cut(proxy);
}

TEST(goes_to_another_broker_when_its_own_is_lost)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct two_hosts hosts = two_hosts(toy.amqp_url);
  toy.settings.amqp_url = hosts.url;
  toy_start(&toy, &run);
  (void)toy_publish(&toy, 1, 1);
  toy_await(&toy, SUM, 1, 15);
  assert_true(proxy_bytes(hosts.proxies[0]) > 0);
  assert_int_equal(proxy_bytes(hosts.proxies[1]), 0);
  for (int turn = 0; turn < 3; turn++) {
    lose(hosts.proxies[turn % 2]);
    (void)toy_publish(&toy, 1, 1);
    toy_await(&toy, SUM, 2 + turn, 5);
    toy_await(&toy, OUTBOX, 0, 15);
    proxy_refuse(hosts.proxies[turn % 2], false);
  }
  assert_true(proxy_bytes(hosts.proxies[1]) > 0);
  toy_stop(&run);
  proxy_stop(hosts.proxies[0]);
  proxy_stop(hosts.proxies[1]);
  toy_teardown(&toy);
}

TEST(begins_with_whichever_broker_is_there)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct two_hosts hosts = two_hosts(toy.amqp_url);
  toy.settings.amqp_url = hosts.url;
  proxy_refuse(hosts.proxies[0], true);
  toy_start(&toy, &run);
  (void)toy_publish(&toy, 1, 1);
  toy_await(&toy, SUM, 1, 10);
  toy_stop(&run);
  proxy_stop(hosts.proxies[0]);
  proxy_stop(hosts.proxies[1]);
  toy_teardown(&toy);
}

static int64_t seconds_to_stop(struct toy_run *run) {
  int64_t began = bus_monotonic();
  toy_stop(run);
  return (bus_monotonic() - began) / BUS_SECOND;
}

TEST(stops_in_time_while_the_database_hangs)
{
  struct toy toy;
  struct toy_run run;
  char url[512];
  toy_setup(&toy);
  struct proxy *proxy = proxy_for_url(toy.database_url, url);
  toy.settings.database_url = url;
  toy_start(&toy, &run);
  (void)toy_publish(&toy, 1, 1);
  toy_await(&toy, SUM, 1, 15);
  proxy_stall(proxy, true);
  (void)toy_publish(&toy, 1, 1);
  toy_flush(&toy);
  toy_sleep_ms(300);
  assert_in_range(seconds_to_stop(&run), 0, 8);
  toy_start(&toy, &run);
  toy_sleep_ms(300);
  assert_in_range(seconds_to_stop(&run), 0, 8);
  proxy_stall(proxy, false);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 2, 15);
  toy_stop(&run);
  proxy_stop(proxy);
  toy_teardown(&toy);
}

TEST(stops_in_time_while_the_broker_hangs)
{
  struct toy toy;
  struct toy_run run;
  char url[512];
  toy_setup(&toy);
  struct proxy *proxy = proxy_for_url(toy.amqp_url, url);
  toy.settings.amqp_url = url;
  toy_start(&toy, &run);
  (void)toy_publish(&toy, 1, 1);
  toy_await(&toy, SUM, 1, 15);
  toy_await(&toy, OUTBOX, 0, 5);
  toy_on_write(&toy, "toy.counters", "true", "PERFORM pg_sleep(0.6)");
  (void)toy_publish(&toy, 1, 1);
  toy_flush(&toy);
  toy_sleep_ms(300);
  proxy_stall(proxy, true); /* in the middle of its batch: its event is published and never confirmed */
  assert_in_range(seconds_to_stop(&run), 0, 8);
  toy_start(&toy, &run);
  toy_sleep_ms(300);
  assert_in_range(seconds_to_stop(&run), 0, 8);
  proxy_stall(proxy, false);
  toy.settings.outbox_grace_ms = 100;
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 2, 15);
  toy_await(&toy, OUTBOX, 0, 15);
  toy_stop(&run);
  proxy_stop(proxy);
  toy_teardown(&toy);
}

/* A server that answers nothing, on a connection that stands, is given up. */
TEST(gives_a_hanging_database_up)
{
  struct toy toy;
  struct toy_run run;
  char url[512];
  toy_setup(&toy);
  struct proxy *proxy = proxy_for_url(toy.database_url, url);
  toy.settings.database_url = url;
  toy_start(&toy, &run);
  (void)toy_publish(&toy, 1, 1);
  toy_await(&toy, SUM, 1, 15);
  proxy_stall(proxy, true);
  (void)toy_publish(&toy, 1, 1);
  for (int i = 0; i < 250 && bus_worker_status(run.worker).database == BUS_LINK_UP; i++)
    toy_sleep_ms(100);
  assert_int_equal(bus_worker_status(run.worker).database, BUS_LINK_DOWN);
  proxy_stall(proxy, false);
  toy_await(&toy, SUM, 2, 15);
  toy_stop(&run);
  proxy_stop(proxy);
  toy_teardown(&toy);
}

/* The first of two hosts accepts connections and stays silent: libpq alone would wait for it forever. */
TEST(a_host_that_says_nothing_is_passed_over)
{
  struct toy toy;
  struct toy_run run;
  char url[512], both[1100];
  toy_setup(&toy);
  struct proxy *proxy = proxy_for_url(toy.database_url, url);
  const char *own = strchr(url, '@') + 1, *other = strchr(toy.database_url, '@') + 1;
  (void)snprintf(both, sizeof both, "%.*s%.*s,%s", (int)(own - url), url, (int)strcspn(own, "/"), own, other);
  proxy_stall(proxy, true);
  toy.settings.database_url = both;
  (void)toy_publish(&toy, 1, 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 1, 20);
  toy_stop(&run);
  proxy_stop(proxy);
  toy_teardown(&toy);
}

/* A message that ends its database session each time must not hold up the others for ever. */
TEST(a_message_that_kills_the_database_session_is_put_off)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_on_write(&toy, "toy.counters", "NEW.n = 777", "PERFORM pg_terminate_backend(pg_backend_pid())");
  toy.settings.give_up_ms = 1;
  toy.topology.tier_count = 1; /* parked at the second visit */
  for (unsigned i = 0; i < 8; i++)
    (void)toy_publish(&toy, i, i == 2 ? 777 : 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 7, 30);
  for (int i = 0; i < 200 && toy_number(&toy, PARKED) == 0; i++)
    toy_sleep_ms(100);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED), 1);
  toy_teardown(&toy);
}

/* Connections that end are no crash of ours: the message in hand is innocent however often that happens. */
TEST(lost_connections_do_not_make_a_message_guilty)
{
  struct toy toy;
  struct toy_run run;
  char pg[512], amqp[512];
  toy_setup(&toy);
  struct proxy *pg_proxy = proxy_for_url(toy.database_url, pg), *amqp_proxy = proxy_for_url(toy.amqp_url, amqp);
  toy_on_write(&toy, "bus.inbox", "true", "PERFORM pg_sleep(0.3)"); /* in trip 1: what is cut is not committed */
  toy.settings.database_url = pg;
  toy.settings.amqp_url = amqp;
  (void)toy_publish(&toy, 1, 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  for (int i = 1; i <= 7; i++) {
    for (int64_t until = bus_monotonic() + 8 * BUS_SECOND; toy_number(&toy, TRIES) < i && bus_monotonic() < until;)
      toy_sleep_ms(10);
    proxy_cut(amqp_proxy);
    proxy_cut(pg_proxy);
  }
  toy_await(&toy, SUM, 1, 20);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  assert_int_equal(toy_number(&toy, "SELECT count(*) FROM bus.suspects"), 0);
  proxy_stop(pg_proxy);
  proxy_stop(amqp_proxy);
  toy_teardown(&toy);
}

static void assert_refused(struct toy *toy, enum bus_errc code, const char *text) {
  struct toy_run run;
  toy_start(toy, &run);
  for (int i = 0; i < 100 && pthread_tryjoin_np(run.thread, NULL) != 0; i++)
    toy_sleep_ms(100);
  assert_false(run.good);
  assert_int_equal(run.err.code, code);
  if (!strstr(run.err.text, text))
    fail_msg("%s", run.err.text);
  bus_worker_free(run.worker);
}

TEST(ends_with_a_reason_where_no_retry_helps)
{
  struct toy toy;
  struct toy_run run;
  struct bus_error err;
  char queue[64], url[512];
  toy_setup(&toy);
  (void)snprintf(queue, sizeof queue, "%s", toy.queue);
  (void)snprintf(toy.queue, sizeof toy.queue, "toy-nowhere");
  assert_refused(&toy, BUS_E_TOPOLOGY, "toy-nowhere");
  (void)snprintf(toy.queue, sizeof toy.queue, "%s", queue);
  char *at = strchr(toy.amqp_url, '@');
  assert_non_null(at);
  (void)snprintf(url, sizeof url, "amqp://admin:wrong%s", at);
  toy.settings.amqp_url = url;
  assert_refused(&toy, BUS_E_AMQP_REFUSED, "admin");
  toy.settings.amqp_url = toy.amqp_url;
  toy.settings.database_url = "postgres://u:very-secret@[::1/x";
  assert_false(bus_worker_new(&toy.service, &toy.topology, &toy.settings, NULL, &run.worker, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_null(strstr(err.text, "very-secret"));
  toy_teardown(&toy);
}

static atomic_int deadlines;
static void push_deadline(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context;
  (void)worker;
  (void)rows;
  deadlines++;
}

/* Messages that waited for the database come before deadlines that passed meanwhile. */
TEST(deadlines_wait_after_the_database_was_away)
{
  struct toy toy;
  struct toy_run run;
  char url[512];
  toy_setup(&toy);
  struct proxy *proxy = proxy_for_url(toy.database_url, url);
  struct bus_statement statements[8];
  size_t count = toy.service.statement_count;
  memcpy(statements, toy.service.statements, count * sizeof *statements);
  statements[count] = (struct bus_statement){"SELECT 1::bigint", ""};
  const struct bus_periodic periodic = {
      .statement = count, .interval_ms = 50, .when_settled = true, .rows = push_deadline};
  toy.service.statements = statements;
  toy.service.statement_count = count + 1;
  toy.service.periodics = &periodic;
  toy.service.periodic_count = 1;
  toy.settings.database_url = url;
  toy.settings.batch_max = 10;
  deadlines = 0;
  toy_start(&toy, &run);
  toy_sleep_ms(3000);
  assert_true(deadlines > 0);
  proxy_refuse(proxy, true);
  proxy_cut(proxy);
  toy_sleep_ms(200);
  toy_on_write(&toy, "toy.counters", "true", "PERFORM pg_sleep(0.02)");
  for (unsigned i = 0; i < 100; i++)
    (void)toy_publish(&toy, i, 1);
  toy_flush(&toy);
  int before = deadlines;
  proxy_refuse(proxy, false);
  for (int i = 0; i < 500 && toy_number(&toy, SUM) < 90; i++)
    toy_sleep_ms(20);
  assert_int_equal(deadlines, before);
  toy_await(&toy, SUM, 100, 10);
  toy_sleep_ms(2500);
  assert_true(deadlines > before);
  toy_stop(&run);
  proxy_stop(proxy);
  toy_teardown(&toy);
}

/* connection.blocked and unblocked, as the broker says them under a memory alarm. */
static const char blocked_frame[] = "\x01\x00\x00\x00\x00\x00\x08\x00\x0a\x00\x3c\x03low\xce";
static const char unblocked_frame[] = "\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x3d\xce";

/* Publishing stops, processing goes on; a retry that cannot be sent waits without spinning. */
TEST(a_blocked_broker_stops_publishing_alone)
{
  struct toy toy;
  struct toy_run run;
  char url[512];
  toy_setup(&toy);
  struct proxy *proxy = proxy_for_url(toy.amqp_url, url);
  toy.settings.amqp_url = url;
  toy.settings.outbox_grace_ms = 500;
  toy_start(&toy, &run);
  (void)toy_publish(&toy, 1, 1);
  toy_await(&toy, SUM, 1, 15);
  toy_await(&toy, OUTBOX, 0, 5);
  toy_sleep_ms(500);
  proxy_inject(proxy, blocked_frame, sizeof blocked_frame - 1);
  (void)toy_publish(&toy, 2, TOY_RETRY);
  for (unsigned i = 0; i < 20; i++)
    (void)toy_publish(&toy, i, 1);
  toy_flush(&toy);
  toy_await(&toy, SUM, 21, 10);
  assert_in_range(toy_cpu_in(1500), 0, 150);
  assert_int_equal(toy_number(&toy, OUTBOX), 20);
  struct bus_worker_status probed = bus_worker_probe(run.worker, 2000);
  assert_true(probed.blocked && probed.consuming);
  assert_true(probed.database == BUS_LINK_UP && probed.broker == BUS_LINK_UP);
  proxy_inject(proxy, unblocked_frame, sizeof unblocked_frame - 1);
  toy_await(&toy, SUM, 21 + TOY_RETRY, 10);
  toy_await(&toy, OUTBOX, 0, 10);
  toy_stop(&run);
  toy_await_depth(&toy, toy.events, 22, 5);
  toy_await_depth(&toy, toy.queue, 0, 5);
  proxy_stop(proxy);
  toy_teardown(&toy);
}
