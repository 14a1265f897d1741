/* The machine over scripts of events: a batch from its delivery to its ack, and each way in which it can fail. */
#include "machine_rig.h"

#include <test.h>

static const uint8_t both[] = {1, 2};

/* A delivery has come, and trip 1 is under way. */
static struct machine *trip_1(uint8_t deliveries) {
  struct machine *machine = machine_new();
  machine_connect(machine);
  for (uint8_t i = 1; i <= deliveries; i++)
    machine_deliver(machine, i, i);
  machine_expect_phase(machine, "idle");
  machine_tick(machine, 0);
  machine_expect_trip(machine, BUS_TRIP_1);
  return machine;
}

static struct machine *trip_2(uint8_t deliveries) {
  struct machine *machine = trip_1(deliveries);
  machine_done(machine, both, deliveries);
  machine_expect_trip(machine, BUS_TRIP_2);
  machine_expect_phase(machine, "trip 2");
  return machine;
}

TEST(a_batch_is_published_after_its_commit_and_acked_with_the_next_ones)
{
  struct machine *machine = trip_2(2);
  assert_null(machine_action(machine, BUS_DO_PUBLISH, 0));
  machine_committed(machine);
  const struct bus_pipeline_action *publish = machine_action(machine, BUS_DO_PUBLISH, 0);
  assert_non_null(publish);
  assert_int_equal(publish->publish.seq, 1);
  assert_int_equal(publish->publish.publication.envelope->bundle_count, 2); /* both events travel together */
  assert_non_null(machine_action(machine, BUS_DO_COUNT_MESSAGE, 1));
  assert_non_null(machine_action(machine, BUS_DO_FLUSH, 0));
  assert_null(machine_action(machine, BUS_DO_ACK, 0));
  machine_tick(machine, 0);
  assert_null(machine_action(machine, BUS_DO_ACK, 0));
  machine_tick(machine, 95 * BUS_MILLISECOND);
  const struct bus_pipeline_action *ack = machine_action(machine, BUS_DO_ACK, 0);
  assert_non_null(ack);
  assert_int_equal(ack->tag, 2);
  machine_free(machine);
}

/* A batch of three takes four milliseconds; the next three came during it. */
static void slow_batch(struct machine *machine, uint8_t first) {
  enum { COUNT = 3 };
  const uint8_t ids[COUNT] = {first, (uint8_t)(first + 1), (uint8_t)(first + 2)};
  machine_expect_trip(machine, BUS_TRIP_1);
  machine->now += 2 * BUS_MILLISECOND;
  machine_done(machine, ids, COUNT);
  for (size_t i = COUNT; i < (size_t)2 * COUNT; i++)
    machine_deliver(machine, first + i, (uint8_t)(first + i));
  machine->now += 2 * BUS_MILLISECOND;
  machine_committed(machine);
}

/* Fewer than sixteen in GATHER_MS. */
TEST(batches_take_a_share_of_the_time)
{
  struct machine *machine = trip_1(3);
  uint8_t first = 1;
  for (; first < 60; first += 3) {
    slow_batch(machine, first);
    machine_tick(machine, 0);
    for (int looks = 0; looks < 5 && !machine_action(machine, BUS_DO_TRIP, 0); looks++)
      machine_tick(machine, 4 * BUS_MILLISECOND);
  }
  slow_batch(machine, first);
  machine_tick(machine, 0);
  machine_expect_phase(machine, "gathering");
  machine_tick(machine, 11 * BUS_MILLISECOND);
  machine_expect_phase(machine, "gathering");
  machine_tick(machine, BUS_MILLISECOND);
  machine_tick(machine, 0); /* after a look at what came meanwhile */
  machine_expect_trip(machine, BUS_TRIP_1);
  machine_free(machine);
}

/* Twenty-five come in a millisecond. */
TEST(a_batch_that_is_large_enough_waits_for_no_more)
{
  enum { COUNT = 100, TURNS = 30 };
  uint8_t ids[COUNT];
  struct machine *machine = trip_1(COUNT);
  for (size_t i = 0; i < COUNT; i++)
    ids[i] = (uint8_t)(i + 1);
  int looks = 0;
  for (uint64_t turn = 1; turn <= TURNS; turn++) {
    machine->now += 2 * BUS_MILLISECOND;
    machine_done(machine, ids, COUNT);
    for (size_t i = 0; i < COUNT; i++)
      machine_deliver(machine, turn * COUNT + ids[i], ids[i]);
    machine->now += 2 * BUS_MILLISECOND;
    machine_committed(machine);
    machine_confirm(machine, turn, true);
    machine_tick(machine, 0);
    for (looks = 0; looks < 20 && !machine_action(machine, BUS_DO_TRIP, 0); looks++)
      machine_tick(machine, BUS_MILLISECOND);
    machine_expect_trip(machine, BUS_TRIP_1);
  }
  assert_in_range(looks, 0, 2);
  machine_free(machine);
}

