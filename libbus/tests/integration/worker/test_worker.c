/* The batch pipeline against real servers: what is processed, retried, parked, and what survives lost connections. */
#include "toy.h"

#include <bus/history.h>
#include <bus/metrics.h>
#include <proxy.h>
#include <test.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUM "SELECT coalesce(sum(n), 0)::bigint FROM toy.counters"
#define OUTBOX "SELECT count(*) FROM bus.outbox"
#define INBOX "SELECT count(*) FROM bus.inbox"
#define PARKED "SELECT count(*) FROM bus.parked"

enum { METRICS_MAX = 1 << 16 };

TEST(processes_every_message_once_and_empties_the_outbox)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  for (unsigned i = 0; i < 2000; i++)
    (void)toy_publish(&toy, i % 10, 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 2000, 20);
  toy_await(&toy, OUTBOX, 0, 5);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, INBOX), 2000);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  toy_await_depth(&toy, toy.events, 2000, 5);
  toy_await_depth(&toy, toy.queue, 0, 5);
  toy_teardown(&toy);
}

TEST(takes_a_duplicate_once_in_one_batch_and_across_batches)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct bus_uuid id = toy_publish(&toy, 1, 5);
  for (int i = 0; i < 3; i++)
    toy_publish_as(&toy, &id, 1, 5);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 5, 10);
  toy_publish_as(&toy, &id, 1, 5);
  (void)toy_publish(&toy, 2, 7);
  toy_flush(&toy);
  toy_await(&toy, SUM, 12, 10);
  toy_await(&toy, OUTBOX, 0, 5);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, SUM), 12);
  toy_await_depth(&toy, toy.events, 2, 5);
  toy_await_depth(&toy, toy.queue, 0, 5);
  toy_teardown(&toy);
}

/* What cannot be decoded or comes from the wrong sender is parked alone. */
TEST(parks_poison_in_the_middle_of_a_batch_with_its_cause)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct bus_envelope envelope = {.type = bus_str(toy_add_type.type), .first_failed_at = BUS_NO_TIME};
  for (unsigned i = 0; i < 100; i++) {
    (void)toy_publish(&toy, i, 1);
    if (i != 50)
      continue;
    bus_uuid_v7(&toy.ids, 0, &envelope.message_id);
    toy_publish_raw(&toy, &envelope, "{\"counter\":\"no uuid\",\"by\":0}");
    bus_uuid_v7(&toy.ids, 0, &envelope.message_id);
    toy_publish_raw(&toy, &envelope, "no json");
    envelope.message_id = (struct bus_uuid){{0}};
    toy_publish_raw(&toy, &envelope, "{\"counter\":\"00000000-0000-4000-8000-000000000000\",\"by\":1}");
  }
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 100, 10);
  toy_await(&toy, PARKED, 3, 10);
  char dead[80];
  (void)snprintf(dead, sizeof dead, "%s.dead", toy.queue);
  toy_await_depth(&toy, dead, 3, 5);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED " WHERE cause LIKE '%counter%' AND cause LIKE '%by%'"), 1);
  assert_int_equal(toy_number(&toy, INBOX), 100);
  toy_await_depth(&toy, toy.queue, 0, 5);
  toy_teardown(&toy);
}

/* The database refuses one of many: found by halves, parked, its neighbours committed. */
TEST(finds_by_halves_what_the_database_refuses)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  for (unsigned i = 0; i < 150; i++)
    (void)toy_publish(&toy, i, i == 77 ? TOY_REFUSED : 2);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, PARKED, 1, 20);
  toy_await(&toy, SUM, 149 * 2, 20);
  toy_await(&toy, OUTBOX, 0, 5);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED " WHERE cause_class = 'BUS_E_DB_DATA' AND cause LIKE '%23514%'"), 1);
  assert_int_equal(toy_number(&toy, INBOX), 149);
  toy_await_depth(&toy, toy.events, 149, 5);
  toy_teardown(&toy);
}

TEST(retries_through_a_tier_and_parks_on_request)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  (void)toy_publish(&toy, 1, TOY_RETRY);
  (void)toy_publish(&toy, 2, TOY_PARK);
  (void)toy_publish(&toy, 3, 10);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, TOY_RETRY + 10, 10);
  toy_await(&toy, PARKED, 1, 5);
  toy_await(&toy, OUTBOX, 0, 5);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, INBOX), 2);
  toy_await_depth(&toy, toy.queue, 0, 5);
  toy_teardown(&toy);
}

