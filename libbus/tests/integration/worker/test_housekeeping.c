/* Tests the worker's work outside batches: periodics, confirmed rows, unroutable rows, records and their age. */
#include "toy.h"

#include <test.h>

#include <stdio.h>

static void ignore_rows(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context;
  (void)worker;
  (void)rows;
}

/* It rides on every batch, and no message is to blame. */
TEST(a_periodic_that_fails_each_time_harms_no_message)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  struct bus_statement statements[8];
  size_t count = toy.service.statement_count;
  memcpy(statements, toy.service.statements, count * sizeof *statements);
  statements[count] =
      (struct bus_statement){"SELECT (1 / (SELECT min(1 - x) FROM generate_series(1, 1) x))::bigint", ""};
  const struct bus_periodic periodic = {.statement = count, .interval_ms = 1, .rows = ignore_rows};
  toy.service.statements = statements;
  toy.service.statement_count = count + 1;
  toy.service.periodics = &periodic;
  toy.service.periodic_count = 1;
  toy.settings.batch_max = 10;
  for (unsigned i = 0; i < 500; i++)
    (void)toy_publish(&toy, i % 20, 1);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, SUM, 500, 20);
  toy_await(&toy, OUTBOX, 0, 10);
  assert_in_range(toy_cpu_in(1000), 0, 150);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  assert_int_equal(toy_number(&toy, "SELECT count(*) FROM bus.inbox"), 500);
  toy_await_depth(&toy, toy.events, 500, 5);
  toy_teardown(&toy);
}

/* Rows of before the server's clock was set back; what is unroutable is put off for minutes as ever. */
TEST(rows_that_are_due_in_a_far_future_are_sent_soon)
{
  struct toy toy;
  struct toy_run run;
  char sql[512];
  toy_setup(&toy);
  (void)snprintf(sql, sizeof sql,
                 "INSERT INTO bus.outbox (id, type, body, unroutable, next_attempt_at) SELECT gen_random_uuid(), '%s', "
                 "'{\"counter\":\"00000000-0000-4000-8000-000000000001\",\"n\":1}', put_off, now() + due FROM (VALUES "
                 "(false, interval '10 minutes'), (true, interval '10 minutes'), (true, interval '4 minutes'), "
                 "(false, interval '25 seconds')) AS row (put_off, due)",
                 toy_added_type.type);
  toy_execute(&toy, sql);
  toy_start(&toy, &run);
  toy_await(&toy, OUTBOX, 2, 15);
  toy_await_depth(&toy, toy.events, 2, 5);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, "SELECT count(*) FROM bus.outbox WHERE unroutable AND attempts = 0"), 1);
  assert_int_equal(toy_number(&toy, "SELECT count(*) FROM bus.outbox WHERE NOT unroutable AND attempts = 0"), 1);
  toy_teardown(&toy);
}

/* Confirmed rows that cannot be deleted: messages go on, and nothing spins. */
TEST(housekeeping_that_fails_each_time_neither_spins_nor_harms)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_execute(&toy,
              "CREATE SEQUENCE toy.tries; CREATE FUNCTION toy.on_delete() RETURNS trigger LANGUAGE plpgsql AS $$ "
              "BEGIN PERFORM nextval('toy.tries'); RAISE check_violation; END $$; "
              "CREATE TRIGGER on_delete BEFORE DELETE ON bus.outbox FOR EACH ROW EXECUTE FUNCTION toy.on_delete()");
  toy_start(&toy, &run);
  for (unsigned i = 0; i < 5; i++) {
    (void)toy_publish(&toy, i, 1);
    toy_await(&toy, SUM, i + 1, 10);
    toy_sleep_ms(300);
  }
  int64_t before = toy_number(&toy, TRIES);
  toy_sleep_ms(1500);
  assert_in_range(toy_number(&toy, TRIES) - before, 1, 10);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  toy_execute(&toy, "DROP TRIGGER on_delete ON bus.outbox");
  toy_await(&toy, OUTBOX, 0, 10);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, "SELECT count(*) FROM bus.inbox"), 5);
  toy_teardown(&toy);
}

/* After days without a queue the backoff is still a number. */
TEST(an_old_unroutable_row_is_still_tried)
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
  toy_execute(&toy, "UPDATE bus.outbox SET next_attempt_at = now(), attempts = 5000");
  toy_await(&toy, OUTBOX " WHERE attempts > 5000 AND next_attempt_at > now() + interval '4 minutes'", 1, 10);
  (void)toy_publish(&toy, 2, 1);
  toy_await(&toy, SUM, TOY_UNHEARD + 1, 10);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, PARKED), 0);
  toy_teardown(&toy);
}

/* A cause that is cut in the middle of a character, or holds a control character of two bytes, is made harmless, not
 * left out of the operator's record. */
TEST(records_a_cause_that_was_cut)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  (void)toy_publish(&toy, 1, TOY_PARK);
  toy_flush(&toy);
  toy_start(&toy, &run);
  toy_await(&toy, PARKED " WHERE cause LIKE 'parked on request??:%é?'", 1, 10);
  toy_stop(&run);
  toy_teardown(&toy);
}

TEST(a_start_is_refused_where_the_inbox_forgets_too_soon)
{
  struct toy toy;
  struct bus_worker *worker = NULL;
  struct bus_error err;
  toy_setup(&toy);
  toy.settings.inbox_keep_h = 24;
  assert_false(bus_worker_new(&toy.service, &toy.topology, &toy.settings, NULL, &worker, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_non_null(strstr(err.text, "INBOX_KEEP_H is 24"));
  assert_true(bus_worker_new(&toy.query_service, &toy.topology, &toy.settings, NULL, &worker, &err)); /* has no inbox */
  bus_worker_free(worker);
  toy_teardown(&toy);
}

/* Ids of a week ago and older are forgotten, in bounded steps; a late retry of an old message is not. */
TEST(forgets_what_was_processed_a_week_ago)
{
  struct toy toy;
  struct toy_run run;
  toy_setup(&toy);
  toy_execute(&toy, "CREATE FUNCTION toy.v7(at timestamptz, n bigint) RETURNS uuid LANGUAGE sql AS $$ SELECT "
                    "(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7000' || "
                    "'8' || lpad(to_hex(n), 15, '0'))::uuid $$;"
                    "INSERT INTO bus.inbox SELECT toy.v7(now() - interval '8 days', n), now() - interval '8 days' "
                    "FROM generate_series(1, 7000) AS n;"
                    "INSERT INTO bus.inbox SELECT toy.v7(now() - interval '6 days', n), now() - interval '6 days' "
                    "FROM generate_series(1, 20) AS n;"
                    "INSERT INTO bus.inbox VALUES (toy.v7(now() - interval '8 days', 9000), now() - interval '1 day');"
                    "INSERT INTO bus.suspects VALUES (toy.v7(now(), 1), 1, now() - interval '8 days'), "
                    "(toy.v7(now(), 2), 1, now())");
  toy_start(&toy, &run);
  toy_await(&toy, "SELECT count(*) FROM bus.inbox", 21, 10);
  toy_stop(&run);
  assert_int_equal(toy_number(&toy, "SELECT count(*) FROM bus.suspects"), 1);
  toy_teardown(&toy);
}
