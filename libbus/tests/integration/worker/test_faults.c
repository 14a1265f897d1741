/* A fault of the database is blamed on no message: while no transaction commits, messages stay unacked and uncounted,
 * deadlines wait, and what others prove to be one message's own fault is put off. */
#include "toy.h"

#include <test.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static int64_t messages(const char *outcome) {
  char series[128];
  (void)snprintf(series, sizeof series, "bus_messages_total{type=\"%s\",outcome=\"%s\"} ", toy_add_type.type, outcome);
  return toy_metric(series);
}

static void drop_trigger(struct toy *toy, const char *table) {
  char sql[128];
  (void)snprintf(sql, sizeof sql, "DROP TRIGGER on_write ON %s", table);
  toy_execute(toy, sql);
}

/* As after a REVOKE on one table: SQLSTATE 42501 for every message. The trigger's sequence counts the tries. */
TEST(a_missing_grant_sends_no_message_to_a_retry_tier)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_on_write(&toy, "toy.counters", "true", "RAISE insufficient_privilege");
  for (unsigned i = 0; i < 40; i++)
    (void)toy_publish(&toy, i, 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, "SELECT least(last_value, 20) FROM toy.tries", 20, 30); /* whole three times, then in halves */
  assert_int_equal(toy_metric("bus_stalled_workers "), 1);
  int64_t before = toy_number(&toy, TRIES);
  (void)toy_publish(&toy, 50, 1);
  toy_flush(&toy);
  toy_sleep_ms(1500);
  assert_true(toy_number(&toy, TRIES) > before);
  assert_int_equal(toy_number(&toy, INBOX), 0);
  drop_trigger(&toy, "toy.counters");
  toy_await(&toy, SUM, 41, 10);
  toy_await(&toy, OUTBOX, 0, 10);
  assert_int_equal(toy_metric("bus_stalled_workers "), 0);
  assert_int_equal(messages("retried"), 0);
  assert_int_equal(messages("done"), 41);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  toy_await_depth(&toy, toy.queue, 0, 5);
  toy_teardown(&toy);
}

/* Each process tries the redelivered message alone, and each attempt ends: it crashed none of them. */
TEST(restarts_while_the_database_refuses_park_no_message)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_on_write(&toy, "toy.counters", "true", "RAISE insufficient_privilege");
  (void)toy_publish(&toy, 1, 1);
  toy_flush(&toy);
  for (int i = 0; i < 6; i++) {
    (void)toy_number(&toy, "SELECT setval('toy.tries', 1, false)");
    toy_start(&toy, &run);
    toy_await(&toy, "SELECT least(last_value, 2) FROM toy.tries", 2, 20);
    toy_stop(&run);
  }
  drop_trigger(&toy, "toy.counters");
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 1, 10);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  assert_int_equal(toy_number(&toy, "SELECT count(*) FROM bus.suspects"), 0);
  toy_teardown(&toy);
}

/* Commits of what writes nothing, such as a repeated command, say nothing about the table that refuses. */
TEST(a_commit_without_a_write_proves_no_message_guilty)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_on_write(&toy, "toy.counters", "true", "RAISE insufficient_privilege");
  for (unsigned i = 0; i < 20; i++)
    (void)toy_publish(&toy, i, 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, "SELECT least(last_value, 20) FROM toy.tries", 20, 30);
  for (unsigned i = 0; i < 8; i++) {
    (void)toy_publish(&toy, 100 + i, TOY_NOTHING);
    toy_flush(&toy);
    toy_await(&toy, INBOX, i + 1, 20);
  }
  assert_int_equal(messages("retried"), 0);
  assert_int_equal(toy_metric("bus_stalled_workers "), 1);
  drop_trigger(&toy, "toy.counters");
  toy_await(&toy, SUM, 20, 35);
  assert_int_equal(messages("retried"), 0);
  toy_stop(&run);
  toy_teardown(&toy);
}

/* The same for a table lock that outlives lock_timeout, and for a server's internal error. */
TEST(neither_a_table_lock_nor_an_internal_error_is_blamed_on_messages)
{
  static const char *const raised[] = {"RAISE lock_not_available", "RAISE internal_error", "RAISE undefined_table"};
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_start(&toy, &run);
  for (unsigned i = 0; i < BUS_COUNT(raised); i++) {
    toy_on_write(&toy, "toy.counters", "true", raised[i]);
    (void)toy_number(&toy, "SELECT setval('toy.tries', 1, false)");
    (void)toy_publish(&toy, i, 1);
    toy_flush(&toy);
    toy_await(&toy, "SELECT least(last_value, 2) FROM toy.tries", 2, 20);
    drop_trigger(&toy, "toy.counters");
    toy_await(&toy, SUM, i + 1, 15);
  }
  assert_int_equal(messages("retried"), 0);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  toy_teardown(&toy);
}

