/* bus/testing.h: a program over a broker, a database and a clock in memory. */
#include "sample.h"

#include <bus/testing.h>

#include <stdio.h>
#include <test.h>

static const struct bus_uuid first = {{1}}, second = {{2}};

static struct bus_test *begin(void) {
  struct bus_test *test = sample_test();
  assert_non_null(test);
  return test;
}

static void add(struct bus_test *test, const struct bus_uuid *id, int64_t by) {
  (void)BUS_TEST_SEND(test, counter_add, id, &(struct counter_add){.counter = *id, .by = by});
}

static void run(struct bus_test *test) {
  struct bus_error err = {.code = BUS_OK};
  if (!bus_test_run(test, &err))
    fail_msg("%s", err.text);
}

static void advance(struct bus_test *test, int64_t milliseconds) {
  struct bus_error err = {.code = BUS_OK};
  if (!bus_test_advance(test, milliseconds, &err))
    fail_msg("%s", err.text);
}

static void expect_count(const struct bus_test *test, const struct bus_uuid *id, int64_t n) {
  const struct counter *counter = bus_test_row(test, &counter_table, id);
  assert_non_null(counter);
  assert_int_equal(counter->n, n);
}

TEST(a_batch_writes_its_rows_and_publishes_its_events)
{
  struct bus_test *test = begin();
  add(test, &first, 2);
  add(test, &first, 3);
  add(test, &second, 4);
  run(test);
  expect_count(test, &first, 5);
  expect_count(test, &second, 4);
  assert_int_equal(bus_test_row_count(test, &counter_table), 2);
  assert_int_equal(bus_test_published_count(test), 3);
  assert_int_equal(BUS_TEST_PUBLISHED(test, counter_added, 1)->by, 3);
  assert_null(BUS_TEST_PUBLISHED(test, counter_added, 3));
  assert_null(BUS_TEST_PUBLISHED(test, counter_heard, 0));
  const struct bus_test_message *message = bus_test_published(test, 2);
  assert_true(bus_str_is(message->envelope->user_id, "counter-svc"));
  assert_true(bus_uuid_equal(&message->envelope->correlation_id, &second));
  assert_int_equal(bus_test_outcomes(test).done, 3);
  bus_test_free(test);
}

TEST(rows_that_a_test_puts_are_loaded_and_updated)
{
  struct bus_test *test = begin();
  const struct counter there = {.id = first, .n = 40, .tag = "old", .reset_at = BUS_NO_TIME};
  bus_test_put(test, &counter_table, &there);
  add(test, &first, 2);
  run(test);
  expect_count(test, &first, 42);
  const struct counter *counter = bus_test_row(test, &counter_table, &first);
  assert_string_equal(counter->tag, "old"); /* BUS_FIXED: not in the update */
  assert_int_equal(counter->reset_at, BUS_TEST_BEGIN + SAMPLE_RESET_AFTER);
  assert_null(bus_test_row(test, &counter_table, &second));
  bus_test_free(test);
}

TEST(a_second_delivery_changes_nothing)
{
  struct bus_test *test = begin();
  add(test, &first, 2);
  run(test);
  bus_test_send_again(test);
  run(test);
  expect_count(test, &first, 2);
  assert_int_equal(bus_test_outcomes(test).duplicate, 1);
  assert_int_equal(bus_test_published_count(test), 1);
  bus_test_free(test);
}

TEST(a_retry_comes_back_after_its_tier)
{
  struct bus_test *test = begin();
  add(test, &first, SAMPLE_RETRIED);
  run(test);
  assert_int_equal(bus_test_outcomes(test).retried, 1);
  assert_int_equal(bus_test_row_count(test, &counter_table), 0);
  advance(test, 999);
  assert_int_equal(bus_test_row_count(test, &counter_table), 0);
  advance(test, 1);
  expect_count(test, &first, SAMPLE_RETRIED);
  bus_test_free(test);
}

TEST(a_parked_message_is_a_dead_letter_with_its_cause)
{
  struct bus_test *test = begin();
  add(test, &first, SAMPLE_PARKED);
  add(test, &second, 1);
  run(test);
  assert_int_equal(bus_test_dead_count(test), 1);
  const struct bus_test_dead *dead = bus_test_dead(test, 0);
  assert_true(bus_str_is(dead->queue, "counter-svc") && bus_str_is(dead->cause, "an unlucky number"));
  assert_true(bus_str_is(dead->cause_class, "permanent"));
  assert_true(bus_uuid_equal(&dead->envelope->correlation_id, &first));
  assert_int_equal(bus_test_row_count(test, &counter_table), 1);
  bus_test_free(test);
}

TEST(a_body_that_the_field_table_refuses_is_a_dead_letter)
{
  struct bus_test *test = begin();
  (void)bus_test_send_text(test, &counter_add_type, &first, BUS_STR("{\"counter\":7}"));
  run(test);
  assert_int_equal(bus_test_dead_count(test), 1);
  assert_non_null(strstr(bus_test_dead(test, 0)->cause.data, "counter must be"));
  bus_test_free(test);
}

TEST(queries_and_requests_are_answered)
{
  struct bus_test *test = begin();
  struct bus_uuid asked = BUS_TEST_SEND(test, counter_set, &first, &(struct counter_add){.counter = first, .by = 9});
  run(test);
  (void)BUS_TEST_SEND(test, counter_get, &first, &(struct counter_add){.counter = first});
  run(test);
  assert_int_equal(bus_test_published_count(test), 2);
  assert_int_equal(BUS_TEST_PUBLISHED(test, counter_found, 0)->by, 9);
  assert_int_equal(BUS_TEST_PUBLISHED(test, counter_found, 1)->by, 9);
  assert_true(bus_uuid_equal(&bus_test_published(test, 0)->envelope->causation_id, &asked));
  bus_test_free(test);
}

