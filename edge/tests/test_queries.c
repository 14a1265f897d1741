/* Queries over a scripted bus in virtual time: what is known of an order, the time limit, and the breakers. */
#include "api_fixture.h"
#include "test.h"

#include <stdio.h>

TEST(an_order_is_read)
{
  set_up();
  point_to_order();
  answer_read(10, &says_found);
  assert_int_equal(call("GET /api/orders/{id}", ""), 10);
  assert_int_equal(fake.status, 200);
  answer_read(10, &says_not_found);
  assert_int_equal(call("GET /api/orders/{id}", ""), 10);
  assert_int_equal(fake.status, 404);
  assert_true(bus_str_is(fake_header("Retry-After"), "1"));
  tear_down();
}

static int read_order(void) {
  answer_read(10, &says_found);
  return call("GET /api/orders/{id}", "");
}

TEST(an_order_is_asked_for_once_until_it_changes)
{
  set_up();
  edge_listener_calls.attached(&edge);
  point_to_order();
  assert_int_equal(read_order(), 10);
  assert_int_equal(read_order(), 0);
  assert_int_equal(fake.status, 200);
  assert_true(bus_str_is(fake_header("ETag"), "\"1\"") || bus_str_is(fake_header("ETag"), "1"));
  struct order_change changed = {.order_id = {{7}}, .version = 2};
  const struct order_changes changes = {&changed, 1};
  edge_listener_calls.event(&edge, &order_changed_type, BUS_STR("order-svc"), &changes);
  assert_int_equal(read_order(), 0); /* it was another one */
  assert_true(bus_uuid_parse(fake.segment, &changed.order_id));
  edge_listener_calls.event(&edge, &order_changed_type, BUS_STR("order-svc"), &changes);
  assert_int_equal(read_order(), 10);
  fake.now += 5 * BUS_SECOND;
  assert_int_equal(read_order(), 10);
  edge_listener_calls.lost(&edge);
  assert_int_equal(read_order(), 10);
  assert_int_equal(read_order(), 10);
  tear_down();
}

TEST(an_order_is_asked_for_after_each_of_its_commands)
{
  set_up();
  edge_listener_calls.attached(&edge);
  point_to_order();
  assert_int_equal(read_order(), 10);
  confirm_only(5);
  (void)call("POST /api/orders/{id}/cancel", "{}");
  assert_int_equal(read_order(), 10);
  tear_down();
}

TEST(an_answer_of_another_order_is_nobody_s)
{
  static struct order_answer other;
  static const struct order_answers others = {&other, 1};
  set_up();
  point_to_order();
  other = says_found;
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &order_answers_type, &others};
  assert_int_equal(call("GET /api/orders/{id}", ""), 10);
  assert_int_equal(fake.status, 503);
  tear_down();
}

TEST(what_is_no_id_is_not_asked_for)
{
  set_up();
  fake.segment = BUS_STR("x");
  assert_int_equal(call("GET /api/orders/{id}", ""), 0);
  assert_int_equal(fake.status, 404);
  assert_int_equal(call("GET /api/orders/{id}/events", ""), 0);
  assert_int_equal(fake.status, 404);
  assert_int_equal(call("POST /api/orders/{id}/cancel", "{}"), 0);
  assert_int_equal(fake.status, 404);
  fake.segment = BUS_STR("a b");
  assert_int_equal(call("GET /api/products/{product}", ""), 0);
  assert_int_equal(fake.status, 404);
  assert_int_equal(fake.begun, 0);
  tear_down();
}

/* Whether order-svc does not know it, is silent, or is not asked at all. */
TEST(an_order_that_is_only_accepted_is_200)
{
  set_up();
  confirm_only(5);
  post();
  point_to_order();
  answer_read(10, &says_not_found);
  assert_int_equal(call("GET /api/orders/{id}", ""), 10);
  assert_int_equal(fake.status, 200);
  assert_json_has("\"status\":\"ACCEPTED\"");
  fake.script = fake_silence;
  assert_int_equal(call("GET /api/orders/{id}", ""), 2000);
  assert_json_has("\"status\":\"ACCEPTED\"");
  fake.script.is_down = true;
  assert_int_equal(call("GET /api/orders/{id}", ""), 0);
  assert_json_has("\"status\":\"ACCEPTED\"");
  tear_down();
}

