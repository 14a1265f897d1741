/* Reading from a broker that does what brokers rarely do. */
#include "connection_fixture.h"

#include <bus/clock.h>

#include <unistd.h>

/* ---- reading ---- */

TEST(connection_puts_a_message_together)
{
  struct fixture f = set_up();
  amqp_basic_properties_t properties = typed();
  assert_true(bus_amqp_consume(f.amqp, "q", 3, 10, false, &f.err));
  fake_deliver(f.broker, 3, 42, &properties, BUS_STR("{\"a\":1}"));
  fake_deliver(f.broker, 3, 43, &properties, BUS_STR(""));
  assert_true(pump_until(&f, &f.seen.delivery_count, 2));
  const struct bus_delivery *delivery = &f.seen.deliveries[0];
  assert_int_equal(delivery->tag, 42);
  assert_int_equal(delivery->consumer, 3);
  assert_true(bus_str_is(delivery->body, "{\"a\":1}"));
  assert_int_equal(delivery->body.data[delivery->body.len], '\0');
  assert_true(bus_str_is(delivery->envelope.type, "a.b.v1"));
  assert_false(delivery->envelope.redelivered);
  assert_non_null(f.seen.deliveries[1].body.data);
  assert_int_equal(f.seen.deliveries[1].body.len, 0);
  tear_down(&f);
}

TEST(connection_waits_for_no_rest_of_a_message)
{
  struct fixture f = set_up();
  amqp_basic_properties_t properties = typed();
  amqp_basic_deliver_t deliver = {.consumer_tag = amqp_cstring_bytes("bus-0"), .delivery_tag = 1, .redelivered = 1};
  assert_true(bus_amqp_consume(f.amqp, "q", 0, 10, false, &f.err));
  fake_send_method(f.broker, 1, AMQP_BASIC_DELIVER_METHOD, &deliver);
  fake_send_header(f.broker, &properties, 6);
  fake_send_body(f.broker, BUS_STR("abc"));
  int64_t until = bus_monotonic() + 300 * BUS_MILLISECOND, before = bus_monotonic();
  while (bus_monotonic() < until) {
    assert_true(bus_amqp_pump(f.amqp, &events, &f.seen, &f.err));
    usleep(10000);
  }
  assert_true(bus_monotonic() - before < BUS_SECOND);
  assert_int_equal(f.seen.delivery_count, 0);
  /* a call in the middle of a message does no harm to it */
  assert_true(bus_amqp_ping(f.amqp, &f.err));
  fake_send_body(f.broker, BUS_STR("def"));
  assert_true(pump_until(&f, &f.seen.delivery_count, 1));
  assert_true(bus_str_is(f.seen.deliveries[0].body, "abcdef"));
  assert_true(f.seen.deliveries[0].envelope.redelivered);
  tear_down(&f);
}

TEST(connection_keeps_deliveries_that_come_before_an_answer)
{
  struct fixture f = set_up();
  amqp_basic_properties_t properties = typed();
  assert_true(bus_amqp_consume(f.amqp, "q", 0, 10, false, &f.err));
  for (uint64_t tag = 1; tag <= 5; tag++)
    fake_deliver(f.broker, 0, tag, &properties, BUS_STR("x"));
  assert_true(bus_amqp_ping(f.amqp, &f.err)); /* its answer is behind them */
  assert_true(bus_amqp_has_buffered(f.amqp));
  assert_true(pump_until(&f, &f.seen.delivery_count, 5));
  for (uint64_t tag = 1; tag <= 5; tag++)
    assert_int_equal(f.seen.deliveries[tag - 1].tag, tag);
  assert_false(bus_amqp_has_buffered(f.amqp));
  tear_down(&f);
}

TEST(connection_drops_a_body_over_the_cap_and_delivers_the_rest)
{
  struct fixture f = set_up();
  amqp_basic_properties_t properties = typed();
  static char large[2 << 20];
  memset(large, 'x', sizeof large);
  assert_true(bus_amqp_consume(f.amqp, "q", 0, 10, false, &f.err));
  fake_deliver(f.broker, 0, 1, &properties, (struct bus_str){large, sizeof large});
  fake_deliver(f.broker, 0, 2, &properties, (struct bus_str){large, BODY_MAX});
  assert_true(pump_until(&f, &f.seen.delivery_count, 2));
  assert_null(f.seen.deliveries[0].body.data);
  assert_true(bus_str_is(f.seen.deliveries[0].envelope.type, "a.b.v1"));
  assert_int_equal(f.seen.deliveries[1].body.len, BODY_MAX);
  tear_down(&f);
}

