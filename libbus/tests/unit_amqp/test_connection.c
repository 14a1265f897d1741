/* A connection against a broker that does what brokers rarely do. */
#include "connection.h"

#include "fake_broker.h"
#include "test.h"

#include <bus/clock.h>

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { KEPT = 16 };

struct seen {
  struct bus_delivery deliveries[KEPT];
  size_t delivery_count, confirm_count, blocked_count, cancelled_count, returned_count;
  uint64_t seq;
  bool multiple, ack, blocked;
  char reason[64], key[64];
  struct bus_uuid returned;
  int cancelled;
};

static void on_delivery(void *context, const struct bus_delivery *delivery) {
  struct seen *seen = context;
  if (seen->delivery_count < KEPT)
    seen->deliveries[seen->delivery_count] = *delivery;
  seen->delivery_count++;
}

static void on_confirm(void *context, uint64_t seq, bool multiple, bool ack) {
  struct seen *seen = context;
  seen->seq = seq;
  seen->multiple = multiple;
  seen->ack = ack;
  seen->confirm_count++;
}

static void on_returned(void *context, const struct bus_uuid *message_id, struct bus_str exchange, struct bus_str key) {
  struct seen *seen = context;
  seen->returned = *message_id;
  (void)snprintf(seen->key, sizeof seen->key, "%.*s %.*s", (int)exchange.len, exchange.data, (int)key.len, key.data);
  seen->returned_count++;
}

static void on_blocked(void *context, bool blocked, struct bus_str reason) {
  struct seen *seen = context;
  seen->blocked = blocked;
  seen->blocked_count++;
  (void)snprintf(seen->reason, sizeof seen->reason, "%.*s", (int)reason.len, reason.data ? reason.data : "");
}

static void on_cancelled(void *context, int consumer) {
  struct seen *seen = context;
  seen->cancelled = consumer;
  seen->cancelled_count++;
}

static const struct bus_amqp_events events = {on_delivery, on_confirm, on_returned, on_blocked, on_cancelled};

struct fixture {
  struct fake_broker *broker;
  struct bus_amqp *amqp;
  struct bus_arena *arena;
  struct seen seen;
  struct bus_error err;
};

static struct fixture set_up(void) {
  struct fixture f = {.broker = fake_broker_start(), .arena = bus_arena_new(8 << 20)};
  struct bus_amqp_settings settings = {.url = fake_broker_url(f.broker), .name = "test", .heartbeat_s = 60};
  if (!bus_amqp_open(&settings, &f.amqp, &f.err))
    fail_msg("%s", f.err.text);
  bus_amqp_set_arena(f.amqp, f.arena);
  return f;
}

static void tear_down(struct fixture *f) {
  bus_amqp_free(f->amqp);
  fake_broker_stop(f->broker);
  bus_arena_free(f->arena);
}

/* Pumps until the counter is at `wanted`, or 5 s passed; false when the pump failed. */
static bool pump_until(struct fixture *f, const size_t *counter, size_t wanted) {
  int64_t until = bus_monotonic() + 5 * BUS_SECOND;
  while (bus_monotonic() < until) {
    if (!bus_amqp_pump(f->amqp, &events, &f->seen, &f->err))
      return false;
    if (*counter >= wanted)
      return true;
    struct pollfd fd = {.fd = bus_amqp_fd(f->amqp), .events = POLLIN};
    (void)poll(&fd, 1, 100);
  }
  fail_msg("nothing came");
  return false;
}

static const size_t never = 0;

static amqp_basic_properties_t typed(void) {
  return (amqp_basic_properties_t){._flags = AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG,
                                   .type = amqp_cstring_bytes("a.b.v1"),
                                   .message_id = amqp_cstring_bytes("11111111-1111-1111-1111-111111111111")};
}

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
  bool exists;
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
  assert_false(bus_amqp_hand_back(f.amqp, 1, true, &again));
  assert_false(bus_amqp_declare(f.amqp, &d, true, &exists, &again));
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

/* ---- calls ---- */