TEST(an_order_that_was_found_is_no_longer_remembered)
{
  set_up();
  confirm_only(5);
  post();
  point_to_order();
  answer_read(10, &says_found);
  call("GET /api/orders/{id}", "");
  assert_int_equal(accepted_count(edge.accepted), 0);
  tear_down();
}

/* ---- the breakers ---- */

static struct product_view product = {.product_id = BUS_STR("A"),
                                      .name = BUS_STR("A"),
                                      .price = 1,
                                      .currency = BUS_STR("EUR"),
                                      .on_hand = 1,
                                      .reserved = 0,
                                      .version = 1,
                                      .stock_version = 4};
static const struct inventory_answer has_product = {INVENTORY_FOUND, &product};

static void inventory_answers(void) {
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &inventory_answer_type, &has_product};
}

static void inventory_is_silent(void) {
  fake.script = fake_silence;
}

/* → milliseconds */
static int get_product(int number) {
  static char id[16];
  (void)snprintf(id, sizeof id, "P-%d", number);
  fake.segment = bus_str(id);
  return call("GET /api/products/{product}", "");
}

static void inventory_fails_at_once(void) {
  fake.script = fake_silence;
  fake.script.unroutable_at = AT_MS(5);
}

static void open_inventory_breaker(void) {
  inventory_fails_at_once();
  for (int i = 0; i < 5; i++) {
    assert_int_equal(get_product(i), 5);
    assert_int_equal(fake.status, 503);
  }
  int begun = fake.begun;
  assert_int_equal(get_product(6), 0);
  assert_int_equal(fake.status, 503);
  assert_int_equal(fake.begun, begun);
  inventory_is_silent();
}

static enum bus_breaker_state inventory_breaker(void) {
  return bus_breaker_state(&edge_service_of(&edge, &product_get_type)->breaker.breaker, fake.now);
}

TEST(queries_that_fail_open_the_breaker_of_that_service)
{
  set_up();
  open_inventory_breaker();
  assert_true(bus_str_is(fake_header("Retry-After"), "1"));
  point_to_order();
  answer_read(10, &says_found);
  call("GET /api/orders/{id}", "");
  assert_int_equal(fake.status, 200);
  tear_down();
}

/* A script or a poller asks for the same id, again and again, while all others are answered. */
TEST(one_product_that_is_never_answered_opens_no_breaker)
{
  set_up();
  for (int i = 0; i < 100; i++) {
    inventory_is_silent();
    assert_int_equal(get_product(0), 2000);
    inventory_answers();
    assert_int_equal(get_product(1 + i), 10);
    assert_int_equal(fake.status, 200);
  }
  assert_int_equal(fake.breaker_changes[BUS_BREAKER_OPEN], 0);
  tear_down();
}

/* Each page is a query of its own: five that fail are five. */
TEST(lists_that_fail_open_the_breaker)
{
  set_up();
  inventory_fails_at_once();
  for (int i = 0; i < 5; i++)
    assert_int_equal(call("GET /api/products", ""), 5);
  assert_int_equal(call("GET /api/products", ""), 0);
  tear_down();
}

TEST(reads_go_on_a_second_after_a_stall)
{
  set_up();
  open_inventory_breaker();
  inventory_answers();
  fake.now += BUS_SECOND;
  for (int i = 10; i < 20; i++) {
    assert_int_equal(get_product(i), 10);
    assert_int_equal(fake.status, 200);
  }
  assert_int_equal(inventory_breaker(), BUS_BREAKER_CLOSED);
  tear_down();
}

/* A hanging probe has failed when half of its time is over: by its end the breaker has rested for a second. */
TEST(the_breaker_rests_longer_after_each_failed_probe)
{
  static const int rests[] = {2, 2, 4, 8, 16, 30, 30}; /* seconds; the first one has no probe before it */
  set_up();
  open_inventory_breaker();
  for (size_t i = 0; i < BUS_COUNT(rests); i++) {
    fake.now += (rests[i] - 1) * BUS_SECOND;
    assert_int_equal(get_product(10 + (int)i), 2000);
  }
  assert_int_equal(get_product(20), 0);
  assert_true(bus_str_is(fake_header("Retry-After"), "29"));
  tear_down();
}