TEST(an_unknown_version_waits_and_is_never_lost)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct bus_envelope envelope = {.type = BUS_STR("toy.add.v2"), .first_failed_at = BUS_NO_TIME};
  bus_uuid_v7(&toy.ids, 0, &envelope.message_id);
  toy.settings.give_up_ms = 700;
  toy_publish_raw(&toy, &envelope, "{}");
  (void)toy_publish(&toy, 3, 10);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 10, 10);
  toy_await(&toy, PARKED, 1, 10);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED " WHERE cause_class = 'BUS_E_UNKNOWN_TYPE' AND attempt > 2"), 1);
  toy_teardown(&toy);
}

static void keep_history(void *context, const struct bus_delivery *delivery) {
  (void)snprintf(context, BUS_HISTORY_MAX, "%.*s", (int)delivery->envelope.history.len,
                 delivery->envelope.history.data);
}

/* Reads the one message of a queue, and leaves it there. */
static void read_history(struct toy *toy, const char *queue, char text[BUS_HISTORY_MAX]) {
  const struct bus_amqp_settings settings = {.url = toy->amqp_url, .name = "toy reader"};
  const struct bus_amqp_events events = {.delivery = keep_history};
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_amqp *reader = NULL;
  struct bus_error err;
  assert_true(bus_amqp_open(&settings, &reader, &err) && bus_amqp_consume(reader, queue, 0, 1, false, &err));
  bus_amqp_set_arena(reader, arena);
  text[0] = '\0';
  for (int i = 0; i < 500 && text[0] == '\0'; i++) {
    assert_true(bus_amqp_pump(reader, &events, text, &err));
    toy_sleep_ms(10);
  }
  bus_amqp_free(reader);
  bus_arena_free(arena);
}

/* Each try that failed, with its time, the version and the cause: on the message, and the same in the database. */
TEST(a_parked_message_carries_its_history)
{
  struct toy toy;
  struct toy_run run;
  char dead[80], history[BUS_HISTORY_MAX], sql[BUS_HISTORY_MAX + 256];
  toy_setup(&toy);
  struct bus_envelope envelope = {.type = BUS_STR("toy.add.v2"), .first_failed_at = BUS_NO_TIME};
  bus_uuid_v7(&toy.ids, 0, &envelope.message_id);
  toy.settings.give_up_ms = 400;
  toy_publish_raw(&toy, &envelope, "{}");
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, PARKED, 1, 10);
  (void)snprintf(dead, sizeof dead, "%s.dead", toy.queue);
  toy_await_depth(&toy, dead, 1, 5);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED " WHERE service_version = '7.8.9' AND attempt > 1 AND "
                                           "attempt + 1 = array_length(string_to_array(history, E'\\n'), 1)"),
                   1);
  assert_int_equal(toy_number(&toy,
                              "SELECT count(*) FROM bus.parked, regexp_split_to_table(history, E'\\n') WITH ORDINALITY "
                              "AS line (text, n) WHERE text !~ ('^\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z ' || n - 1 || "
                              "' toy/7\\.8\\.9 BUS_E_UNKNOWN_TYPE type is unknown to this version$')"),
                   0);
  read_history(&toy, dead, history);
  (void)snprintf(sql, sizeof sql, PARKED " WHERE history = '%s'", history);
  assert_int_equal(toy_number(&toy, sql), 1);
  toy_teardown(&toy);
}

static void find_text(void *context, struct bus_str piece) {
  char *text = context;
  size_t len = strlen(text);
  (void)snprintf(text + len, METRICS_MAX - len, "%.*s", (int)piece.len, piece.data);
}

static bool metrics_say(const char *line) {
  static char text[METRICS_MAX];
  text[0] = '\0';
  bus_metrics_print(find_text, text);
  return strstr(text, line) != NULL;
}

static void await_metric(const char *line) {
  for (int i = 0; i < 200 && !metrics_say(line); i++)
    toy_sleep_ms(50);
  if (!metrics_say(line))
    fail_msg("no «%s» in the metrics", line);
}

