/* worker_ledger.c: one multiple ack covers all up to the first gap, in whatever order deliveries are settled. */
#include "worker_internal.h"

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
  struct ledger ledger;
  assert_true(ledger_init(&ledger, 10));
  assert_int_equal(ledger_ackable(&ledger), 0);
  for (uint64_t tag = 1; tag <= 5; tag++)
    assert_true(ledger_received(&ledger, tag));
  assert_int_equal(ledger_open(&ledger), 5);
  ledger_settle(&ledger, 1);
  ledger_settle(&ledger, 2);
  assert_int_equal(ledger_ackable(&ledger), 2);
  assert_int_equal(ledger_ackable(&ledger), 0); /* nothing new */
  assert_int_equal(ledger_open(&ledger), 3);
  ledger_free(&ledger);
}

TEST(a_gap_holds_back_what_lies_behind_it)
{
  struct ledger ledger;
  assert_true(ledger_init(&ledger, 10));
  for (uint64_t tag = 1; tag <= 4; tag++)
    assert_true(ledger_received(&ledger, tag));
  ledger_settle(&ledger, 2);
  ledger_settle(&ledger, 4);
  assert_int_equal(ledger_ackable(&ledger), 0);
  ledger_settle(&ledger, 1);
  assert_int_equal(ledger_ackable(&ledger), 2);
  ledger_settle(&ledger, 3);
  assert_int_equal(ledger_ackable(&ledger), 4);
  assert_int_equal(ledger_open(&ledger), 0);
  ledger_free(&ledger);
}

/* Twice, never received, or of a connection that is gone: none of it may be acked. */
TEST(tags_that_mean_nothing_are_ignored)
{
  struct ledger ledger;
  assert_true(ledger_init(&ledger, 10));
  assert_true(ledger_received(&ledger, 1));
  assert_true(ledger_received(&ledger, 2));
  ledger_settle(&ledger, 7);
  ledger_settle(&ledger, 0);
  assert_int_equal(ledger_ackable(&ledger), 0);
  ledger_settle(&ledger, 1);
  ledger_settle(&ledger, 1);
  assert_int_equal(ledger_ackable(&ledger), 1);
  ledger_free(&ledger);
}

TEST(a_new_connection_counts_from_one)
{
  struct ledger ledger;
  assert_true(ledger_init(&ledger, 10));
  for (uint64_t tag = 1; tag <= 6; tag++)
    assert_true(ledger_received(&ledger, tag));
  ledger_settle(&ledger, 1);
  ledger_settle(&ledger, 4);
  ledger_reset(&ledger);
  assert_int_equal(ledger_ackable(&ledger), 0);
  assert_int_equal(ledger_open(&ledger), 0);
  ledger_settle(&ledger, 5); /* of the old one */
  assert_true(ledger_received(&ledger, 1));
  assert_true(ledger_received(&ledger, 2));
  ledger_settle(&ledger, 1);
  ledger_settle(&ledger, 2);
  assert_int_equal(ledger_ackable(&ledger), 2); /* not 4: the old mark is gone */
  ledger_free(&ledger);
}

TEST(says_when_its_window_is_full)
{
  struct ledger ledger;
  assert_true(ledger_init(&ledger, 10));
  uint64_t tag = 1;
  while (ledger_received(&ledger, tag))
    tag++;
  assert_true(tag > 10);
  assert_true(tag <= ledger.room);
  ledger_settle(&ledger, 1);
  assert_true(ledger_received(&ledger, tag)); /* the window has moved */
  ledger_free(&ledger);
}

/* Against the plainest model: the first tag that is not settled. Never more than a window is open. */
static void compare(uint64_t seed, size_t window) {
  enum { TAGS = 3000 };
  bool *settled = calloc(TAGS + 2, sizeof *settled);
  uint64_t received = 0, first_open = 1, acked = 0;
  struct ledger ledger;
  assert_true(ledger_init(&ledger, window));
  while (first_open <= TAGS) {
    if (received < TAGS && received - (first_open - 1) < window && next_random(&seed) % 3 != 0)
      assert_true(ledger_received(&ledger, ++received));
    uint64_t open = received - (first_open - 1);
    if (open > 0 && next_random(&seed) % 2 == 0) {
      uint64_t tag = first_open + next_random(&seed) % open;
      settled[tag] = true;
      ledger_settle(&ledger, tag);
    }
    while (settled[first_open])
      first_open++;
    if (next_random(&seed) % 5 == 0) {
      uint64_t tag = ledger_ackable(&ledger);
      assert_true(tag == (first_open - 1 == acked ? 0 : first_open - 1));
      acked = first_open - 1;
    }
    assert_true(ledger_open(&ledger) == received - (first_open - 1));
  }
  ledger_free(&ledger);
  free(settled);
}

TEST(random_orders_agree_with_the_plain_model)
{
  for (uint64_t seed = 1; seed <= 40; seed++)
    compare(seed * UINT64_C(0x9e3779b97f4a7c15), 1 + seed * 11);
}

static struct bus_uuid numbered(size_t n) {
  struct bus_uuid id = {{0}};
  memcpy(id.bytes, &n, sizeof n);
  return id;
}

TEST(confirmed_ids_are_forgotten_from_the_front)
{
  struct uuid_list list = {0};
  for (size_t i = 0; i < 1000; i++) {
    struct bus_uuid id = numbered(i);
    assert_true(uuid_list_add(&list, &id));
  }
  uuid_list_drop_first(&list, 0);
  assert_int_equal(list.count, 1000);
  uuid_list_drop_first(&list, 990);
  assert_int_equal(list.count, 10);
  for (size_t i = 0; i < 10; i++) {
    struct bus_uuid id = numbered(990 + i);
    assert_true(bus_uuid_equal(&list.items[i], &id));
  }
  uuid_list_drop_first(&list, 10);
  assert_int_equal(list.count, 0);
  free(list.items);
}

TEST(confirmed_ids_are_bounded)
{
  struct uuid_list list = {0};
  struct bus_uuid id = numbered(1);
  for (size_t i = 0; i < CONFIRMED_MAX; i++)
    assert_true(uuid_list_add(&list, &id));
  assert_false(uuid_list_add(&list, &id));
  uuid_list_drop_first(&list, 1);
  assert_true(uuid_list_add(&list, &id));
  free(list.items);
}