TEST(deadlines_come_due_by_the_clock_of_the_test)
{
  struct bus_test *test = begin();
  add(test, &first, 5);
  run(test);
  advance(test, 59000);
  expect_count(test, &first, 5);
  advance(test, 2000);
  expect_count(test, &first, 0);
  assert_int_equal(bus_test_now(test), BUS_TEST_BEGIN + 61 * BUS_SECOND);
  bus_test_free(test);
}

TEST(a_commit_that_is_refused_is_tried_again)
{
  static const enum bus_errc codes[] = {BUS_E_DB_CONFLICT, BUS_E_DB_CONNECTION, BUS_E_DB_FAULT};
  for (size_t i = 0; i < BUS_COUNT(codes); i++) {
    struct bus_test *test = begin();
    add(test, &first, 5);
    bus_test_refuse_commit(test, codes[i]);
    run(test);
    expect_count(test, &first, 5);
    assert_int_equal(bus_test_published_count(test), 1);
    bus_test_free(test);
  }
}

TEST(a_row_that_the_table_refuses_blames_its_message_alone)
{
  struct bus_test *test = begin();
  add(test, &first, SAMPLE_REFUSED);
  add(test, &second, 1);
  run(test);
  expect_count(test, &second, 1);
  assert_null(bus_test_row(test, &counter_table, &first));
  assert_int_equal(bus_test_dead_count(test), 1);
  assert_non_null(strstr(bus_test_dead(test, 0)->cause.data, "the table does not take that row"));
  bus_test_free(test);
}

TEST(a_mandatory_message_that_no_queue_takes_is_returned_and_harms_nothing)
{
  struct bus_test *test = begin();
  add(test, &first, SAMPLE_MOST);
  run(test);
  expect_count(test, &first, SAMPLE_MOST);
  assert_int_equal(BUS_TEST_PUBLISHED(test, counter_heard, 0)->by, SAMPLE_MOST);
  assert_true(bus_test_published(test, 0)->returned && !bus_test_published(test, 1)->returned);
  bus_test_free(test);
}

/* ---- by an aggregate ---- */

TEST(an_aggregate_has_the_statements_and_the_steps_of_a_batch)
{
  struct bus_test *test = sample_short_test();
  assert_non_null(test);
  add(test, &first, 2);
  add(test, &first, 3);
  run(test);
  add(test, &first, 4); /* an update */
  add(test, &second, 1);
  run(test);
  expect_count(test, &first, 9);
  expect_count(test, &second, 1);
  (void)BUS_TEST_SEND(test, counter_get, &first, &(struct counter_add){.counter = first});
  (void)BUS_TEST_SEND(test, counter_set, &second, &(struct counter_add){.counter = second, .by = 8});
  run(test);
  assert_int_equal(BUS_TEST_PUBLISHED(test, counter_found, 0)->by + BUS_TEST_PUBLISHED(test, counter_found, 1)->by, 17);
  expect_count(test, &second, 8);
  advance(test, 61000); /* deadlines, by a statement of the service's own */
  expect_count(test, &first, 0);
  bus_test_free(test);
}

TEST(an_aggregate_beside_functions_that_it_replaces_is_refused)
{
  struct bus_program program = counter_short_program;
  struct bus_service commands = *program.commands;
  struct bus_test *test = NULL;
  struct bus_error err = {.code = BUS_OK};
  commands.open = bus_worker_is_context;
  program.commands = &commands;
  assert_false(bus_test_new(&program, &test, &err));
  assert_string_equal(err.text,
                      "counter-svc has an aggregate, which takes the place of open, lock, load and store: leave "
                      "these out");
}

/* ---- faults of a test ---- */

static void expect_failure(struct bus_test *test, const char *part) {
  struct bus_error err = {.code = BUS_OK};
  assert_false(bus_test_run(test, &err));
  if (!strstr(err.text, part))
    fail_msg("%s", err.text);
  assert_false(bus_test_advance(test, 1000, &err)); /* it stays failed */
  bus_test_free(test);
}

TEST(a_statement_without_an_answer_is_named)
{
  struct bus_test *test = NULL;
  bus_test_free(begin()); /* makes the statements */
  assert_true(bus_test_new(&counter_program, &test, NULL));
  add(test, &first, 1);
  expect_failure(test, "statement 0 of counter-svc, \"SELECT t.id, t.n, t.tag, t.reset_at FROM counters.counters");
}

TEST(a_message_that_no_queue_takes_is_named)
{
  struct bus_test *test = begin();
  (void)BUS_TEST_SEND(test, counter_added, &first, &(struct counter_add){.counter = first});
  expect_failure(test, "counter.added.v1 was sent, but no queue of the topology takes it");
}

TEST(a_program_with_a_fault_is_refused)
{
  struct bus_program program = counter_program;
  struct bus_topology_part part = *program.part;
  struct bus_test *test = NULL;
  struct bus_error err = {.code = BUS_OK};
  part.queue_count = 1;
  program.part = &part;
  assert_false(bus_test_new(&program, &test, &err));
  assert_string_equal(err.text, "counter-svc has no queue for its requests: add one to its part of the topology");
  bus_test_free(NULL);
}