TEST(keeps_an_unroutable_command_until_the_route_exists)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy.settings.outbox_grace_ms = 300;
  toy.settings.outbox_lease_ms = 300;
  (void)toy_publish(&toy, 1, TOY_UNHEARD);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, OUTBOX " WHERE unroutable", 1, 10);
  await_metric("bus_outbox_unroutable 1\n");
  assert_false(metrics_say("bus_confirms_total{outcome=\"returned\"} 0\n"));
  struct bus_error err;
  bool exists;
  struct bus_declaration binding = {.kind = BUS_DECLARE_BINDING, .exchange = "bus.cmd"};
  struct bus_str key = bus_message_key(&toy_unheard_type);
  (void)snprintf(binding.key, sizeof binding.key, "%.*s", (int)key.len, key.data);
  (void)snprintf(binding.name, sizeof binding.name, "%s", toy.events);
  assert_true(bus_amqp_declare(toy.amqp, &binding, false, &exists, &err));
  toy_await(&toy, "UPDATE bus.outbox SET next_attempt_at = now() RETURNING 1", 1, 5);
  toy_await(&toy, OUTBOX, 0, 10);
  await_metric("bus_outbox_unroutable 0\n");
  toy_stop(&run);
  toy_await_depth(&toy, toy.events, 1, 5);
  toy_teardown(&toy);
}

/* Nowhere to park it: it stays where it is, alarmed, and what comes behind is processed and acked with it later. */
TEST(keeps_a_message_to_park_until_the_dead_queue_exists)
{
  struct toy toy;
  struct toy_run run;
  char dead[80];
  toy_setup(&toy);
  toy_start(&toy, &run);
  (void)toy_publish(&toy, 1, 1);
  toy_await(&toy, SUM, 1, 10);
  toy_delete_queue(&toy, ".dead");
  (void)toy_publish(&toy, 2, TOY_PARK);
  (void)toy_publish(&toy, 3, 10);
  toy_flush(&toy);
  toy_await(&toy, SUM, 11, 10);
  await_metric("bus_held_messages 1\n");
  toy_declare_queues(&toy);
  (void)snprintf(dead, sizeof dead, "%s.dead", toy.queue);
  toy_await_depth(&toy, dead, 1, 10);
  await_metric("bus_held_messages 0\n");
  toy_stop(&run);
  toy_await_depth(&toy, toy.queue, 0, 5);
  toy_teardown(&toy);
}

/* Nacked confirms leave their rows to the sweeper, until the queue takes them. */
TEST(sweeps_what_a_full_queue_nacked)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy.settings.outbox_grace_ms = 300;
  toy.settings.outbox_lease_ms = 300;
  for (unsigned i = 0; i < 20; i++)
    (void)toy_publish(&toy, i, TOY_FULL);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 20 * TOY_FULL, 10);
  toy_await(&toy, "SELECT (count(*) > 5)::int FROM bus.outbox WHERE attempts > 1", 1, 10);
  struct bus_error err;
  struct bus_amqp *reader = NULL;
  const struct bus_amqp_settings amqp = {.url = toy.amqp_url, .name = "toy reader"};
  struct bus_arena *arena = bus_arena_new(1 << 20);
  assert_true(bus_amqp_open(&amqp, &reader, &err));
  bus_amqp_set_arena(reader, arena);
  assert_true(bus_amqp_consume(reader, toy.full, 0, 100, true, &err));
  for (int i = 0; i < 400 && toy_number(&toy, OUTBOX) > 0; i++) {
    assert_true(bus_amqp_pump(reader, &(struct bus_amqp_events){0}, NULL, &err));
    toy_sleep_ms(50);
  }
  assert_int_equal(toy_number(&toy, OUTBOX), 0);
  bus_amqp_free(reader);
  bus_arena_free(arena);
  toy_stop(&run);
  toy_teardown(&toy);
}

/* Every phase of a batch loses its database sooner or later. */
TEST(survives_a_database_connection_that_is_cut_at_any_time)
{
  struct toy toy;
  struct toy_run run;
  char url[512];
  toy_setup(&toy);
  struct proxy *proxy = proxy_for_url(toy.database_url, url);
  assert_non_null(proxy);
  toy.settings.database_url = url;
  toy.settings.batch_max = 20;
  toy.settings.outbox_grace_ms = 500;
  toy.settings.outbox_lease_ms = 2000; /* what was swept into a cut connection is swept again */
  toy_start(&toy, &run);
  for (unsigned i = 0; i < 6000; i++) {
    (void)toy_publish(&toy, i % 50, 1);
    if (i % 300 == 299) {
      toy_flush(&toy);
      toy_sleep_ms(40 + (int)(bus_uuid_source_random(&toy.ids) % 80));
      proxy_cut(proxy);
    }
  }
  toy_flush(&toy);
  toy_await(&toy, SUM, 6000, 40);
  toy_await(&toy, OUTBOX, 0, 20);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, INBOX), 6000);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  proxy_stop(proxy);
  toy_teardown(&toy);
}