/* Five readers wait at the same time. */
TEST(silent_queries_open_the_breaker_before_their_time_is_over)
{
  struct bus_breaker_call calls[5];
  int64_t retry_at;
  set_up();
  struct edge_breaker *breaker = &edge_service_of(&edge, &product_get_type)->breaker;
  for (uint64_t i = 0; i < 5; i++)
    assert_true(edge_breaker_begin(breaker, &calls[i], i, fake.now, &retry_at));
  fake.now += BUS_SECOND + 1;
  assert_int_equal(get_product(20), 0);
  assert_int_equal(fake.status, 503);
  for (uint64_t i = 0; i < 5; i++)
    edge_breaker_end(breaker, &calls[i], EDGE_FAILS, fake.now);
  tear_down();
}

static void watch_once(void) {
  struct bus_arena *arena = bus_arena_new(1 << 16);
  fake_begin("");
  edge_watch_once(&edge, arena);
  bus_arena_free(arena);
}

TEST(a_ping_s_answer_closes_the_breaker)
{
  static const struct inventory_ping pong;
  set_up();
  open_inventory_breaker();
  watch_once(); /* silence: it stays open */
  assert_int_equal(fake.breaker_changes[BUS_BREAKER_CLOSED], 0);
  fake.script.answers[0] = (struct fake_answer){AT_MS(3), &inventory_pong_type, &pong};
  watch_once();
  assert_int_equal(inventory_breaker(), BUS_BREAKER_CLOSED);
  assert_int_equal(fake.breaker_changes[BUS_BREAKER_CLOSED], 1);
  int begun = fake.begun;
  watch_once();
  assert_int_equal(fake.begun, begun + 1); /* order-svc alone: nothing is open */
  tear_down();
}

/* Open, half-open, closed: a line each, and none for a query that is held back. */
TEST(the_log_has_a_line_for_each_change_of_a_breaker)
{
  set_up();
  inventory_fails_at_once();
  for (int i = 0; i < 4; i++)
    get_product(i);
  assert_int_equal(fake.logged, 0);
  for (int i = 0; i < 50; i++)
    get_product(i);
  assert_int_equal(fake.logged, 1);
  fake.now += BUS_SECOND;
  inventory_is_silent();
  inventory_answers();
  get_product(60);
  assert_int_equal(fake.logged, 2);
  for (int i = 60; i < 90; i++)
    get_product(i);
  assert_int_equal(fake.logged, 3);
  tear_down();
}

TEST(a_broker_that_is_away_does_not_open_the_breaker)
{
  set_up();
  fake.script.is_down = true;
  for (int i = 0; i < 10; i++)
    assert_int_equal(get_product(i), 0);
  assert_int_equal(inventory_breaker(), BUS_BREAKER_CLOSED);
  assert_int_equal(fake.begun, 0);
  tear_down();
}

TEST(queries_that_the_broker_lost_do_not_open_the_breaker)
{
  set_up();
  fake.script.lost_at = AT_MS(5);
  for (int i = 0; i < 10; i++)
    assert_int_equal(get_product(i), 5);
  assert_int_equal(inventory_breaker(), BUS_BREAKER_CLOSED);
  tear_down();
}

TEST(wrong_and_unknown_query_parameters_are_400)
{
  static const char *const bad[] = {"limit=0", "page=2", "status=DONE", "cursor=x", "customer_id=%00"};
  set_up();
  for (size_t i = 0; i < BUS_COUNT(bad); i++) {
    fake.query = bad[i];
    call("GET /api/orders", "");
    assert_int_equal(fake.status, 400);
  }
  assert_int_equal(fake.begun, 0);
  tear_down();
}

TEST(a_single_read_has_its_version_as_entity_tag)
{
  set_up();
  point_to_order();
  for (int known = 0; known < 2; known++) {
    fake.script = fake_silence;
    answer_read(10, &says_found);
    fake.none_match = known ? BUS_STR("1") : BUS_STR("2");
    (void)call("GET /api/orders/{id}", "");
    assert_int_equal(fake.status, known ? 304 : 200);
    assert_true(bus_str_is(fake_header("ETag"), "1"));
    assert_int_equal(fake.json.data != NULL, !known);
  }
  fake.script = fake_silence;
  answer_read(10, &says_not_found);
  (void)call("GET /api/orders/{id}", "");
  assert_int_equal(fake.status, 404);
  assert_null(fake_header("ETag").data);
  tear_down();
}
