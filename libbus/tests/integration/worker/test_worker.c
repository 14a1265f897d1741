/* The batch pipeline against real servers: each message is processed once, by whichever worker, and queries are
 * answered. */
#include "toy.h"

#include <test.h>

#include <stdio.h>
#include <unistd.h>

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