TEST(survives_broker_connections_that_are_cut_at_any_time)
{
  struct toy toy;
  struct toy_run run;
  char url[512];
  toy_setup(&toy);
  struct proxy *proxy = proxy_for_url(toy.amqp_url, url);
  assert_non_null(proxy);
  toy.settings.amqp_url = url;
  toy.settings.batch_max = 20;
  toy.settings.outbox_grace_ms = 500;
  toy.settings.outbox_lease_ms = 2000; /* what was swept into a cut connection is swept again */
  toy_start(&toy, &run);
  for (unsigned i = 0; i < 4000; i++) {
    (void)toy_publish(&toy, i % 50, 1);
    if (i % 400 == 399) {
      toy_flush(&toy);
      toy_sleep_ms(100 + (int)(bus_uuid_source_random(&toy.ids) % 200));
      proxy_cut(proxy);
    }
  }
  toy_flush(&toy);
  toy_await(&toy, SUM, 4000, 60);
  toy_await(&toy, OUTBOX, 0, 20);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, INBOX), 4000);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  proxy_stop(proxy);
  toy_teardown(&toy);
}

TEST(waits_for_servers_that_come_later)
{
  struct toy toy;
  struct toy_run run;
  char pg[512], amqp[512];
  toy_setup(&toy);
  struct proxy *pg_proxy = proxy_for_url(toy.database_url, pg), *amqp_proxy = proxy_for_url(toy.amqp_url, amqp);
  proxy_refuse(pg_proxy, true);
  proxy_refuse(amqp_proxy, true);
  toy.settings.database_url = pg;
  toy.settings.amqp_url = amqp;
  (void)toy_publish(&toy, 1, 3);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_sleep_ms(500);
  assert_false(bus_worker_status(run.worker).consuming);
  assert_int_equal(bus_worker_probe(run.worker, 300).database, BUS_LINK_DOWN);
  proxy_refuse(pg_proxy, false);
  toy_sleep_ms(500);
  proxy_refuse(amqp_proxy, false);
  toy_await(&toy, SUM, 3, 15);
  struct bus_worker_status probed = bus_worker_probe(run.worker, 2000);
  assert_true(probed.consuming && probed.database == BUS_LINK_UP && probed.broker == BUS_LINK_UP);
  toy_stop(&run);
  proxy_stop(pg_proxy);
  proxy_stop(amqp_proxy);
  toy_teardown(&toy);
}

TEST(two_workers_on_the_same_aggregates_lose_no_update)
{
  struct toy toy;
  struct toy_run runs[2];
  toy_setup(&toy);
  toy.settings.batch_max = 10;
  for (unsigned i = 0; i < 2000; i++)
    (void)toy_publish(&toy, i % 3, 1);
  toy_flush(&toy);
  toy_start(&toy, &runs[0]);
  toy_start(&toy, &runs[1]);
  toy_await(&toy, SUM, 2000, 30);
  toy_await(&toy, OUTBOX, 0, 5);
  toy_stop(&runs[0]);
  toy_stop(&runs[1]);
  toy_await_depth(&toy, toy.events, 2000, 5);
  toy_teardown(&toy);
}

TEST(a_stop_in_the_middle_loses_and_doubles_nothing)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy.settings.batch_max = 25;
  for (unsigned i = 0; i < 3000; i++)
    (void)toy_publish(&toy, i % 20, 1);
  toy_flush(&toy);
  for (int i = 0; i < 6; i++) {
    toy_start(&toy, &run);
    toy_sleep_ms(60 + 30 * i);
    toy_stop(&run);
    assert_int_equal(toy_number(&toy, OUTBOX), 0);
  }
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 3000, 20);
  toy_stop(&run);
  toy_await_depth(&toy, toy.events, 3000, 5);
  assert_int_equal(toy_number(&toy, INBOX), 3000);
  toy_teardown(&toy);
}