TEST(connection_without_arena_memory_is_given_up)
{
  struct fixture f = set_up();
  amqp_basic_properties_t properties = typed();
  struct bus_arena *small = bus_arena_new(256);
  bus_amqp_set_arena(f.amqp, small);
  assert_true(bus_amqp_consume(f.amqp, "q", 0, 10, false, &f.err));
  static char text[1024];
  memset(text, 'x', sizeof text);
  fake_deliver(f.broker, 0, 1, &properties, (struct bus_str){text, sizeof text});
  assert_false(pump_until(&f, &never, 1));
  assert_int_equal(f.err.code, BUS_E_NOMEM);
  assert_int_equal(f.seen.delivery_count, 0);
  tear_down(&f);
  bus_arena_free(small);
}

TEST(connection_reads_confirms_returns_and_alarms)
{
  struct fixture f = set_up();
  amqp_basic_properties_t properties = typed();
  amqp_basic_ack_t ack = {.delivery_tag = 1000, .multiple = 1};
  amqp_basic_nack_t nack = {.delivery_tag = 1001};
  amqp_basic_return_t returned = {
      .reply_code = 312, .exchange = amqp_cstring_bytes("bus.cmd"), .routing_key = amqp_cstring_bytes("a.b")};
  amqp_connection_blocked_t blocked = {.reason = amqp_cstring_bytes("low on memory")};
  amqp_connection_unblocked_t unblocked = {0};
  fake_send_method(f.broker, 1, AMQP_BASIC_ACK_METHOD, &ack);
  assert_true(pump_until(&f, &f.seen.confirm_count, 1));
  assert_true(f.seen.seq == 1000 && f.seen.multiple && f.seen.ack);
  fake_send_method(f.broker, 1, AMQP_BASIC_NACK_METHOD, &nack);
  assert_true(pump_until(&f, &f.seen.confirm_count, 2));
  assert_true(f.seen.seq == 1001 && !f.seen.multiple && !f.seen.ack);
  fake_send_method(f.broker, 1, AMQP_BASIC_RETURN_METHOD, &returned);
  fake_send_header(f.broker, &properties, 3);
  fake_send_body(f.broker, BUS_STR("abc"));
  assert_true(pump_until(&f, &f.seen.returned_count, 1));
  assert_int_equal(f.seen.returned.bytes[0], 0x11);
  assert_string_equal(f.seen.key, "bus.cmd a.b");
  fake_send_method(f.broker, 0, AMQP_CONNECTION_BLOCKED_METHOD, &blocked);
  assert_true(pump_until(&f, &f.seen.blocked_count, 1));
  assert_true(f.seen.blocked);
  assert_string_equal(f.seen.reason, "low on memory");
  fake_send_method(f.broker, 0, AMQP_CONNECTION_UNBLOCKED_METHOD, &unblocked);
  assert_true(pump_until(&f, &f.seen.blocked_count, 2));
  assert_false(f.seen.blocked);
  tear_down(&f);
}

TEST(connection_hears_an_alarm_in_the_middle_of_a_message)
{
  struct fixture f = set_up();
  amqp_basic_properties_t properties = typed();
  amqp_basic_deliver_t deliver = {.consumer_tag = amqp_cstring_bytes("bus-0"), .delivery_tag = 1};
  amqp_connection_blocked_t blocked = {.reason = amqp_cstring_bytes("disk")};
  fake_send_method(f.broker, 1, AMQP_BASIC_DELIVER_METHOD, &deliver);
  fake_send_header(f.broker, &properties, 3);
  fake_send_method(f.broker, 0, AMQP_CONNECTION_BLOCKED_METHOD, &blocked);
  fake_send_body(f.broker, BUS_STR("abc"));
  assert_true(pump_until(&f, &f.seen.delivery_count, 1));
  assert_true(f.seen.blocked);
  assert_true(bus_str_is(f.seen.deliveries[0].body, "abc"));
  tear_down(&f);
}

TEST(connection_is_told_of_a_cancelled_consumer)
{
  struct fixture f = set_up();
  amqp_basic_cancel_t cancel = {.consumer_tag = amqp_cstring_bytes("bus-5"), .nowait = 1};
  assert_true(bus_amqp_consume(f.amqp, "q", 5, 1, false, &f.err));
  fake_send_method(f.broker, 1, AMQP_BASIC_CANCEL_METHOD, &cancel);
  assert_true(pump_until(&f, &f.seen.cancelled_count, 1));
  assert_int_equal(f.seen.cancelled, 5);
  assert_true(bus_amqp_cancel(f.amqp, 5, &f.err)); /* gone already: nothing to ask */
  tear_down(&f);
}

/* ---- broken peers ---- */

