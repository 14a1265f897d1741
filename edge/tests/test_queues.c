/* Counts of the queues: read once for all who ask at a time, whole or not at all, with the broker's alarm. */
#include "api_fixture.h"
#include "test.h"

static void get(void) {
  (void)call("GET /api/queues", "");
}

TEST(each_queue_has_its_reader_and_its_counts)
{
  set_up();
  fake.ready = 7;
  get();
  assert_int_equal(fake.status, 200);
  assert_json_has("{\"queue\":\"order-svc.place\",\"service\":\"order-svc\",\"kind\":\"work\",\"ready\":7,"
                  "\"consumers\":1,\"retrying\":2,\"dead\":3}");
  assert_json_has("\"queue\":\"order-svc.query\",\"service\":\"order-svc\",\"kind\":\"queries\",\"ready\":7,"
                  "\"consumers\":1,\"retrying\":null,\"dead\":null}");
  assert_json_has("\"blocked\":false,\"reason\":null}");
  assert_null(strstr(fake.json.data, "edge.event"));
  tear_down();
}

TEST(who_asks_at_the_same_time_gets_the_same_counts)
{
  set_up();
  get();
  fake.now += AT_MS(1900);
  fake.ready = 1;
  get();
  assert_int_equal(fake.opened, 1);
  assert_json_has("\"ready\":0");
  fake.now += AT_MS(200);
  get();
  assert_int_equal(fake.opened, 2);
  assert_json_has("\"ready\":1");
  tear_down();
}

TEST(an_alarm_of_the_broker_has_its_words)
{
  set_up();
  fake.script.is_blocked = true;
  get();
  assert_int_equal(fake.status, 200);
  assert_json_has("\"blocked\":true,\"reason\":\"low on disk\"}");
  tear_down();
}

TEST(a_broker_that_is_away_is_not_tried_by_each)
{
  set_up();
  fake.script.is_down = true;
  get();
  assert_int_equal(fake.status, 503);
  get();
  assert_int_equal(fake.status, 503);
  assert_int_equal(fake.opened, 1);
  tear_down();
}

TEST(a_queue_that_is_missing_leaves_no_half_of_a_list)
{
  set_up();
  fake.missing_queue = "payment-svc";
  get();
  assert_int_equal(fake.status, 503);
  tear_down();
}