/* Others commit, so it is that message's own; its neighbours wait some seconds at most. */
TEST(what_fails_while_others_commit_is_put_off)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_on_write(&toy, "toy.counters", "NEW.n = 777", "RAISE insufficient_privilege");
  toy.settings.give_up_ms = 1;
  toy.topology.tier_count = 1; /* parked at the second visit */
  for (unsigned i = 0; i < 20; i++)
    (void)toy_publish(&toy, i, i == 2 ? 777 : 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 19, 15);
  (void)toy_publish(&toy, 30, 1);
  toy_flush(&toy);
  toy_await(&toy, SUM, 20, 10);
  for (unsigned i = 31; toy_number(&toy, PARKED) == 0 && i < 60; i++) {
    (void)toy_publish(&toy, i, 1); /* proof, each time that it comes back */
    toy_flush(&toy);
    toy_sleep_ms(500);
  }
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED " WHERE cause_class = 'BUS_E_DB_FAULT' AND cause LIKE '%42501%'"), 1);
  toy_teardown(&toy);
}

/* No other message comes that could prove it. Its inbox row is inserted, so the database works; without that the
 * message would stay unacked. */
TEST(what_fails_alone_for_long_is_put_off_once_a_probe_succeeds)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_on_write(&toy, "toy.counters", "true", "RAISE insufficient_privilege");
  toy_execute(&toy, "CREATE FUNCTION toy.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    "RAISE insufficient_privilege; END $$;"
                    "CREATE TRIGGER refuse BEFORE INSERT ON bus.inbox FOR EACH ROW EXECUTE FUNCTION toy.refuse()");
  toy.settings.blame_after_ms = 1500; /* what it is about; 5 minutes by default */
  (void)toy_publish(&toy, 1, 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  for (int i = 0; i < 200 && toy_metric("bus_batches_total{worker=\"command\",outcome=\"fault\"} ") < 6; i++)
    toy_sleep_ms(100);
  assert_int_equal(messages("retried"), 0);
  toy_execute(&toy, "DROP TRIGGER refuse ON bus.inbox");
  for (int i = 0; i < 600 && messages("retried") == 0; i++)
    toy_sleep_ms(100);
  assert_true(messages("retried") > 0);
  drop_trigger(&toy, "toy.counters");
  toy_await(&toy, SUM, 1, 15);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  toy_teardown(&toy);
}

/* As after a migration with a CHECK that no message keeps: few are dead-lettered before anybody looks. */
TEST(a_check_that_every_message_violates_dead_letters_few)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_execute(&toy, "ALTER TABLE toy.counters ADD CONSTRAINT wrong CHECK (n < 0) NOT VALID");
  for (unsigned i = 0; i < 100; i++)
    (void)toy_publish(&toy, i, 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, PARKED, 5, 15);
  toy_sleep_ms(2500);
  assert_int_equal(toy_number(&toy, PARKED), 5);
  toy_execute(&toy, "ALTER TABLE toy.counters DROP CONSTRAINT wrong");
  toy_await(&toy, SUM, 95, 15);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED), 5);
  assert_int_equal(messages("retried"), 0);
  toy_teardown(&toy);
}

static atomic_int deadlines;
static void count_deadline(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context;
  (void)worker;
  (void)rows;
  deadlines++;
}

/* A deadline is not applied while the database accepts no message that might have met it. */
TEST(deadlines_wait_while_no_batch_commits)
{
  struct toy toy;
  struct toy_run run;
  struct bus_statement statements[8];
  toy_setup(&toy);
  size_t count = toy.service.statement_count;
  memcpy(statements, toy.service.statements, count * sizeof *statements);
  statements[count] = (struct bus_statement){"SELECT 1::bigint", ""};
  const struct bus_periodic periodic = {
      .statement = count, .interval_ms = 50, .when_settled = true, .rows = count_deadline};
  toy.service.statements = statements;
  toy.service.statement_count = count + 1;
  toy.service.periodics = &periodic;
  toy.service.periodic_count = 1;
  toy.settings.settle_max_ms = 1000; /* long over before the fault is */
  deadlines = 0;
  toy_start(&toy, &run);
  for (int i = 0; i < 200 && deadlines == 0; i++)
    toy_sleep_ms(50);
  assert_true(deadlines > 0);
  toy_on_write(&toy, "toy.counters", "true", "RAISE insufficient_privilege");
  (void)toy_publish(&toy, 1, 1);
  toy_flush(&toy);
  toy_await(&toy, "SELECT least(last_value, 1) FROM toy.tries WHERE is_called", 1, 10);
  toy_sleep_ms(200);
  int before = deadlines;
  toy_sleep_ms(3000);
  assert_int_equal(deadlines, before);
  drop_trigger(&toy, "toy.counters");
  while (toy_number(&toy, SUM) == 0)
    toy_sleep_ms(10);
  for (int i = 0; i < 200 && deadlines == before; i++)
    toy_sleep_ms(50);
  assert_true(deadlines > before);
  toy_stop(&run);
  toy_teardown(&toy);
}