/* Messages that were gathered once go on: a bundle waits for no second one. */
TEST(a_bundle_is_one_arrival)
{
  struct machine *machine = trip_1(3);
  uint64_t tag = 3;
  for (uint8_t first = 1; first < 90; first += 3) {
    const uint8_t ids[] = {first, (uint8_t)(first + 1), (uint8_t)(first + 2)};
    const uint8_t next[] = {(uint8_t)(first + 3), (uint8_t)(first + 4), (uint8_t)(first + 5)};
    machine_expect_trip(machine, BUS_TRIP_1);
    machine->now += 2 * BUS_MILLISECOND;
    machine_done(machine, ids, 3);
    machine->now += 2 * BUS_MILLISECOND;
    machine_committed(machine);
    machine_tick(machine, (first < 80 ? 16 : 2) * BUS_MILLISECOND);
    machine_deliver_bundle(machine, ++tag, next, 3);
    machine_tick(machine, 0);
  }
  machine_expect_trip(machine, BUS_TRIP_1);
  machine_free(machine);
}

TEST(a_duplicate_is_acked_and_not_decided)
{
  struct machine *machine = trip_1(2);
  machine_done(machine, both, 1);
  machine_committed(machine);
  const struct bus_pipeline_action *publish = machine_action(machine, BUS_DO_PUBLISH, 0);
  assert_non_null(publish);
  assert_false(publish->publish.publication.envelope->bundle);
  assert_null(machine_action(machine, BUS_DO_PUBLISH, 1));
  assert_int_equal(machine_action(machine, BUS_DO_COUNT_MESSAGE, 1)->message.outcome, BUS_MESSAGE_DUPLICATE);
  machine_tick(machine, 95 * BUS_MILLISECOND);
  assert_int_equal(machine_action(machine, BUS_DO_ACK, 0)->tag, 2);
  machine_free(machine);
}

/* The broker has redelivered it, and the first of the two is still in the batch. */
TEST(of_two_messages_with_one_id_in_a_batch_the_second_is_a_duplicate)
{
  struct machine *machine = machine_new();
  machine_connect(machine);
  machine_deliver(machine, 1, 1);
  machine_deliver(machine, 2, 1);
  machine_tick(machine, 0);
  machine_done(machine, both, 1);
  machine_committed(machine);
  assert_int_equal(machine_action(machine, BUS_DO_COUNT_MESSAGE, 0)->message.outcome, BUS_MESSAGE_DONE);
  assert_int_equal(machine_action(machine, BUS_DO_COUNT_MESSAGE, 1)->message.outcome, BUS_MESSAGE_DUPLICATE);
  machine_free(machine);
}

TEST(a_confirmed_row_is_deleted_once_it_is_quiet)
{
  struct machine *machine = trip_2(1);
  machine_committed(machine);
  machine_confirm(machine, 1, true);
  machine_tick(machine, 90 * BUS_MILLISECOND);
  assert_null(machine_action(machine, BUS_DO_TRIP, 0));
  machine_tick(machine, 200 * BUS_MILLISECOND);
  machine_expect_trip(machine, BUS_TRIP_1);
  machine_done(machine, NULL, 0);
  machine_expect_trip(machine, BUS_TRIP_2);
  machine_committed(machine);
  assert_int_equal(bus_pipeline_unconfirmed(machine->pipeline), 0);
  machine_free(machine);
}

/* Confirms that come one after another are deleted together. */
TEST(quiet_counts_from_the_last_confirm)
{
  struct machine *machine = trip_2(1);
  machine_committed(machine);
  machine_tick(machine, 150 * BUS_MILLISECOND);
  machine_expect_trip(machine, BUS_TRIP_1); /* first housekeeping */
  machine_done(machine, NULL, 0);
  machine_committed(machine);
  machine_tick(machine, 100 * BUS_MILLISECOND);
  machine_confirm(machine, 1, true);
  machine_tick(machine, 190 * BUS_MILLISECOND);
  assert_null(machine_action(machine, BUS_DO_TRIP, 0));
  machine_tick(machine, 10 * BUS_MILLISECOND);
  machine_expect_trip(machine, BUS_TRIP_1);
  machine_free(machine);
}