TEST(connection_outlives_a_refused_declaration)
{
  struct fixture f = set_up();
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE, .name = "q"};
  bool exists = true;
  fake_broker_refuse_next(f.broker, 404);
  assert_false(bus_amqp_declare(f.amqp, &d, true, &exists, &f.err));
  assert_int_equal(f.err.code, BUS_E_TOPOLOGY);
  assert_non_null(strstr(f.err.text, "q is missing"));
  assert_false(exists);
  fake_broker_refuse_next(f.broker, 406);
  assert_false(bus_amqp_declare(f.amqp, &d, false, &exists, &f.err));
  assert_non_null(strstr(f.err.text, "q is different"));
  assert_true(bus_amqp_declare(f.amqp, &d, true, &exists, &f.err));
  assert_true(exists);
  tear_down(&f);
}

TEST(connection_with_consumers_goes_with_a_refused_declaration)
{
  struct fixture f = set_up();
  assert_true(bus_amqp_consume(f.amqp, "q", 0, 1, false, &f.err));
  fake_broker_refuse_next(f.broker, 404);
  assert_false(bus_amqp_ping(f.amqp, &f.err));
  assert_int_equal(f.err.code, BUS_E_TOPOLOGY);
  assert_false(bus_amqp_pump(f.amqp, &events, &f.seen, &f.err));
  tear_down(&f);
}

TEST(connection_refused_for_permissions_is_gone)
{
  struct fixture f = set_up();
  struct bus_declaration d = {.kind = BUS_DECLARE_QUEUE, .name = "q"};
  bool exists;
  fake_broker_refuse_next(f.broker, 403);
  assert_false(bus_amqp_declare(f.amqp, &d, false, &exists, &f.err));
  assert_int_equal(f.err.code, BUS_E_AMQP_REFUSED);
  assert_false(bus_amqp_ping(f.amqp, &f.err));
  tear_down(&f);
}

TEST(connection_refuses_calls_without_sense)
{
  struct fixture f = set_up();
  struct bus_declaration binding = {.kind = BUS_DECLARE_BINDING, .name = "q"};
  bool exists;
  assert_false(bus_amqp_consume(f.amqp, "q", -1, 1, false, &f.err));
  assert_false(bus_amqp_consume(f.amqp, "q", CONSUMERS_MAX, 1, false, &f.err));
  assert_false(bus_amqp_consume(f.amqp, "q", 0, 0, false, &f.err));
  assert_false(bus_amqp_consume(f.amqp, "q", 0, 65536, false, &f.err));
  assert_false(bus_amqp_declare(f.amqp, &binding, true, &exists, &f.err));
  assert_int_equal(f.err.code, BUS_E_INVALID);
  assert_true(bus_amqp_ping(f.amqp, &f.err)); /* it still stands */
  tear_down(&f);
}

/* ---- publishing ---- */

static bool publish(struct fixture *f, struct bus_str body, uint64_t *ret_seq) {
  struct bus_envelope envelope = {.type = BUS_STR("a.b.v1"), .timestamp = BUS_SECOND};
  struct bus_publication publication = {
      .exchange = BUS_EXCHANGE_CMD, .key = BUS_STR("a.b"), .envelope = &envelope, .body = body};
  return bus_amqp_publish(f->amqp, &publication, ret_seq, &f->err);
}

TEST(connection_counts_publications_once_confirms_are_on)
{
  struct fixture f = set_up();
  uint64_t seq = 99;
  assert_true(publish(&f, BUS_STR("{}"), &seq));
  assert_int_equal(seq, 0);
  assert_true(bus_amqp_confirm(f.amqp, &f.err));
  for (uint64_t i = 1; i <= 3; i++) {
    assert_true(publish(&f, BUS_STR("{}"), &seq));
    assert_int_equal(seq, i);
  }
  tear_down(&f);
}

static bool arrives_within(struct fixture *f, size_t count, int64_t ms) {
  int64_t until = bus_monotonic() + ms * BUS_MILLISECOND;
  while (fake_broker_published(f->broker) < count && bus_monotonic() < until)
    usleep(1000);
  return fake_broker_published(f->broker) >= count;
}