TEST(connection_refuses_frames_out_of_place)
{
  for (int variant = 0; variant < 5; variant++) {
    struct fixture f = set_up();
    amqp_basic_properties_t properties = typed();
    amqp_basic_deliver_t deliver = {.consumer_tag = amqp_cstring_bytes("bus-0"), .delivery_tag = 1};
    amqp_basic_deliver_t strange = {.consumer_tag = amqp_cstring_bytes("amq.ctag-x"), .delivery_tag = 1};
    if (variant == 0)
      fake_send_body(f.broker, BUS_STR("abc"));
    if (variant == 1)
      fake_send_header(f.broker, &properties, 3);
    if (variant >= 2)
      fake_send_method(f.broker, 1, AMQP_BASIC_DELIVER_METHOD, variant == 4 ? &strange : &deliver);
    if (variant == 2)
      fake_send_method(f.broker, 1, AMQP_BASIC_DELIVER_METHOD, &deliver);
    if (variant == 3) {
      fake_send_header(f.broker, &properties, 3);
      fake_send_body(f.broker, BUS_STR("abcd"));
    }
    assert_false(pump_until(&f, &never, 1));
    assert_int_equal(f.err.code, BUS_E_AMQP_CONNECTION);
    assert_int_equal(f.seen.delivery_count, 0);
    tear_down(&f);
  }
}

TEST(connection_gives_up_on_garbage)
{
  struct fixture f = set_up();
  fake_send_raw(f.broker, "GET / HTTP/1.1\r\n\r\n and more of the same", 40);
  assert_false(pump_until(&f, &never, 1));
  assert_int_equal(f.err.code, BUS_E_AMQP_CONNECTION);
  tear_down(&f);
}

TEST(connection_says_why_it_was_closed_and_stays_closed)
{
  struct fixture f = set_up();
  amqp_connection_close_t close = {.reply_code = 320, .reply_text = amqp_cstring_bytes("CONNECTION_FORCED - bye")};
  struct bus_error again;
  uint64_t seq;
  fake_send_method(f.broker, 0, AMQP_CONNECTION_CLOSE_METHOD, &close);
  assert_false(pump_until(&f, &never, 1));
  assert_int_equal(f.err.code, BUS_E_AMQP_CONNECTION);
  assert_non_null(strstr(f.err.text, "320 CONNECTION_FORCED - bye"));
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE, .name = "q"};
  struct bus_envelope envelope = {.type = BUS_STR("a.v1")};
  struct bus_publication publication = {.key = BUS_STR("a"), .envelope = &envelope};
  assert_false(bus_amqp_pump(f.amqp, &events, &f.seen, &again));
  assert_string_equal(again.text, f.err.text);
  assert_false(bus_amqp_publish(f.amqp, &publication, &seq, &again));
  assert_false(bus_amqp_ack(f.amqp, 1, true, &again));
  assert_false(bus_amqp_declare(f.amqp, &d, true, &again));
  assert_false(bus_amqp_consume(f.amqp, "q", 0, 1, false, &again));
  assert_false(bus_amqp_cancel(f.amqp, 0, &again));
  assert_false(bus_amqp_confirm(f.amqp, &again));
  assert_false(bus_amqp_reply_queue(f.amqp, "q", &again));
  assert_false(bus_amqp_ping(f.amqp, &again));
  assert_false(bus_amqp_has_buffered(f.amqp));
  tear_down(&f);
}

TEST(connection_reply_codes_have_classes)
{
  static const struct {
    uint16_t code;
    enum bus_errc errc;
  } codes[] = {{403, BUS_E_AMQP_REFUSED},    {404, BUS_E_TOPOLOGY},     {405, BUS_E_AMQP_CONNECTION},
               {406, BUS_E_AMQP_CONNECTION}, {530, BUS_E_AMQP_REFUSED}, {541, BUS_E_AMQP_CONNECTION}};
  for (size_t i = 0; i < BUS_COUNT(codes); i++) {
    struct fixture f = set_up();
    amqp_channel_close_t close = {.reply_code = codes[i].code, .reply_text = amqp_cstring_bytes("why")};
    fake_send_method(f.broker, 1, AMQP_CHANNEL_CLOSE_METHOD, &close);
    assert_false(pump_until(&f, &never, 1));
    assert_int_equal(f.err.code, codes[i].errc);
    tear_down(&f);
  }
}

TEST(connection_lost_without_a_word_is_an_error)
{
  struct fixture f = set_up();
  fake_broker_hang_up(f.broker);
  assert_false(pump_until(&f, &never, 1));
  assert_int_equal(f.err.code, BUS_E_AMQP_CONNECTION);
  tear_down(&f);
}