/* A driver measures trips of batches apart from those of housekeeping. */
TEST(a_trip_tells_whether_it_carries_inputs)
{
  struct machine *machine = trip_1(1);
  assert_true(machine_action(machine, BUS_DO_TRIP, 0)->trip.inputs);
  machine_done(machine, both, 1);
  machine_committed(machine);
  machine_confirm(machine, 1, true);
  machine_tick(machine, 300 * BUS_MILLISECOND);
  machine_expect_trip(machine, BUS_TRIP_1);
  assert_false(machine_action(machine, BUS_DO_TRIP, 0)->trip.inputs);
  machine_free(machine);
}

/* Confirms and deliveries can be read once the trip has answered. */
TEST(the_broker_is_not_worth_waking_up_for_while_a_trip_is_under_way)
{
  struct machine *machine = trip_1(1);
  assert_int_equal(machine->actions.attend, BUS_ATTEND_NO_BROKER);
  machine_done(machine, both, 1);
  machine_committed(machine);
  machine_tick(machine, 0);
  assert_int_equal(machine->actions.attend, BUS_ATTEND_DELIVERIES);
  machine_free(machine);
}

TEST(housekeeping_begins_at_the_time_that_was_planned)
{
  struct machine *machine = machine_new();
  machine_connect(machine);
  machine_tick(machine, 0);
  machine_expect_phase(machine, "idle");
  machine_tick(machine, machine->actions.wake_at - machine->now - 2);
  assert_null(machine_action(machine, BUS_DO_TRIP, 0));
  machine_tick(machine, 0); /* a microsecond later */
  machine_expect_trip(machine, BUS_TRIP_1);
  machine_free(machine);
}

TEST(a_conflict_is_tried_again_after_a_moment)
{
  struct machine *machine = trip_1(1);
  for (int i = 0; i < 4; i++) {
    machine_failed(machine, BUS_E_DB_CONFLICT, true, false);
    machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
    machine_done(machine, NULL, 0);
    machine_expect_phase(machine, "pausing");
    machine_tick(machine, 4 * BUS_MILLISECOND);
    assert_null(machine_action(machine, BUS_DO_TRIP, 0));
    machine_tick(machine, 42 * BUS_MILLISECOND);
    machine_expect_trip(machine, BUS_TRIP_1);
  }
  machine_free(machine);
}

TEST(a_commit_that_rolled_back_is_none)
{
  struct machine *machine = trip_2(1);
  const struct bus_trip_result trip = {.tag = "ROLLBACK"};
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_TRIP_DONE, .trip = &trip});
  assert_null(machine_action(machine, BUS_DO_PUBLISH, 0));
  machine_free(machine);
}

/* Whether it was committed is asked of the inbox. */
TEST(a_lost_commit_is_tried_again_on_a_new_connection)
{
  struct machine *machine = trip_2(1);
  machine_failed(machine, BUS_E_DB_CONNECTION, false, true);
  assert_non_null(machine_action(machine, BUS_DO_CLOSE_DATABASE, 0));
  machine_expect_phase(machine, "recovering");
  machine_tick(machine, 10 * BUS_SECOND);
  assert_non_null(machine_action(machine, BUS_DO_OPEN_DATABASE, 0));
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_DATABASE_UP});
  machine_tick(machine, 0);
  machine_expect_trip(machine, BUS_TRIP_1);
  machine_done(machine, NULL, 0); /* no fresh row: it was */
  machine_committed(machine);
  assert_null(machine_action(machine, BUS_DO_PUBLISH, 0));
  assert_int_equal(machine_action(machine, BUS_DO_COUNT_MESSAGE, 0)->message.outcome, BUS_MESSAGE_DUPLICATE);
  machine_free(machine);
}