TEST(connection_says_that_a_batch_waits_for_the_pump)
{
  struct fixture f = set_up();
  uint64_t seq;
  assert_true(publish(&f, BUS_STR("{}"), &seq));
  assert_true(bus_amqp_has_buffered(f.amqp));
  assert_true(bus_amqp_pump(f.amqp, &events, &f.seen, &f.err));
  assert_false(bus_amqp_has_buffered(f.amqp));
  assert_true(arrives_within(&f, 1, 100));
  tear_down(&f);
}

/* The library holds the last segment of such a body back; nothing else follows here. */
TEST(connection_sends_empty_bodies_and_whole_frames_at_once)
{
  struct fixture f = set_up();
  static char whole[2 * (FRAME_MAX - 8)];
  memset(whole, 'x', sizeof whole);
  const struct bus_str bodies[] = {BUS_STR(""), {whole, sizeof whole / 2}, {whole, sizeof whole}};
  for (size_t i = 0; i < BUS_COUNT(bodies); i++) {
    uint64_t seq;
    assert_true(publish(&f, bodies[i], &seq));
    assert_true(bus_amqp_pump(f.amqp, &events, &f.seen, &f.err));
    assert_true(arrives_within(&f, i + 1, 150));
  }
  tear_down(&f);
}

/* A broker that no longer reads: the socket fills, the library waits for ever, the watchdog ends it. */
TEST(connection_full_socket_is_shut_by_the_watchdog)
{
  struct fixture f = set_up();
  static char body[100000];
  memset(body, 'x', sizeof body);
  fake_broker_deafen(f.broker);
  int64_t before = bus_monotonic();
  uint64_t seq;
  int sent = 0;
  while (sent < 1000 && publish(&f, (struct bus_str){body, sizeof body}, &seq))
    sent++;
  int64_t took = bus_monotonic() - before;
  assert_true(sent < 1000);
  assert_int_equal(f.err.code, BUS_E_AMQP_CONNECTION);
  assert_non_null(strstr(f.err.text, "read nothing"));
  assert_true(took > 3 * BUS_SECOND && took < 6 * BUS_SECOND);
  tear_down(&f);
}

TEST(connection_publish_into_a_closed_one_fails_at_once)
{
  struct fixture f = set_up();
  uint64_t seq;
  fake_broker_hang_up(f.broker);
  int64_t before = bus_monotonic();
  bool sent = true;
  for (int i = 0; i < 1000 && sent; i++)
    sent = publish(&f, BUS_STR("{\"a\":1}"), &seq);
  assert_false(sent);
  assert_true(bus_monotonic() - before < BUS_SECOND);
  tear_down(&f);
}

/* ---- opening ---- */

TEST(connection_to_nowhere_fails_within_the_timeout)
{
  struct bus_amqp_settings settings = {.url = "amqp://u:p@127.0.0.1:1/", .open_timeout_ms = 500};
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  settings.url = "amqp://u:hunter2@127.0.0.1:1/v";
  int64_t before = bus_monotonic();
  assert_false(bus_amqp_open(&settings, &amqp, &err));
  assert_null(amqp);
  assert_int_equal(err.code, BUS_E_AMQP_CONNECTION);
  assert_null(strstr(err.text, "hunter2"));
  assert_true(bus_monotonic() - before < 2 * BUS_SECOND);
}

/* It takes the connection and never says a word. */
TEST(connection_to_a_mute_server_fails_within_the_timeout)
{
  struct fake_broker *broker = fake_broker_start();
  struct bus_amqp_settings settings = {.url = fake_broker_url(broker), .open_timeout_ms = 500};
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  fake_broker_deafen(broker);
  int64_t before = bus_monotonic();
  assert_false(bus_amqp_open(&settings, &amqp, &err));
  assert_int_equal(err.code, BUS_E_AMQP_CONNECTION);
  assert_true(bus_monotonic() - before < 2 * BUS_SECOND);
  fake_broker_stop(broker);
}
