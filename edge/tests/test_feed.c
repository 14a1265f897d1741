/* The feed of all orders' changes: order, bounds, gaps; the text of an event and its position. */
#include "feed.h"
#include "test.h"

static struct feed feed;
static struct feed_entry entries[8];
static uint64_t position;
static bool missed;

static void add(int64_t first, int64_t last) {
  for (int64_t version = first; version <= last; version++)
    feed_add(&feed, &(struct order_change){.version = version, .status = ORDER_RESERVED});
}

static size_t read_some(void) {
  return feed_read(&feed, &position, entries, BUS_COUNT(entries), &missed);
}

TEST(changes_are_read_in_order_and_once)
{
  feed_init(&feed);
  position = feed_end(&feed);
  assert_int_equal(read_some(), 0);
  assert_false(missed);
  add(1, 10);
  assert_int_equal(read_some(), 8);
  assert_int_equal(entries[0].change.version, 1);
  assert_int_equal(read_some(), 2);
  assert_int_equal(entries[1].change.version, 10);
  assert_int_equal(read_some(), 0);
  assert_false(missed);
  position = 5;
  assert_int_equal(read_some(), 5);
  assert_int_equal(entries[0].change.version, 6);
}

TEST(who_falls_behind_has_missed_changes)
{
  feed_init(&feed);
  position = feed_end(&feed);
  add(1, FEED_MAX);
  assert_int_equal(read_some(), 8);
  assert_false(missed);
  position = 0;
  add(FEED_MAX + 1, FEED_MAX + 1);
  assert_int_equal(read_some(), 0);
  assert_true(missed);
  assert_int_equal(position, feed_end(&feed));
  add(1, 1);
  assert_int_equal(read_some(), 1);
  assert_false(missed);
}

TEST(a_gap_is_told_to_each_reader_once)
{
  uint64_t other;
  feed_init(&feed);
  add(1, 2);
  position = other = feed_end(&feed);
  feed_gap(&feed);
  assert_int_equal(read_some(), 0);
  assert_true(missed);
  add(3, 3);
  assert_int_equal(read_some(), 1);
  assert_false(missed);
  position = other;
  (void)read_some();
  assert_true(missed);
  position = 1000; /* never given */
  (void)read_some();
  assert_true(missed);
}

TEST(a_feeds_event_names_its_instance_and_number)
{
  struct bus_arena *arena = bus_arena_new(1 << 16), *tiny = bus_arena_new(64);
  const struct feed_entry entry = {7, {.order_id = {{1}}, .version = 3, .status = ORDER_CONFIRMED}};
  assert_string_equal(feed_event(&entry, "a-b", arena).data,
                      "id: a-b-7\nevent: order\ndata: {\"order_id\":\"01000000-0000-0000-0000-000000000000\","
                      "\"version\":3,\"status\":\"CONFIRMED\"}\n\n");
  assert_null(feed_event(&entry, "a-b", tiny).data);
  bus_arena_free(arena);
  bus_arena_free(tiny);
}

TEST(a_position_is_of_one_instance)
{
  static const char *const bad[] = {
      "", "a-b", "a-b-", "a-b-x", "a-c-1", "a-b1", "a-b--1", "1", "a-b-1234567890123456789"};
  uint64_t number = 0;
  assert_true(feed_position(BUS_STR("a-b-12"), "a-b", &number));
  assert_int_equal(number, 12);
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    assert_false(feed_position(bus_str(bad[i]), "a-b", &number));
}