TEST(a_value_that_the_database_refuses_is_found_by_halves_and_parked)
{
  struct machine *machine = trip_1(2);
  machine_failed(machine, BUS_E_DB_DATA, true, false);
  machine_done(machine, NULL, 0);           /* rolled back */
  machine_expect_trip(machine, BUS_TRIP_1); /* the first half */
  machine_done(machine, both, 1);
  machine_committed(machine);
  machine_expect_trip(machine, BUS_TRIP_1); /* the second */
  machine_failed(machine, BUS_E_DB_DATA, true, false);
  machine_done(machine, NULL, 0);
  machine_expect_trip(machine, BUS_TRIP_1); /* records the refusal */
  machine_done(machine, NULL, 0);
  machine_committed(machine);
  const struct bus_pipeline_action *publish = machine_action(machine, BUS_DO_PUBLISH, 0);
  assert_non_null(publish);
  assert_int_equal(publish->publish.kind, BUS_SENT_HELD);
  assert_int_equal(publish->publish.publication.exchange, BUS_EXCHANGE_DEAD);
  uint64_t seq = publish->publish.seq;
  machine_tick(machine, 95 * BUS_MILLISECOND);
  assert_int_equal(machine_action(machine, BUS_DO_ACK, 0)->tag, 1); /* not over the gap */
  machine_confirm(machine, seq, true);
  machine_tick(machine, 0);
  assert_int_equal(machine_action(machine, BUS_DO_ACK, 0)->tag, 2);
  machine_free(machine);
}

TEST(a_trip_without_an_answer_is_given_up)
{
  struct machine *machine = trip_1(1);
  machine_tick(machine, 14 * BUS_SECOND);
  assert_null(machine_action(machine, BUS_DO_GIVE_UP_TRIP, 0));
  machine_tick(machine, BUS_SECOND);
  assert_non_null(machine_action(machine, BUS_DO_GIVE_UP_TRIP, 0));
  machine_free(machine);
}

/* Its tags are void on the next connection. */
TEST(deliveries_of_a_lost_connection_are_not_acked)
{
  static const struct bus_error gone = {BUS_E_AMQP_CONNECTION, "gone"};
  struct machine *machine = trip_2(1);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_DOWN, .error = &gone});
  machine_committed(machine);
  assert_null(machine_action(machine, BUS_DO_PUBLISH, 0));
  for (int i = 0; i < 5; i++) {
    machine_tick(machine, 100 * BUS_MILLISECOND);
    assert_null(machine_action(machine, BUS_DO_ACK, 0));
  }
  machine_free(machine);
}

TEST(a_stop_waits_for_confirms_acks_and_ends)
{
  struct machine *machine = trip_2(1);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_STOP});
  machine_committed(machine);
  machine_tick(machine, 0);
  machine_expect_phase(machine, "draining");
  machine_confirm(machine, 1, true);
  machine_tick(machine, 0);
  assert_int_equal(machine_action(machine, BUS_DO_ACK, 0)->tag, 1);
  machine_expect_trip(machine, BUS_TRIP_1); /* the last one deletes the row */
  machine_done(machine, NULL, 0);
  machine_committed(machine);
  machine_tick(machine, 0);
  assert_non_null(machine_action(machine, BUS_DO_STOPPED, 0));
  machine_expect_phase(machine, "stopped");
  machine_free(machine);
}

TEST(a_stop_does_not_wait_for_ever)
{
  struct machine *machine = trip_2(1);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_STOP});
  machine_committed(machine);
  machine_tick(machine, 0);
  machine_tick(machine, 4 * BUS_SECOND);
  machine_expect_phase(machine, "draining");
  machine_tick(machine, 2 * BUS_SECOND);
  machine_expect_phase(machine, "stopped");
  machine_free(machine);
}

TEST(a_probe_asks_the_database_between_batches)
{
  struct machine *machine = trip_2(1);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_PROBE});
  assert_null(machine_action(machine, BUS_DO_ANSWER_PROBE, 0));
  machine_committed(machine);
  machine_tick(machine, 0);
  machine_expect_trip(machine, BUS_TRIP_PROBE);
  machine_done(machine, NULL, 0);
  assert_true(machine_action(machine, BUS_DO_ANSWER_PROBE, 0)->database);
  machine_free(machine);
}

/* A batch waits for the database meanwhile, so that no trip can ask. */
TEST(a_probe_while_the_database_is_away_is_answered_no)
{
  struct machine *machine = trip_1(1);
  machine_failed(machine, BUS_E_DB_CONNECTION, false, true);
  machine_expect_phase(machine, "recovering");
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_PROBE});
  machine_tick(machine, 0);
  const struct bus_pipeline_action *answer = machine_action(machine, BUS_DO_ANSWER_PROBE, 0);
  assert_true(answer && !answer->database);
  machine_free(machine);
}
