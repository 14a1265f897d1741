/* intake.c and suspects.c: which inputs a batch gets, in which order, and who is suspected. */
#include "part_rig.h"

#include <test.h>

static void deliver_from(struct parts *parts, int consumer, uint64_t tag, bool redelivered) {
  struct bus_delivery delivery = {.tag = tag, .consumer = consumer, .body = BUS_STR("{\"n\":1}")};
  delivery.envelope = (struct bus_envelope){.message_id = {{1, (uint8_t)tag}},
                                            .type = BUS_STR("thing.do.v1"),
                                            .user_id = BUS_STR("owner"),
                                            .first_failed_at = BUS_NO_TIME,
                                            .redelivered = redelivered};
  parts_deliver(parts, &delivery);
}

static void deliver(struct parts *parts, uint64_t tag, bool redelivered) {
  deliver_from(parts, 0, tag, redelivered);
}

static void push(struct parts *parts, int64_t n) {
  const struct body body = {n};
  assert_true(intake_push(&parts->intake, BUS_INPUT_DEADLINE, &body, sizeof body));
}

TEST(takes_what_has_arrived_in_order_and_no_more_than_fits)
{
  struct parts *parts = parts_new();
  struct entry *entries[10];
  assert_int_equal(parts_take(parts, entries, 10), 0);
  assert_true(intake_is_empty(&parts->intake));
  for (uint64_t tag = 1; tag <= 7; tag++)
    deliver(parts, tag, false);
  assert_false(intake_is_empty(&parts->intake));
  assert_int_equal(parts_take(parts, entries, 4), 4);
  deliver(parts, 8, false); /* during that batch */
  for (uint64_t i = 0; i < 4; i++)
    assert_int_equal(entries[i]->tag, i + 1);
  assert_int_equal(parts_take(parts, entries, 4), 3);
  assert_int_equal(entries[2]->tag, 7);
  assert_int_equal(parts_take(parts, entries, 4), 1);
  assert_int_equal(entries[0]->tag, 8);
  assert_true(intake_is_empty(&parts->intake));
  parts_free(parts);
}

TEST(local_inputs_travel_beside_deliveries)
{
  struct parts *parts = parts_new();
  struct entry *entries[10];
  deliver(parts, 1, false);
  push(parts, 42);
  deliver(parts, 2, false);
  assert_int_equal(parts->intake.pushed, 1);
  assert_int_equal(parts_take(parts, entries, 10), 3);
  assert_int_equal(parts->intake.pushed, 0);
  assert_false(entry_is_delivery(entries[1]));
  assert_int_equal(((const struct body *)entries[1]->input.body)->n, 42);
  parts_free(parts);
}

TEST(local_inputs_are_bounded)
{
  struct parts *parts = parts_new();
  const struct body body = {1};
  for (size_t i = 0; i < 10000; i++)
    assert_true(intake_push(&parts->intake, BUS_INPUT_COMPLETION, &body, sizeof body));
  assert_false(intake_push(&parts->intake, BUS_INPUT_COMPLETION, &body, sizeof body));
  struct entry *entries[10];
  assert_int_equal(parts_take(parts, entries, 10), 10);
  assert_true(intake_push(&parts->intake, BUS_INPUT_COMPLETION, NULL, 0));
  parts_free(parts);
}

/* The service looks for due aggregates again and again: one that waits is not pushed twice. */
TEST(a_deadline_waits_until_it_is_taken)
{
  struct parts *parts = parts_new();
  struct entry *entries[10];
  const struct bus_uuid due = {{1}}, other = {{2}};
  assert_false(intake_waits(&parts->intake, &due));
  assert_true(intake_push(&parts->intake, BUS_INPUT_COMPLETION, &other, sizeof other));
  assert_true(intake_push(&parts->intake, BUS_INPUT_DEADLINE, &due, sizeof due));
  assert_true(intake_waits(&parts->intake, &due));
  assert_false(intake_waits(&parts->intake, &other));
  assert_int_equal(parts_take(parts, entries, 1), 1);
  assert_true(intake_waits(&parts->intake, &due)); /* behind the batch under way */
  assert_int_equal(parts_take(parts, entries, 1), 1);
  assert_false(intake_waits(&parts->intake, &due));
  parts_free(parts);
}

/* They are found again. One is of the batch under way, one waits behind it, one came since. */
TEST(deadlines_that_are_dropped_make_room_for_other_inputs)
{
  struct parts *parts = parts_new();
  struct entry *entries[10];
  push(parts, 1);
  push(parts, 2);
  assert_int_equal(parts_take(parts, entries, 1), 1);
  push(parts, 3);
  assert_int_equal(parts->intake.pushed, 2);
  intake_drop_deadlines(&parts->intake);
  assert_int_equal(parts->intake.pushed, 0);
  assert_int_equal(parts_take(parts, entries, 10), 0);
  parts_free(parts);
}

