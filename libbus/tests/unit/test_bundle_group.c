/* bundle_group.c: which messages travel together, and the orders that stay. */
#include <bus/bundle.h>

#include <test.h>

#include "topology_sample.h"

enum { ITEMS = 2000 };

static const struct bus_message_type alone = BUS_SINGLE_EVENT("a.alone.v1", NULL, "edge");
static const struct bus_message_type notice = BUS_NOTICE("a.notice.v1", NULL, "edge");

static struct bus_envelope envelopes[ITEMS];
static struct bus_bundle_item items[ITEMS];
static struct bus_bundle_groups groups;
static struct bus_arena *arena;
static size_t count;

static void begin(void) {
  if (arena == NULL)
    arena = bus_arena_new(8 << 20);
  bus_arena_reset(arena);
  count = 0;
}

static void add(const struct bus_message_type *type, uint8_t order, const char *reply_to, size_t size) {
  static char zeros[BUS_BUNDLE_BYTES];
  envelopes[count] = (struct bus_envelope){
      .message_id = {{1, (uint8_t)count}}, .correlation_id = {{order}}, .reply_to = bus_str(reply_to)};
  items[count] = (struct bus_bundle_item){type, &envelopes[count], {zeros, size}, 0};
  count++;
}

/* Groups as text: "0 2|1" has the items 0 and 2 in the first. */
static void expect(size_t most, const char *expected) {
  char text[256] = "";
  size_t len = 0;
  assert_true(bus_bundle_group(items, count, most, arena, &groups));
  for (size_t g = 0; g < groups.count; g++)
    for (size_t i = groups.first[g]; i < groups.first[g + 1]; i++)
      len += (size_t)snprintf(text + len, sizeof text - len, "%s%zu",
                              i > groups.first[g] ? " "
                              : g > 0             ? "|"
                                                  : "",
                              groups.order[i]);
  assert_string_equal(text, expected);
}

TEST(messages_of_one_type_and_asker_go_together)
{
  begin();
  expect(128, "");
  add(&order_place, 1, NULL, 10);
  expect(128, "0");
  add(&order_answer, 2, "edge.reply.1", 10);
  add(&order_place, 3, NULL, 10);
  add(&order_answer, 4, "edge.reply.2", 10);
  add(&order_answer, 5, "edge.reply.1", 10);
  expect(128, "0 2|1 4|3");
  expect(1, "0|1|2|3|4");
}

TEST(messages_of_two_shards_never_go_together)
{
  begin();
  for (uint8_t i = 1; i <= 6; i++) {
    add(&order_place, i, NULL, 10);
    items[count - 1].shard = i % 3;
  }
  expect(128, "0 3|1 4|2 5");
  expect(1, "0|1|2|3|4|5");
}

TEST(bundle_is_bounded)
{
  begin();
  for (uint8_t i = 1; i <= 5; i++)
    add(&order_place, i, NULL, 10);
  expect(2, "0 1|2 3|4");
  begin();
  add(&order_place, 1, NULL, 30000);
  add(&order_place, 2, NULL, 30000);
  add(&order_place, 3, NULL, 10000);
  add(&order_place, 4, NULL, BUS_BUNDLE_ITEM_BYTES);
  add(&order_place, 5, NULL, 10);
  expect(128, "0 1|2|3|4");
}

TEST(some_types_are_never_bundled)
{
  begin();
  add(&alone, 1, NULL, 10);
  add(&alone, 2, NULL, 10);
  add(&order_get, 3, NULL, 10);
  add(&order_get, 4, NULL, 10);
  add(&notice, 5, NULL, 10);
  add(&notice, 6, NULL, 10);
  expect(128, "0|1|2|3|4|5");
}

/* place of order 2 may join the first bundle; that of order 1 must stay behind its cancel. */
TEST(messages_of_one_order_stay_in_their_order)
{
  begin();
  add(&order_place, 3, NULL, 10);
  add(&order_cancel, 1, NULL, 10);
  add(&order_place, 2, NULL, 10);
  add(&order_place, 1, NULL, 10);
  add(&order_place, 4, NULL, 10);
  add(&order_cancel, 2, NULL, 10);
  add(&order_cancel, 4, NULL, 10);
  expect(128, "0 2|1 5|3 4|6");
}

TEST(without_an_order_only_the_type_is_kept_in_order)
{
  begin();
  add(&order_place, 0, NULL, 10);
  add(&order_cancel, 0, NULL, 10);
  add(&order_place, 0, NULL, BUS_BUNDLE_ITEM_BYTES);
  add(&order_place, 0, NULL, 10);
  add(&order_cancel, 0, NULL, 10);
  expect(128, "0|1 4|2|3");
}

static size_t rank_of(size_t item) {
  size_t rank = 0;
  while (groups.order[rank] != item)
    rank++;
  return rank;
}

/* Any messages: each is in one group, groups keep their bounds, and no two of one kind or order change places. */
TEST(any_messages_keep_their_order)
{
  static const struct bus_message_type *const types[] = {&order_place, &order_cancel, &order_answer, &alone};
  static const char *const addresses[] = {NULL, "edge.reply.1", "edge.reply.2"};
  static const uint64_t seed[4] = {2, 7, 1, 8};
  static size_t ranks[ITEMS];
  struct bus_uuid_source random;
  bus_uuid_source_init(&random, seed);
  begin();
  for (size_t i = 0; i < ITEMS; i++) {
    uint64_t bits = bus_uuid_source_random(&random);
    add(types[bits & 3], (uint8_t)(bits >> 8), addresses[(bits >> 4) % 3],
        bits >> 16 & 63 ? (bits >> 32) % 2000 : 62000);
  }
  assert_true(bus_bundle_group(items, count, 40, arena, &groups));
  assert_int_equal(groups.first[groups.count], count);
  for (size_t g = 0; g < groups.count; g++) {
    size_t bytes = BUS_BUNDLE_BRACKETS, first = groups.first[g], more = groups.first[g + 1] - first;
    assert_true(more >= 1 && more <= 40 && (g == 0 || groups.order[groups.first[g - 1]] < groups.order[first]));
    for (size_t i = first; i < first + more; i++) {
      bytes += bus_bundle_item_bound(&items[groups.order[i]]);
      assert_ptr_equal(items[groups.order[i]].type, items[groups.order[first]].type);
    }
    assert_true(more == 1 || bytes <= BUS_BUNDLE_BYTES);
  }
  for (size_t i = 0; i < ITEMS; i++)
    ranks[i] = rank_of(i);
  for (size_t a = 0; a < ITEMS; a++)
    for (size_t b = a + 1; b < ITEMS; b++)
      if ((envelopes[a].correlation_id.bytes[0] != 0 &&
           envelopes[a].correlation_id.bytes[0] == envelopes[b].correlation_id.bytes[0]) ||
          (items[a].type == items[b].type && bus_str_equal(envelopes[a].reply_to, envelopes[b].reply_to)))
        assert_true(ranks[a] < ranks[b]);
}
