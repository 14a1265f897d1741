/* A batch that fails: how often it is tried whole, how long it is searched, who is blamed, and what waits meanwhile. */
#include "machine.h"
#include "machine_rig.h"

#include <test.h>

#include "blame.h"

#define LONG_ENOUGH (30 * BUS_SECOND) /* for the pause before the next try */
enum { WHOLE_TRIES = 3, BLAMED_WITHOUT_PROOF = 5, DEATHS = 3 };

static const uint8_t first[] = {1}, second[] = {2};

/* ---- the log ---- */

static struct {
  enum bus_level level;
  const char *msg;
  size_t times;
} awaited;

static void note(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)context, (void)fields;
  awaited.times += level == awaited.level && strcmp(msg, awaited.msg) == 0;
}

static void await_line(struct machine *machine, enum bus_level level, const char *msg) {
  awaited.level = level;
  awaited.msg = msg;
  awaited.times = 0;
  machine->pipeline->setup.log.write = note;
}

/* ---- steps ---- */

static struct machine *connected(void) {
  struct machine *machine = machine_new();
  machine_connect(machine);
  return machine;
}

static void begin(struct machine *machine, int64_t later) {
  machine_tick(machine, later);
  machine_expect_trip(machine, BUS_TRIP_1);
}

/* One that has begun a batch of the first messages. */
static struct machine *trying(uint8_t messages) {
  struct machine *machine = connected();
  for (uint8_t i = 1; i <= messages; i++)
    machine_deliver(machine, i, i);
  begin(machine, 0);
  return machine;
}

static void roll_back(struct machine *machine, enum bus_errc code) {
  machine_failed(machine, code, true, false);
  machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
  machine_done(machine, NULL, 0);
}

static void expect_rest(const struct machine *machine, size_t deferred) {
  assert_null(machine_action(machine, BUS_DO_TRIP, 0));
  machine_expect_phase(machine, "idle");
  assert_int_equal(intake_deferred_count(&machine->pipeline->intake), deferred);
}

static void commit(struct machine *machine, const uint8_t *fresh, size_t count) {
  machine_done(machine, fresh, count);
  machine_expect_trip(machine, BUS_TRIP_2);
  machine_committed(machine);
}

static enum bus_message_outcome outcome(const struct machine *machine) {
  const struct bus_pipeline_action *count = machine_action(machine, BUS_DO_COUNT_MESSAGE, 0);
  assert_non_null(count);
  return count->message.outcome;
}

/* ---- whole batches and parts ---- */

TEST(a_batch_that_meets_a_fault_is_tried_whole_three_times_and_then_in_halves)
{
  struct machine *machine = trying(2);
  for (int tries = 1; tries < WHOLE_TRIES; tries++) {
    roll_back(machine, BUS_E_DB_FAULT);
    expect_rest(machine, 2);
    begin(machine, LONG_ENOUGH);
  }
  roll_back(machine, BUS_E_DB_FAULT);
  machine_expect_trip(machine, BUS_TRIP_1);
  assert_int_equal(machine->pipeline->attempt.count, 1);
  machine_free(machine);
}

/* Too many of the type were blamed already, so no message of this batch is. */
static struct machine *searching_for(int64_t time) {
  struct machine *machine = trying(2);
  stall_type(&machine->pipeline->stall, &part_rig_type)->blamed = BLAME_WITHOUT_COMMIT;
  roll_back(machine, BUS_E_DB_DATA);
  machine_expect_trip(machine, BUS_TRIP_1); /* the first half */
  machine->now += time;
  roll_back(machine, BUS_E_DB_DATA);
  return machine;
}

TEST(a_batch_is_searched_for_ten_seconds_while_no_part_of_it_commits)
{
  struct machine *machine = searching_for(9 * BUS_SECOND);
  machine_expect_trip(machine, BUS_TRIP_1); /* the second half */
  machine_free(machine);
  machine = searching_for(11 * BUS_SECOND);
  expect_rest(machine, 2);
  machine_free(machine);
}

/* ---- blame ---- */

