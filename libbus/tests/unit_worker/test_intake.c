/* worker_intake.c on a worker without links: which inputs a batch gets, in which order, and who is suspected. */
#include "intake_rig.h"

#include <test.h>

#include <bus/clock.h>

static void deliver_from(struct bus_worker *worker, int consumer, uint64_t tag, bool redelivered) {
  struct bus_delivery delivery = {.tag = tag, .consumer = consumer, .body = BUS_STR("{\"n\":1}")};
  delivery.envelope = (struct bus_envelope){.message_id = {{1, (uint8_t)tag}},
                                            .type = BUS_STR("thing.do.v1"),
                                            .user_id = BUS_STR("owner"),
                                            .first_failed_at = BUS_NO_TIME,
                                            .redelivered = redelivered};
  intake_on_delivery(worker, &delivery);
}

static void deliver(struct bus_worker *worker, uint64_t tag, bool redelivered) {
  deliver_from(worker, 0, tag, redelivered);
}

static void push(struct bus_worker *worker, int64_t n) {
  const struct body body = {n};
  assert_true(bus_worker_push(worker, BUS_INPUT_DEADLINE, &body, sizeof body));
}

TEST(takes_what_has_arrived_in_order_and_no_more_than_fits)
{
  struct bus_worker *worker = intake_rig_new();
  struct entry *entries[10];
  assert_int_equal(intake_take(worker, entries, 10), 0);
  assert_true(intake_is_empty(worker));
  for (uint64_t tag = 1; tag <= 7; tag++)
    deliver(worker, tag, false);
  assert_false(intake_is_empty(worker));
  assert_int_equal(intake_take(worker, entries, 4), 4);
  deliver(worker, 8, false); /* during that batch */
  for (uint64_t i = 0; i < 4; i++)
    assert_int_equal(entries[i]->tag, i + 1);
  assert_int_equal(intake_take(worker, entries, 4), 3);
  assert_int_equal(entries[2]->tag, 7);
  assert_int_equal(intake_take(worker, entries, 4), 1);
  assert_int_equal(entries[0]->tag, 8);
  assert_true(intake_is_empty(worker));
  intake_rig_free(worker);
}

TEST(local_inputs_travel_beside_deliveries)
{
  struct bus_worker *worker = intake_rig_new();
  struct entry *entries[10];
  deliver(worker, 1, false);
  push(worker, 42);
  deliver(worker, 2, false);
  assert_int_equal(bus_worker_pushed(worker), 1);
  assert_int_equal(intake_take(worker, entries, 10), 3);
  assert_int_equal(bus_worker_pushed(worker), 0);
  assert_false(entry_is_delivery(entries[1]));
  assert_int_equal(((const struct body *)entries[1]->input.body)->n, 42);
  intake_rig_free(worker);
}

TEST(local_inputs_are_bounded)
{
  struct bus_worker *worker = intake_rig_new();
  const struct body body = {1};
  for (size_t i = 0; i < PUSHED_MAX; i++)
    assert_true(bus_worker_push(worker, BUS_INPUT_COMPLETION, &body, sizeof body));
  assert_false(bus_worker_push(worker, BUS_INPUT_COMPLETION, &body, sizeof body));
  struct entry *entries[10];
  assert_int_equal(intake_take(worker, entries, 10), 10);
  assert_true(bus_worker_push(worker, BUS_INPUT_COMPLETION, NULL, 0));
  intake_rig_free(worker);
}

/* After a lost connection deliveries come again by themselves; local inputs would not. */
TEST(a_lost_connection_forgets_deliveries_alone)
{
  struct bus_worker *worker = intake_rig_new();
  struct entry *entries[10];
  for (uint64_t tag = 1; tag <= 4; tag++)
    deliver(worker, tag, false);
  push(worker, 1);
  assert_int_equal(intake_take(worker, entries, 2), 2);
  deliver(worker, 5, false);
  push(worker, 2);
  intake_forget_deliveries(worker);
  assert_int_equal(entries[0]->tag, 1); /* what is being processed stays where it is */
  assert_int_equal(intake_take(worker, entries, 10), 1);
  assert_int_equal(((const struct body *)entries[0]->input.body)->n, 1);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  assert_int_equal(((const struct body *)entries[0]->input.body)->n, 2);
  assert_int_equal(intake_take(worker, entries, 10), 0);
  intake_rig_free(worker);
}