/* After a lost connection deliveries come again by themselves; local inputs would not. */
TEST(a_lost_connection_forgets_deliveries_alone)
{
  struct parts *parts = parts_new();
  struct entry *entries[10];
  for (uint64_t tag = 1; tag <= 4; tag++)
    deliver(parts, tag, false);
  push(parts, 1);
  assert_int_equal(parts_take(parts, entries, 2), 2);
  deliver(parts, 5, false);
  push(parts, 2);
  intake_forget_deliveries(&parts->intake);
  assert_int_equal(entries[0]->tag, 1); /* what is being processed stays where it is */
  assert_int_equal(parts_take(parts, entries, 10), 1);
  assert_int_equal(((const struct body *)entries[0]->input.body)->n, 1);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  assert_int_equal(((const struct body *)entries[0]->input.body)->n, 2);
  assert_int_equal(parts_take(parts, entries, 10), 0);
  parts_free(parts);
}

/* The first message of a connection was delivered before: one by one, until a fresh one comes. */
TEST(suspects_are_taken_one_by_one_until_a_fresh_one_comes)
{
  struct parts *parts = parts_new();
  struct entry *entries[10];
  deliver(parts, 1, true);
  deliver(parts, 2, true);
  deliver(parts, 3, false);
  deliver(parts, 4, true);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  assert_int_equal(entries[0]->tag, 2);
  assert_int_equal(parts_take(parts, entries, 10), 2);
  assert_false(parts->suspects.suspect[0]);
  parts_free(parts);
}

/* Redeliveries after a lost connection did not crash this process; suspects of before stay suspects. */
TEST(a_new_connection_of_the_same_process_brings_no_suspects_of_its_own)
{
  struct parts *parts = parts_new();
  struct entry *entries[10];
  deliver(parts, 1, true);
  deliver(parts, 2, true);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  intake_forget_deliveries(&parts->intake);
  deliver(parts, 1, true);
  deliver(parts, 2, true);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  deliver(parts, 3, false);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  intake_forget_deliveries(&parts->intake);
  deliver(parts, 1, true);
  deliver(parts, 2, true);
  assert_int_equal(parts_take(parts, entries, 10), 2);
  parts_free(parts);
}

TEST(a_fresh_first_message_suspects_nobody)
{
  struct parts *parts = parts_new();
  struct entry *entries[10];
  deliver(parts, 1, false);
  deliver(parts, 2, true);
  assert_int_equal(parts_take(parts, entries, 10), 2);
  parts_free(parts);
}

/* The queue that stood still when the process crashed sends something fresh first: the suspect lies in the other. */
TEST(each_queue_has_suspects_of_its_own)
{
  struct parts *parts = parts_new();
  struct entry *entries[10];
  deliver_from(parts, 0, 1, false);
  deliver_from(parts, 1, 2, true);
  deliver_from(parts, 0, 3, false);
  deliver_from(parts, 1, 4, true);
  deliver_from(parts, 1, 5, false);
  deliver_from(parts, 1, 6, true);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  assert_false(entries[0]->alone);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  assert_true(entries[0]->alone && entries[0]->tag == 2);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  assert_false(entries[0]->alone);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  assert_true(entries[0]->alone && entries[0]->tag == 4);
  assert_int_equal(parts_take(parts, entries, 10), 2);
  assert_false(entries[0]->alone || entries[1]->alone);
  parts_free(parts);
}

TEST(local_inputs_are_never_suspects)
{
  struct parts *parts = parts_new();
  struct entry *entries[10];
  deliver(parts, 1, true);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  for (int i = 0; i < 5; i++)
    push(parts, i);
  deliver(parts, 2, true);
  push(parts, 5);
  assert_int_equal(parts_take(parts, entries, 10), 5);
  assert_int_equal(parts_take(parts, entries, 10), 1);
  assert_true(entry_is_delivery(entries[0]));
  assert_int_equal(parts_take(parts, entries, 10), 1);
  assert_true(parts->suspects.suspect[0]);
  parts_free(parts);
}

static size_t room(const struct parts *parts) {
  return parts->intake.generations[0].room + parts->intake.generations[1].room;
}

static void carry(struct parts *parts, uint64_t count) {
  struct entry *entries[10];
  for (uint64_t tag = 1; tag <= count; tag++)
    deliver(parts, tag, false);
  while (parts_take(parts, entries, 10) > 0)
    continue;
}

TEST(a_burst_s_room_is_given_back_over_the_cycles_after_it)
{
  enum { BURST = 5000, CYCLES = 20 };
  struct parts *parts = parts_new();
  carry(parts, 1);
  carry(parts, 1);
  size_t usual = room(parts);
  carry(parts, BURST);
  carry(parts, BURST);
  size_t most = room(parts);
  assert_true(most >= 2 * BURST * sizeof(struct entry));
  for (int i = 0; i < CYCLES; i++)
    carry(parts, 1);
  assert_int_equal(room(parts), usual);
  parts_free(parts);
}

TEST(bursts_in_turn_with_single_messages_keep_their_room)
{
  enum { SOME = 200 };
  struct parts *parts = parts_new();
  for (int i = 0; i < 4; i++)
    carry(parts, SOME);
  size_t most = room(parts);
  carry(parts, 1);
  carry(parts, 1);
  assert_true(room(parts) >= most / 2);
  parts_free(parts);
}
