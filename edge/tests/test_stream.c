/* A stream of an order's log over a scripted bus: what is sent, when it ends, and what opens none. */
#include "api_fixture.h"
#include "test.h"

static struct order_event_view log_entries[] = {
    {.seq = 1, .type = BUS_STR("created"), .at = 1, .data = BUS_STR("{}")},
    {.seq = 2, .type = BUS_STR("confirmed"), .at = 2, .data = BUS_STR("{}")},
};
static struct order_history history;
static struct order_view viewed;
static struct order_answer found;

#define END "event: end\ndata: {}\n\n"

/* order-svc knows an order in this status, and so many entries of its log. */
static void order_is(enum order_status status, size_t entries) {
  viewed = (struct order_view){.customer_id = BUS_STR("c-1"), .status = (int)status, .version = 4};
  found = (struct order_answer){ORDER_FOUND, &viewed};
  history = (struct order_history){ORDER_FOUND, log_entries, entries, BUS_NO_INT64};
  fake.script = fake_silence;
  fake.script.by_type = true;
  fake.script.answers[0] = (struct fake_answer){AT_MS(2), &order_answer_type, &found};
  fake.script.answers[1] = (struct fake_answer){AT_MS(2), &order_history_type, &history};
}

static void stream(void) {
  point_to_order();
  (void)call("GET /api/orders/{id}/stream", "");
}

static size_t count(const char *text) {
  size_t found_count = 0;
  for (const char *at = fake.json.data; at && (at = strstr(at, text)); at++)
    found_count++;
  return found_count;
}

TEST(a_final_order_s_log_is_sent_and_ends)
{
  set_up();
  order_is(ORDER_CONFIRMED, 2);
  stream();
  assert_int_equal(fake.status, 200);
  assert_json_has("id: 1\nevent: created\ndata: {\"seq\":1,");
  assert_json_has("id: 2\nevent: confirmed\n");
  assert_int_equal(count(END), 1);
  assert_null(edge.streams.first);
  tear_down();
}

TEST(a_client_that_has_everything_is_told_not_to_come_back)
{
  set_up();
  order_is(ORDER_CANCELLED, 0);
  fake.last_event = BUS_STR("2");
  stream();
  assert_int_equal(fake.status, 204);
  assert_true(strstr(fake.sent.data, "\"after_seq\":2") != NULL);
  tear_down();
}

TEST(an_idle_stream_asks_nothing_and_sends_a_comment_each_15_s)
{
  set_up();
  order_is(ORDER_PENDING, 0);
  fake.waits = 64; /* of half a second */
  stream();
  assert_int_equal(fake.status, 200);
  assert_int_equal(count(":\n\n"), 2);
  assert_int_equal(count("event:"), 0);
  assert_int_equal(fake.begun, 3); /* the order before the stream, then the order and its log */
  assert_null(edge.streams.first);
  tear_down();
}

TEST(a_log_that_cannot_be_read_is_asked_for_again_each_second)
{
  set_up();
  order_is(ORDER_CONFIRMED, 2);
  fake.script.answers[1].body = NULL;
  fake.waits = 5;
  stream();
  assert_int_equal(fake.status, 200);
  assert_int_equal(count(END), 0);
  assert_true(fake.begun > 3);
  tear_down();
}

TEST(a_stream_ends_while_the_edge_drains)
{
  set_up();
  order_is(ORDER_PENDING, 0);
  fake.waits = 1000;
  atomic_store(&edge.draining, true);
  stream();
  assert_int_equal(fake.waits, 1000);
  tear_down();
}

TEST(what_opens_no_stream)
{
  set_up();
  order_is(ORDER_PENDING, 1);
  fake.last_event = BUS_STR("x");
  stream();
  assert_int_equal(fake.status, 400);
  fake.last_event = BUS_NO_STR;
  fake.no_place = true;
  stream();
  assert_int_equal(fake.status, 503);
  fake.no_place = false;
  found = says_not_found;
  stream();
  assert_int_equal(fake.status, 404);
  fake.script = fake_silence;
  stream();
  assert_int_equal(fake.status, 503);
  assert_null(edge.streams.first);
  tear_down();
}