/* The first message of a connection was delivered before: one by one, until a fresh one comes. */
TEST(suspects_are_taken_one_by_one_until_a_fresh_one_comes)
{
  struct bus_worker *worker = intake_rig_new();
  struct entry *entries[10];
  deliver(worker, 1, true);
  deliver(worker, 2, true);
  deliver(worker, 3, false);
  deliver(worker, 4, true);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  assert_int_equal(entries[0]->tag, 2);
  assert_int_equal(intake_take(worker, entries, 10), 2);
  assert_false(worker->suspect[0]);
  intake_rig_free(worker);
}

/* Redeliveries after a lost connection did not crash this process; suspects of before stay suspects. */
TEST(a_new_connection_of_the_same_process_brings_no_suspects_of_its_own)
{
  struct bus_worker *worker = intake_rig_new();
  struct entry *entries[10];
  deliver(worker, 1, true);
  deliver(worker, 2, true);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  intake_forget_deliveries(worker);
  deliver(worker, 1, true);
  deliver(worker, 2, true);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  deliver(worker, 3, false);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  intake_forget_deliveries(worker);
  deliver(worker, 1, true);
  deliver(worker, 2, true);
  assert_int_equal(intake_take(worker, entries, 10), 2);
  intake_rig_free(worker);
}

TEST(a_fresh_first_message_suspects_nobody)
{
  struct bus_worker *worker = intake_rig_new();
  struct entry *entries[10];
  deliver(worker, 1, false);
  deliver(worker, 2, true);
  assert_int_equal(intake_take(worker, entries, 10), 2);
  intake_rig_free(worker);
}

/* The queue that stood still when the process crashed sends something fresh first: the suspect lies in the other. */
TEST(each_queue_has_suspects_of_its_own)
{
  struct bus_worker *worker = intake_rig_new();
  struct entry *entries[10];
  deliver_from(worker, 0, 1, false);
  deliver_from(worker, 1, 2, true);
  deliver_from(worker, 0, 3, false);
  deliver_from(worker, 1, 4, true);
  deliver_from(worker, 1, 5, false);
  deliver_from(worker, 1, 6, true);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  assert_false(entries[0]->alone);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  assert_true(entries[0]->alone && entries[0]->tag == 2);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  assert_false(entries[0]->alone);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  assert_true(entries[0]->alone && entries[0]->tag == 4);
  assert_int_equal(intake_take(worker, entries, 10), 2);
  assert_false(entries[0]->alone || entries[1]->alone);
  intake_rig_free(worker);
}

TEST(local_inputs_are_never_suspects)
{
  struct bus_worker *worker = intake_rig_new();
  struct entry *entries[10];
  deliver(worker, 1, true);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  for (int i = 0; i < 5; i++)
    push(worker, i);
  deliver(worker, 2, true);
  push(worker, 5);
  assert_int_equal(intake_take(worker, entries, 10), 5);
  assert_int_equal(intake_take(worker, entries, 10), 1);
  assert_true(entry_is_delivery(entries[0]));
  assert_int_equal(intake_take(worker, entries, 10), 1);
  assert_true(worker->suspect[0]);
  intake_rig_free(worker);
}

/* An ack that is due at once, behind a delivery that is not settled yet, may not keep the worker awake. */
TEST(an_ack_behind_a_gap_is_no_deadline)
{
  struct bus_worker *worker = intake_rig_new();
  worker->service = &intake_rig_query;
  deliver(worker, 1, false);
  deliver(worker, 2, false);
  acks_settle(&worker->acks, 2);
  worker->ack_at = 1;
  assert_true(batch_next_deadline(worker) > bus_monotonic());
  acks_settle(&worker->acks, 1);
  assert_int_equal(batch_next_deadline(worker), 1);
  intake_rig_free(worker);
}

/* More unsettled deliveries than the acks keeps would lose an ack for ever: the connection is given up instead. */
TEST(a_window_that_overflows_ends_the_connection)
{
  struct bus_worker *worker = intake_rig_new();
  uint64_t tag = 1;
  while (!worker->amqp_lost && tag < 10000)
    deliver(worker, tag++, false);
  assert_true(worker->amqp_lost);
  assert_in_range(tag, 100, 1000);
  assert_int_equal(worker->amqp_error.code, BUS_E_AMQP_CONNECTION);
  intake_rig_free(worker);
}