/* The database may refuse a value of every message of the type: few are put into the dead queue before one commits. */
TEST(few_messages_of_a_type_in_a_row_are_parked_for_their_values)
{
  struct machine *machine = connected();
  for (uint8_t i = 1; i <= (uint8_t)BLAMED_WITHOUT_PROOF; i++) {
    machine_deliver(machine, i, i);
    begin(machine, 0);
    roll_back(machine, BUS_E_DB_DATA);
    machine_expect_trip(machine, BUS_TRIP_1); /* records the refusal */
    commit(machine, NULL, 0);
    assert_int_equal(outcome(machine), BUS_MESSAGE_PARKED);
  }
  machine_deliver(machine, BLAMED_WITHOUT_PROOF + 1, BLAMED_WITHOUT_PROOF + 1);
  begin(machine, 0);
  roll_back(machine, BUS_E_DB_DATA);
  expect_rest(machine, 1);
  machine_free(machine);
}

TEST(a_message_over_which_three_sessions_died_is_put_off)
{
  for (int deaths = DEATHS - 1; deaths <= DEATHS; deaths++) {
    struct machine *machine = trying(1);
    for (int died = 0; died < deaths; died++) {
      machine_failed(machine, BUS_E_DB_CONNECTION, false, true);
      machine_tick(machine, 10 * BUS_SECOND);
      machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_DATABASE_UP});
      begin(machine, 0);
    }
    commit(machine, first, 1);
    assert_int_equal(outcome(machine), deaths < DEATHS ? BUS_MESSAGE_DONE : BUS_MESSAGE_RETRIED);
    machine_free(machine);
  }
}

/* It failed in a statement of its own, which is the first of the trip or any other. */
TEST(a_message_is_blamed_for_each_statement_of_its_own)
{
  for (long failed_at = 0; failed_at < 3; failed_at++) {
    struct machine *machine = trying(1);
    const struct bus_trip_result trip = {
        .error = {BUS_E_DB_DATA, "as the test wants it"}, .tag = "", .failed_at = failed_at, .in_transaction = true};
    machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_TRIP_FAILED, .trip = &trip});
    machine_done(machine, NULL, 0);
    commit(machine, NULL, 0);
    assert_int_equal(outcome(machine), BUS_MESSAGE_PARKED);
    machine_free(machine);
  }
}

/* No tier takes it, and the service finds it again. */
TEST(a_local_input_that_is_to_blame_is_dropped_with_an_error_line)
{
  const int64_t done = 1;
  struct machine *machine = connected();
  assert_true(bus_pipeline_push(machine->pipeline, BUS_INPUT_COMPLETION, &done, sizeof done));
  begin(machine, 0);
  await_line(machine, BUS_ERROR, "input dropped");
  roll_back(machine, BUS_E_DB_DATA);
  assert_int_equal(awaited.times, 1);
  expect_rest(machine, 0);
  machine_free(machine);
}

/* Housekeeping's second trip begins with it. */
TEST(rows_that_cannot_be_deleted_are_an_error_line_and_wait)
{
  const struct bus_trip_result failed = {
      .error = {BUS_E_DB_OTHER, "as the test wants it"}, .tag = "", .failed_at = 0, .in_transaction = true};
  struct machine *machine = trying(1);
  commit(machine, first, 1);
  machine_confirm(machine, 1, true);
  begin(machine, 300 * BUS_MILLISECOND);
  machine_done(machine, NULL, 0);
  machine_expect_trip(machine, BUS_TRIP_2);
  await_line(machine, BUS_ERROR,
             "confirmed rows of the outbox cannot be deleted; messages go on, and are sent again until then");
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_TRIP_FAILED, .trip = &failed});
  assert_int_equal(awaited.times, 1);
  assert_true(machine->pipeline->ledger.again_at == machine->now + BUS_SECOND);
  machine_free(machine);
}

/* ---- while no transaction commits ---- */

/* A second passes without a delivery; housekeeping is answered. */
static void settle(struct machine *machine) {
  for (int i = 0; i < 20 && !bus_pipeline_is_settled(machine->pipeline); i++) {
    machine_tick(machine, 100 * BUS_MILLISECOND);
    if (machine_action(machine, BUS_DO_TRIP, 0))
      commit(machine, NULL, 0);
  }
  assert_true(bus_pipeline_is_settled(machine->pipeline));
}

/* Messages that are kept may concern the same things as deadlines do. */
TEST(queues_are_settled_until_a_stall_begins)
{
  struct machine *machine = connected();
  settle(machine);
  machine_deliver(machine, 1, 1);
  begin(machine, 0);
  commit(machine, first, 1);
  assert_true(bus_pipeline_is_settled(machine->pipeline));
  machine_deliver(machine, 2, 2);
  begin(machine, 0);
  roll_back(machine, BUS_E_DB_FAULT);
  expect_rest(machine, 1);
  assert_false(bus_pipeline_is_settled(machine->pipeline));
  machine_free(machine);
}