TEST(a_fifth_stream_of_a_customer_is_429)
{
  struct stream open[STREAMS_A_CUSTOMER] = {0};
  set_up();
  order_is(ORDER_CONFIRMED, 2);
  for (int i = 0; i < STREAMS_A_CUSTOMER; i++) {
    open[i].customer = streams_customer(BUS_STR("c-1"));
    assert_true(streams_join(&edge.streams, &open[i]));
  }
  stream();
  assert_int_equal(fake.status, 429);
  assert_true(bus_str_is(fake_header("Retry-After"), "1"));
  streams_leave(&edge.streams, &open[0]);
  stream();
  assert_int_equal(fake.status, 200);
  tear_down();
}

TEST(the_watch_sees_another_version)
{
  static struct order_answers all = {&found, 1};
  struct stream open = {.order_id = {{5}}};
  set_up();
  order_is(ORDER_PENDING, 0);
  edge_streams_look(&edge);
  assert_int_equal(fake.begun, 0); /* no stream, no query */
  assert_true(streams_join(&edge.streams, &open));
  fake_begin("");
  fake.script.by_type = false;
  fake.script.answers[0] = (struct fake_answer){AT_MS(2), &order_answers_type, &all};
  edge_streams_look(&edge);
  assert_int_equal(fake.begun, 1);
  assert_int_equal(atomic_load(&open.version), 4);
  tear_down();
}

/* ---- events ---- */

static void hear_of_version_5(void) {
  struct order_change change = {edge.streams.first->order_id, 5, ORDER_CONFIRMED};
  const struct order_changes changes = {&change, 1};
  fake.on_wait = NULL;
  order_is(ORDER_CONFIRMED, 2);
  viewed.version = 5;
  edge_listener_calls.event(&edge, &order_changed_type, BUS_STR("order-svc"), &changes);
}

TEST(an_event_lets_a_stream_read_at_once)
{
  set_up();
  order_is(ORDER_PENDING, 0);
  fake.waits = 1;
  fake.on_wait = hear_of_version_5;
  int64_t begun = fake.now;
  stream();
  assert_json_has("id: 2\nevent: confirmed\n");
  assert_int_equal(count(END), 1);
  assert_true(fake.now - begun < AT_MS(100));
  tear_down();
}

static void hear_again(void) {
  fake.on_wait = NULL;
  edge_listener_calls.lost(&edge);
  assert_false(atomic_load(&edge.listening));
  edge_listener_calls.attached(&edge);
}

TEST(a_stream_says_that_events_were_missed_and_reads)
{
  set_up();
  order_is(ORDER_PENDING, 0);
  edge_listener_calls.attached(&edge); /* the first time none was missed */
  fake.waits = 3;
  fake.on_wait = hear_again;
  stream();
  assert_int_equal(count("event: resync\ndata: {}\n\n"), 1);
  assert_int_equal(fake.begun, 5); /* and the order and its log once more */
  tear_down();
}

TEST(the_watch_asks_seldom_while_events_come)
{
  static struct order_answers all = {&found, 1};
  struct stream open = {.order_id = {{5}}, .wake_fd = -1};
  struct bus_arena *arena = bus_arena_new(1 << 16);
  set_up();
  order_is(ORDER_PENDING, 0);
  assert_true(streams_join(&edge.streams, &open));
  fake_begin("");
  fake.script.by_type = false;
  fake.script.answers[0] = (struct fake_answer){AT_MS(2), &order_answers_type, &all};
  edge_listener_calls.attached(&edge);
  edge_watch_once(&edge, arena);
  int begun = fake.begun;
  edge_watch_once(&edge, arena);
  assert_int_equal(fake.begun, begun + 1); /* order-svc's ping */
  fake.now += 15 * BUS_SECOND;
  edge_watch_once(&edge, arena);
  assert_int_equal(fake.begun, begun + 3);
  edge_listener_calls.lost(&edge);
  edge_watch_once(&edge, arena);
  assert_int_equal(fake.begun, begun + 5);
  bus_arena_free(arena);
  tear_down();
}
