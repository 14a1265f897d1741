/* The list of open streams: limits, orders, news; and the text of events. */
#include "streams.h"
#include "test.h"

#include <sys/eventfd.h>
#include <unistd.h>

static struct bus_uuid id_of(int number) {
  return (struct bus_uuid){{1, (uint8_t)number}};
}

TEST(a_customer_has_four_streams_at_once)
{
  struct streams streams;
  struct stream mine[STREAMS_A_CUSTOMER + 1] = {0}, other = {.customer = 7};
  streams_init(&streams);
  for (int i = 0; i < STREAMS_A_CUSTOMER; i++)
    assert_true(streams_join(&streams, &mine[i]));
  assert_false(streams_join(&streams, &mine[STREAMS_A_CUSTOMER]));
  assert_true(streams_join(&streams, &other));
  streams_leave(&streams, &mine[1]);
  assert_true(streams_join(&streams, &mine[STREAMS_A_CUSTOMER]));
}

TEST(the_orders_of_all_streams_are_named_part_by_part)
{
  struct streams streams;
  struct stream open[5] = {0};
  struct order_get orders[2];
  bool seen[5] = {false};
  size_t count, skip = 0;
  streams_init(&streams);
  assert_int_equal(streams_orders(&streams, 0, orders, 2), 0);
  for (int i = 0; i < 5; i++) {
    open[i] = (struct stream){.order_id = id_of(i), .customer = (uint64_t)i};
    assert_true(streams_join(&streams, &open[i]));
  }
  for (; (count = streams_orders(&streams, skip, orders, 2)) > 0; skip += count)
    for (size_t i = 0; i < count; i++)
      seen[orders[i].order_id.bytes[1]] = true;
  assert_int_equal(skip, 5);
  for (int i = 0; i < 5; i++)
    assert_true(seen[i]);
}

TEST(news_of_an_order_reach_its_streams_alone)
{
  struct streams streams;
  struct stream open[3] = {{.order_id = id_of(1)}, {.order_id = id_of(2)}, {.order_id = id_of(1)}};
  struct order_view view = {.version = 9};
  streams_init(&streams);
  for (int i = 0; i < 3; i++)
    assert_true(streams_join(&streams, &open[i]));
  streams_see(&streams, &open[0].order_id, &(struct order_answer){ORDER_FOUND, &view});
  streams_see(&streams, &open[1].order_id, &(struct order_answer){ORDER_NOT_FOUND, NULL});
  assert_int_equal(atomic_load(&open[0].version), 9);
  assert_int_equal(atomic_load(&open[1].version), 0);
  assert_int_equal(atomic_load(&open[2].version), 9);
  streams_see(&streams, &open[1].order_id, &(struct order_answer){ORDER_LEFT_OUT, NULL});
  assert_true(atomic_load(&open[1].unseen));
  assert_false(atomic_load(&open[0].unseen));
}

static bool is_woken(const struct stream *stream) {
  eventfd_t count = 0;
  return eventfd_read(stream->wake_fd, &count) == 0;
}

TEST(a_higher_version_wakes_the_streams_of_its_order)
{
  struct streams streams;
  struct stream open[2] = {{.order_id = id_of(1)}, {.order_id = id_of(2)}};
  streams_init(&streams);
  for (int i = 0; i < 2; i++) {
    open[i].wake_fd = eventfd(0, EFD_NONBLOCK);
    assert_true(streams_join(&streams, &open[i]));
  }
  streams_note(&streams, &open[0].order_id, 3);
  assert_true(is_woken(&open[0]));
  assert_false(is_woken(&open[1]));
  streams_note(&streams, &open[0].order_id, 2); /* it comes late */
  assert_false(is_woken(&open[0]));
  assert_int_equal(atomic_load(&open[0].version), 3);
  streams_resync(&streams);
  for (int i = 0; i < 2; i++) {
    assert_true(is_woken(&open[i]));
    assert_true(atomic_load(&open[i].missed));
    (void)close(open[i].wake_fd);
  }
}

TEST(customers_are_counted_apart)
{
  assert_true(streams_customer(BUS_STR("c-1")) == streams_customer(BUS_STR("c-1")));
  assert_true(streams_customer(BUS_STR("c-1")) != streams_customer(BUS_STR("c-2")));
}

TEST(an_event_has_its_seq_as_id_and_its_type_as_name)
{
  struct bus_arena *arena = bus_arena_new(1 << 16), *tiny = bus_arena_new(64);
  const struct order_event_view event = {
      .seq = 3, .type = BUS_STR("confirmed"), .at = INT64_C(1700000000000000), .data = BUS_STR("{\"a\":1}")};
  assert_string_equal(stream_event(&event, arena).data,
                      "id: 3\nevent: confirmed\ndata: {\"seq\":3,\"type\":\"confirmed\","
                      "\"at\":\"2023-11-14T22:13:20.000Z\",\"data\":{\"a\":1}}\n\n");
  assert_null(stream_event(&event, tiny).data);
  bus_arena_free(arena);
  bus_arena_free(tiny);
}

TEST(a_position_is_a_number_that_a_message_can_carry)
{
  static const char *const bad[] = {"", "-1", "1 ", "x", "1000000000001", "+1"};
  int64_t seq = 0;
  assert_true(stream_position(BUS_STR("0"), &seq));
  assert_int_equal(seq, 0);
  assert_true(stream_position(BUS_STR("999999999999"), &seq));
  assert_int_equal(seq, BUS_JSON_INT_MAX - 1);
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    assert_false(stream_position(bus_str(bad[i]), &seq));
}
