/* GET /api/events and GET /api/services over a scripted bus. */
#include "api_fixture.h"
#include "test.h"

static size_t count(const char *text) {
  size_t found_count = 0;
  for (const char *at = fake.json.data; at && (at = strstr(at, text)); at++)
    found_count++;
  return found_count;
}

static void change(int64_t version) {
  struct order_change one = {.version = version, .status = ORDER_PENDING};
  const struct order_changes changes = {&one, 1};
  edge_listener_calls.event(&edge, &order_changed_type, BUS_STR("order-svc"), &changes);
}

static void hear_of_one(void) {
  fake.on_wait = NULL;
  change(2);
}

static void follow(int waits) {
  fake.waits = waits;
  (void)call("GET /api/events", "");
}

TEST(changes_come_as_they_are_heard)
{
  set_up();
  change(1);
  fake.on_wait = hear_of_one;
  follow(1);
  assert_int_equal(fake.status, 200);
  assert_int_equal(count("event: order"), 1);
  assert_json_has("id: 7f-2\nevent: order\n");
  assert_int_equal(fake.begun, 0); /* order-svc is not asked */
  assert_null(edge.feeds.first);
  tear_down();
}

TEST(a_client_resumes_at_this_edge)
{
  set_up();
  for (int i = 1; i <= 3; i++)
    change(i);
  fake.last_event = BUS_STR("7f-1");
  follow(0);
  assert_int_equal(count("event: order"), 2);
  assert_int_equal(count("event: resync"), 0);
  fake.last_event = BUS_STR("7e-1"); /* another edge's */
  follow(0);
  assert_int_equal(count("event: order"), 0);
  assert_int_equal(count("event: resync"), 1);
  tear_down();
}

static void hear_again(void) {
  fake.on_wait = NULL;
  edge_listener_calls.lost(&edge);
  edge_listener_calls.attached(&edge);
}

TEST(missed_events_are_told)
{
  set_up();
  edge_listener_calls.attached(&edge);
  fake.on_wait = hear_again;
  follow(3);
  assert_int_equal(count("event: resync"), 1);
  tear_down();
}

TEST(a_fifth_feed_of_a_caller_is_429)
{
  struct stream open[STREAMS_A_CUSTOMER] = {0};
  set_up();
  for (int i = 0; i < STREAMS_A_CUSTOMER; i++) {
    open[i] = (struct stream){.customer = streams_customer(BUS_STR("")), .wake_fd = -1};
    assert_true(streams_join(&edge.feeds, &open[i]));
  }
  follow(0);
  assert_int_equal(fake.status, 429);
  tear_down();
}

TEST(services_are_listed)
{
  const struct bus_alive alive = {
      .instance = BUS_STR("i-1"), .version = BUS_STR("1.0"), .started_at = BUS_SECOND, .state = BUS_ALIVE_NOT_READY};
  set_up();
  edge_listener_calls.event(&edge, &bus_alive_type, BUS_STR("order-svc"), &alive);
  (void)call("GET /api/services", "");
  assert_int_equal(fake.status, 200);
  assert_json_has("{\"items\":[{\"service\":\"order-svc\",\"instance\":\"i-1\",\"version\":\"1.0\","
                  "\"state\":\"not_ready\",\"started_at\":\"1970-01-01T00:00:01.000Z\"");
  tear_down();
}