/* The guilty message kills its consumer each time; it is found alone and parked, its neighbours are processed once. */
TEST(finds_the_message_that_crashes_its_consumer)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  for (unsigned i = 0; i < 30; i++)
    (void)toy_publish(&toy, i, i == 12 ? TOY_CRASH : 1);
  toy_flush(&toy);
  int crashes = 0;
  for (; crashes < 12 && toy_number(&toy, PARKED) == 0; crashes++) {
    pid_t child = fork();
    if (child == 0) {
      toy_crashes = true;
      struct bus_worker *worker = NULL;
      struct bus_error err;
      alarm(8);
      _exit(bus_worker_new(&toy.service, &toy.topology, &toy.settings, NULL, &worker, &err) &&
            bus_worker_run(worker, &err));
    }
    int status = 0;
    for (int waited = 0; waited < 100 && waitpid(child, &status, WNOHANG) == 0; waited++) {
      toy_sleep_ms(100);
      if (toy_number(&toy, PARKED) == 1 && toy_number(&toy, SUM) == 29)
        (void)kill(child, SIGKILL);
    }
  }
  assert_in_range(crashes, 5, 8);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 29, 10);
  toy_await(&toy, OUTBOX, 0, 10);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED " WHERE cause_class = 'BUS_E_CRASHED'"), 1);
  assert_int_equal(toy_number(&toy, INBOX), 29);
  assert_int_equal(toy_number(&toy, "SELECT count(*) FROM bus.suspects"), 0);
  toy_teardown(&toy);
}

static void on_answer(void *context, const struct bus_delivery *delivery) {
  struct toy_add *found = context;
  struct bus_problems problems = {0};
  struct bus_arena *arena = bus_arena_new(65536);
  assert_true(bus_decode(toy_count_type.schema, delivery->body, BUS_IGNORE_UNKNOWN, arena, found, &problems));
  bus_arena_free(arena);
}

TEST(answers_queries_to_the_askers_own_queue)
{
  struct toy toy;
  struct toy_run run, queries;
  struct bus_error err;
  struct toy_add found = {.by = -1};
  char reply[64];
  toy_setup(&toy);
  (void)snprintf(reply, sizeof reply, "admin.reply.%d", (int)getpid());
  assert_true(bus_amqp_reply_queue(toy.amqp, reply, &err));
  assert_true(bus_amqp_consume(toy.amqp, reply, 0, 10, true, &err));
  toy_start(&toy, &run);
  toy_start_queries(&toy, &queries);
  (void)toy_publish(&toy, 5, 41);
  toy_await(&toy, SUM, 41, 10);
  struct bus_envelope envelope = {
      .type = bus_str(toy_get_type.type), .reply_to = bus_str(reply), .first_failed_at = BUS_NO_TIME};
  bus_uuid_v7(&toy.ids, 0, &envelope.message_id);
  char body[128], id[BUS_UUID_TEXT];
  struct bus_uuid counter = toy_counter(5);
  bus_uuid_format(&counter, id);
  (void)snprintf(body, sizeof body, "{\"counter\":\"%s\",\"by\":1}", id);
  const struct bus_publication query = {.exchange = BUS_EXCHANGE_QUERY,
                                        .key = bus_message_key(&toy_get_type),
                                        .envelope = &envelope,
                                        .body = bus_str(body)};
  uint64_t seq;
  assert_true(bus_amqp_publish(toy.amqp, &query, &seq, &err));
  const struct bus_amqp_events events = {.delivery = on_answer};
  for (int i = 0; i < 300 && found.by < 0; i++) {
    assert_true(bus_amqp_pump(toy.amqp, &events, &found, &err));
    toy_sleep_ms(10);
  }
  assert_int_equal(found.by, 41);
  toy_stop(&queries);
  toy_stop(&run);
  toy_teardown(&toy);
}

TEST(refuses_an_older_schema_and_names_the_migration)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy.settings.schema_change = "counters_v2";
  toy_start(&toy, &run);
  assert_int_equal(pthread_join(run.thread, NULL), 0);
  assert_false(run.good);
  assert_int_equal(run.err.code, BUS_E_SCHEMA);
  assert_non_null(strstr(run.err.text, "counters_v2"));
  bus_worker_free(run.worker);
  toy_teardown(&toy);
}
