/* Messages that cannot be processed: retried, parked with cause and history, and how the guilty one is found. */
#include "toy.h"

#include <bus/history.h>
#include <test.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* A message that cannot be decoded or comes from the wrong sender is dead-lettered alone. */
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
                              "' admin/7\\.8\\.9 BUS_E_UNKNOWN_TYPE type is unknown to this version$')"),
                   0);
  read_history(&toy, dead, history);
  (void)snprintf(sql, sizeof sql, PARKED " WHERE history = '%s'", history);
  assert_int_equal(toy_number(&toy, sql), 1);
  toy_teardown(&toy);
}

static struct bus_worker *child_worker;

static void stop_child(int number) {
  (void)number;
  bus_worker_stop(child_worker); /* NOLINT(bugprone-signal-handler,cert-sig30-c): worker.h says it may be called here */
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
      struct bus_error err;
      alarm(8);
      if (!bus_worker_new(&toy.service, &toy.topology, &toy.settings, NULL, &child_worker, &err))
        _exit(1);
      (void)signal(SIGTERM, stop_child);
      _exit(!bus_worker_run(child_worker, &err));
    }
    int status = 0;
    for (int waited = 0; waited < 100 && waitpid(child, &status, WNOHANG) == 0; waited++) {
      toy_sleep_ms(100);
      if (toy_number(&toy, PARKED) == 1 && toy_number(&toy, SUM) == 29)
        (void)kill(child, SIGTERM); /* not SIGKILL: the row stands before the message is in the dead queue, and acked */
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
