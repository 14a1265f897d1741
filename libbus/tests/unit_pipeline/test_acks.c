/* acks.c: one multiple ack covers all up to the first gap, in whatever order deliveries are settled. */
#include "acks.h"

#include <test.h>

#include <stdlib.h>

static uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

TEST(in_order_each_ack_covers_what_is_new)
{
  struct acks acks;
  assert_true(acks_init(&acks, 10));
  assert_int_equal(acks_take(&acks), 0);
  for (uint64_t tag = 1; tag <= 5; tag++)
    assert_true(acks_received(&acks, tag, 1));
  assert_int_equal(acks_open(&acks), 5);
  acks_settle(&acks, 1);
  acks_settle(&acks, 2);
  assert_int_equal(acks_take(&acks), 2);
  assert_int_equal(acks_take(&acks), 0); /* nothing new */
  assert_int_equal(acks_open(&acks), 3);
  acks_free(&acks);
}

TEST(a_gap_holds_back_what_lies_behind_it)
{
  struct acks acks;
  assert_true(acks_init(&acks, 10));
  for (uint64_t tag = 1; tag <= 4; tag++)
    assert_true(acks_received(&acks, tag, 1));
  acks_settle(&acks, 2);
  acks_settle(&acks, 4);
  assert_int_equal(acks_take(&acks), 0);
  acks_settle(&acks, 1);
  assert_int_equal(acks_take(&acks), 2);
  acks_settle(&acks, 3);
  assert_int_equal(acks_take(&acks), 4);
  assert_int_equal(acks_open(&acks), 0);
  acks_free(&acks);
}

/* Twice, never received, or of a connection that is gone: none of it may be acked. */
TEST(tags_that_mean_nothing_are_ignored)
{
  struct acks acks;
  assert_true(acks_init(&acks, 10));
  assert_true(acks_received(&acks, 1, 1));
  assert_true(acks_received(&acks, 2, 1));
  acks_settle(&acks, 7);
  acks_settle(&acks, 0);
  assert_int_equal(acks_take(&acks), 0);
  acks_settle(&acks, 1);
  acks_settle(&acks, 1);
  assert_int_equal(acks_take(&acks), 1);
  acks_free(&acks);
}

TEST(a_tag_that_was_settled_needs_no_room_again)
{
  struct acks acks;
  assert_true(acks_init(&acks, 10));
  for (uint64_t tag = 1; tag <= 3; tag++) {
    assert_true(acks_received(&acks, tag, 1));
    acks_settle(&acks, tag);
  }
  assert_true(acks_received(&acks, 1, 1));
  assert_true(acks_received(&acks, 3, 1));
  assert_int_equal(acks_open(&acks), 0);
  acks_free(&acks);
}

/* Its place in the window belongs to an earlier tag. */
TEST(a_tag_beyond_the_window_is_not_settled)
{
  struct acks acks;
  assert_true(acks_init(&acks, 10));
  for (uint64_t tag = 1; tag < acks.room; tag++)
    assert_true(acks_received(&acks, tag, 1));
  assert_false(acks_received(&acks, acks.room, 1));
  assert_false(acks_received(&acks, acks.room + 1, 1));
  acks_settle(&acks, acks.room + 1);
  assert_int_equal(acks_take(&acks), 0);
  acks_settle(&acks, acks.room);
  acks_settle(&acks, 1);
  assert_int_equal(acks_take(&acks), 1);
  acks_free(&acks);
}

TEST(a_new_connection_counts_from_one)
{
  struct acks acks;
  assert_true(acks_init(&acks, 10));
  for (uint64_t tag = 1; tag <= 6; tag++)
    assert_true(acks_received(&acks, tag, 1));
  acks_settle(&acks, 1);
  acks_settle(&acks, 4);
  acks_reset(&acks);
  assert_int_equal(acks_take(&acks), 0);
  assert_int_equal(acks_open(&acks), 0);
  acks_settle(&acks, 5); /* of the old one */
  assert_true(acks_received(&acks, 1, 1));
  assert_true(acks_received(&acks, 2, 1));
  acks_settle(&acks, 1);
  acks_settle(&acks, 2);
  assert_int_equal(acks_take(&acks), 2); /* not 4: the old mark is gone */
  acks_free(&acks);
}

TEST(says_when_its_window_is_full)
{
  struct acks acks;
  assert_true(acks_init(&acks, 10));
  uint64_t tag = 1;
  while (acks_received(&acks, tag, 1))
    tag++;
  assert_true(tag > 10);
  assert_true(tag <= acks.room);
  acks_settle(&acks, 1);
  assert_true(acks_received(&acks, tag, 1)); /* the window has moved */
  acks_free(&acks);
}

/* Against the plainest model: the first tag that is not settled. Never more than a window is open. */
static void compare(uint64_t seed, size_t window) {
  enum { TAGS = 3000 };
  bool *settled = calloc(TAGS + 2, sizeof *settled);
  uint64_t received = 0, first_open = 1, acked = 0;
  struct acks acks;
  assert_true(acks_init(&acks, window));
  while (first_open <= TAGS) {
    if (received < TAGS && received - (first_open - 1) < window && next_random(&seed) % 3 != 0)
      assert_true(acks_received(&acks, ++received, 1));
    uint64_t open = received - (first_open - 1);
    if (open > 0 && next_random(&seed) % 2 == 0) {
      uint64_t tag = first_open + next_random(&seed) % open;
      settled[tag] = true;
      acks_settle(&acks, tag);
    }
    while (settled[first_open])
      first_open++;
    if (next_random(&seed) % 5 == 0) {
      uint64_t tag = acks_take(&acks);
      assert_true(tag == (first_open - 1 == acked ? 0 : first_open - 1));
      acked = first_open - 1;
    }
    assert_true(acks_open(&acks) == received - (first_open - 1));
  }
  acks_free(&acks);
  free(settled);
}

TEST(random_orders_agree_with_the_plain_model)
{
  for (uint64_t seed = 1; seed <= 40; seed++)
    compare(seed * UINT64_C(0x9e3779b97f4a7c15), 1 + seed * 11);
}

/* A bundle of three counts as settled with its last message. */
TEST(a_delivery_of_several_messages_is_settled_with_the_last)
{
  struct acks acks;
  assert_true(acks_init(&acks, 10));
  assert_true(acks_received(&acks, 1, 3));
  assert_true(acks_received(&acks, 2, 1));
  acks_settle(&acks, 2);
  acks_settle(&acks, 1);
  acks_settle(&acks, 1);
  assert_int_equal(acks_take(&acks), 0);
  acks_settle(&acks, 1);
  assert_int_equal(acks_take(&acks), 2);
  acks_settle(&acks, 1);
  assert_true(acks_is_valid(&acks));
  acks_free(&acks);
}

TEST(an_ack_waits_for_more_but_not_for_long)
{
  struct acks acks;
  assert_true(acks_init(&acks, 10));
  assert_false(acks_are_due(&acks, 1000, 2));
  assert_true(acks_received(&acks, 1, 1));
  acks_settle(&acks, 1);
  assert_false(acks_are_due(&acks, 1000, 2));
  assert_false(acks_are_due(&acks, 90999, 2));
  assert_true(acks_are_due(&acks, 91000, 2));
  assert_true(acks_received(&acks, 2, 1));
  acks_settle(&acks, 2);
  assert_true(acks_are_due(&acks, 1000, 2)); /* enough */
  acks_free(&acks);
}