TEST(messages_that_come_during_a_stall_are_tried_once_a_second)
{
  struct machine *machine = trying(1);
  (void)bus_uuid_source_random(&machine->pipeline->ids); /* by the next one the pause is longer than a second */
  roll_back(machine, BUS_E_DB_FAULT);
  machine_deliver(machine, 2, 2);
  machine_tick(machine, 0);
  expect_rest(machine, 1);
  machine_tick(machine, BUS_SECOND - 100 * BUS_MILLISECOND);
  assert_int_equal(machine->pipeline->batch.count, 0);
  if (machine_action(machine, BUS_DO_TRIP, 0)) /* housekeeping */
    commit(machine, NULL, 0);
  begin(machine, 100 * BUS_MILLISECOND);
  assert_int_equal(machine->pipeline->batch.entries[0]->tag, 2);
  machine_free(machine);
}

/* The pause of an earlier stall is over, or was never needed. */
TEST(each_stall_begins_with_a_pause)
{
  struct machine *machine = trying(1);
  roll_back(machine, BUS_E_DB_FAULT);
  begin(machine, LONG_ENOUGH);
  commit(machine, first, 1);
  machine_deliver(machine, 2, 2);
  begin(machine, 0);
  roll_back(machine, BUS_E_DB_FAULT);
  machine_tick(machine, BUS_SECOND / 2);
  expect_rest(machine, 1);
  begin(machine, LONG_ENOUGH);
  commit(machine, second, 1);
  machine_free(machine);
}

/* Each transaction finds the row again. */
TEST(a_row_that_is_due_is_tried_once_a_second_while_the_database_refuses_it)
{
  const struct bus_uuid due = {{1}};
  struct machine *machine = connected();
  assert_true(bus_pipeline_push(machine->pipeline, BUS_INPUT_DEADLINE, &due, sizeof due));
  begin(machine, 0);
  assert_false(bus_pipeline_waits(machine->pipeline, &due));
  roll_back(machine, BUS_E_DB_FAULT);
  assert_true(bus_pipeline_waits(machine->pipeline, &due));
  machine_tick(machine, BUS_SECOND - 100 * BUS_MILLISECOND);
  assert_true(bus_pipeline_waits(machine->pipeline, &due));
  machine_tick(machine, 100 * BUS_MILLISECOND);
  assert_false(bus_pipeline_waits(machine->pipeline, &due));
  machine_free(machine);
}

/* The row of one local input is a commit like that of many messages. */
TEST(a_local_input_that_commits_ends_a_stall)
{
  const int64_t done = 1;
  struct machine *machine = connected();
  assert_true(bus_pipeline_push(machine->pipeline, BUS_INPUT_COMPLETION, &done, sizeof done));
  begin(machine, 0);
  roll_back(machine, BUS_E_DB_FAULT);
  assert_int_equal(machine->actions.counts[BUS_COUNT_STALLED], 1);
  begin(machine, LONG_ENOUGH);
  await_line(machine, BUS_INFO, "transactions commit again");
  commit(machine, NULL, 0);
  assert_int_equal(awaited.times, 1);
  assert_int_equal(machine->actions.counts[BUS_COUNT_STALLED], -1);
  machine_free(machine);
}

/* ---- suspects ---- */

/* Its rollback finds no database, so the count cannot be taken back either. */
TEST(a_suspect_that_stays_counted_is_a_warning)
{
  struct machine *machine = connected();
  struct bus_delivery delivery = machine_delivery(1, 1);
  delivery.envelope.redelivered = true;
  machine_deliver_as(machine, &delivery);
  machine_tick(machine, 0);
  machine_expect_trip(machine, BUS_TRIP_SUSPECT);
  machine_failed(machine, BUS_E_DB_FAULT, false, false);
  machine_expect_trip(machine, BUS_TRIP_1);
  machine_failed(machine, BUS_E_DB_FAULT, true, false);
  machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
  await_line(machine, BUS_WARN, "a message that crashed nothing stays counted");
  machine_failed(machine, BUS_E_DB_CONNECTION, false, true);
  assert_int_equal(awaited.times, 1);
  expect_rest(machine, 1);
  machine_free(machine);
}
