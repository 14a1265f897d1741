/* Every cell of the reservation's table, and every way in which a request can fail. */
#include "inventory_table.h"

#include <test.h>

/* One order for 3 of a product of which 10 are there, brought into a state. */
struct fixture {
  struct product products[3];
  struct reservation_line lines[4];
  struct reservation_request request;
  struct reservation reservation;
};

static struct product a_product(const char *id, int64_t price, const char *currency, int64_t on_hand) {
  return (struct product){.id = bus_str(id),
                          .name = BUS_STR("Thing"),
                          .currency = bus_str(currency),
                          .price = price,
                          .on_hand = on_hand,
                          .received = on_hand,
                          .version = 1};
}

static void setup(struct fixture *fixture) {
  *fixture = (struct fixture){
      .products = {a_product("SKU-1", 250, "EUR", 10), a_product("SKU-2", 99, "EUR", 5),
                   a_product("SKU-3", 1, "USD", 5)},
  };
  fixture->lines[0] = (struct reservation_line){.product = &fixture->products[0], .quantity = 3};
  fixture->request =
      (struct reservation_request){fixture->lines, 1, BUS_NO_INT64, BUS_STR("EUR"), .expected_until = 5 * BUS_SECOND};
}

static struct reservation_decision carry_out(struct fixture *fixture, enum reservation_command command) {
  struct reservation_decision decision;
  const struct reservation_request *request =
      command == RESERVATION_RELEASE || command == RESERVATION_RETURN ? NULL : &fixture->request;
  reservation_decide(&fixture->reservation, command, request, &decision);
  (void)reservation_evolve(&fixture->reservation, &decision);
  assert_true(product_is_valid(&fixture->products[0]));
  return decision;
}

static void bring_into(struct fixture *fixture, enum reservation_state state) {
  setup(fixture);
  if (state == RESERVATION_REJECTED)
    fixture->products[0].on_hand = fixture->products[0].received = 2;
  bool sold = state == RESERVATION_COMMITTED || state == RESERVATION_RETURNED;
  if (state == RESERVATION_RESERVED || sold || state == RESERVATION_REJECTED)
    (void)carry_out(fixture, RESERVATION_RESERVE);
  if (sold)
    (void)carry_out(fixture, RESERVATION_SELL);
  if (state == RESERVATION_RETURNED)
    (void)carry_out(fixture, RESERVATION_RETURN);
  if (state == RESERVATION_RELEASED)
    (void)carry_out(fixture, RESERVATION_RELEASE);
  assert_int_equal(fixture->reservation.state, state);
}

struct expectation {
  enum reservation_state next;
  enum reservation_answer answer;
  int reason; /* -1: none */
  int64_t on_hand, reserved, sold;
  enum reservation_alarm alarm;
};

static void check(enum reservation_state state, enum reservation_command command, struct expectation expected) {
  struct fixture fixture;
  bring_into(&fixture, state);
  const struct reservation_decision decision = carry_out(&fixture, command);
  assert_int_equal(fixture.reservation.state, expected.next);
  assert_int_equal(decision.answer, expected.answer);
  assert_int_equal(decision.alarm, expected.alarm);
  if (expected.reason >= 0)
    assert_int_equal(decision.reason, expected.reason);
  assert_int_equal(fixture.products[0].on_hand, expected.on_hand);
  assert_int_equal(fixture.products[0].reserved, expected.reserved);
  assert_int_equal(fixture.products[0].sold, expected.sold);
}

TEST(return_puts_what_was_sold_back_once)
{
  check(RESERVATION_COMMITTED, RESERVATION_RETURN,
        (struct expectation){RESERVATION_RETURNED, ANSWER_NONE, -1, 10, 0, 0, ALARM_NONE});
  for (int command = 0; command < RESERVATION_COMMANDS; command++)
    check(RESERVATION_RETURNED, (enum reservation_command)command,
          (struct expectation){RESERVATION_RETURNED, ANSWER_NONE, -1, 10, 0, 0,
                               command == RESERVATION_RELEASE ? ALARM_SOLD : ALARM_NONE});
}

TEST(return_of_what_is_not_sold_changes_nothing)
{
  check(RESERVATION_NONE, RESERVATION_RETURN,
        (struct expectation){RESERVATION_NONE, ANSWER_NONE, -1, 10, 0, 0, ALARM_NONE});
  check(RESERVATION_RESERVED, RESERVATION_RETURN, /* the sale is on its way */
        (struct expectation){RESERVATION_RESERVED, ANSWER_LATER, -1, 7, 3, 0, ALARM_NONE});
  check(RESERVATION_RELEASED, RESERVATION_RETURN,
        (struct expectation){RESERVATION_RELEASED, ANSWER_NONE, -1, 10, 0, 0, ALARM_NONE});
  check(RESERVATION_REJECTED, RESERVATION_RETURN,
        (struct expectation){RESERVATION_REJECTED, ANSWER_NONE, -1, 2, 0, 0, ALARM_NONE});
}

TEST(none_reserve_reserves)
{
  check(RESERVATION_NONE, RESERVATION_RESERVE,
        (struct expectation){RESERVATION_RESERVED, ANSWER_RESERVED, -1, 7, 3, 0, ALARM_NONE});
}

TEST(none_sell_sells_from_what_is_on_hand)
{
  check(RESERVATION_NONE, RESERVATION_SELL,
        (struct expectation){RESERVATION_COMMITTED, ANSWER_NONE, -1, 7, 0, 3, ALARM_NONE});
}

TEST(none_release_leaves_a_tombstone)
{
  check(RESERVATION_NONE, RESERVATION_RELEASE,
        (struct expectation){RESERVATION_RELEASED, ANSWER_RELEASED, -1, 10, 0, 0, ALARM_NONE});
}

TEST(reserved_reserve_answers_as_it_is)
{
  check(RESERVATION_RESERVED, RESERVATION_RESERVE,
        (struct expectation){RESERVATION_RESERVED, ANSWER_RESERVED, -1, 7, 3, 0, ALARM_NONE});
}

TEST(reserved_sell_sells)
{
  check(RESERVATION_RESERVED, RESERVATION_SELL,
        (struct expectation){RESERVATION_COMMITTED, ANSWER_NONE, -1, 7, 0, 3, ALARM_NONE});
}

TEST(reserved_release_puts_back)
{
  check(RESERVATION_RESERVED, RESERVATION_RELEASE,
        (struct expectation){RESERVATION_RELEASED, ANSWER_RELEASED, -1, 10, 0, 0, ALARM_NONE});
}

TEST(committed_reserve_says_nothing)
{
  check(RESERVATION_COMMITTED, RESERVATION_RESERVE,
        (struct expectation){RESERVATION_COMMITTED, ANSWER_NONE, -1, 7, 0, 3, ALARM_NONE});
}

TEST(committed_sell_sells_once)
{
  check(RESERVATION_COMMITTED, RESERVATION_SELL,
        (struct expectation){RESERVATION_COMMITTED, ANSWER_NONE, -1, 7, 0, 3, ALARM_NONE});
}

TEST(committed_release_is_alarmed)
{
  check(RESERVATION_COMMITTED, RESERVATION_RELEASE,
        (struct expectation){RESERVATION_COMMITTED, ANSWER_NONE, -1, 7, 0, 3, ALARM_SOLD});
}

TEST(released_reserve_meets_the_tombstone)
{
  check(RESERVATION_RELEASED, RESERVATION_RESERVE,
        (struct expectation){RESERVATION_RELEASED, ANSWER_REJECTED, STOCK_ALREADY_RELEASED, 10, 0, 0, ALARM_NONE});
}

TEST(a_tombstone_does_not_say_what_to_sell)
{
  check(RESERVATION_RELEASED, RESERVATION_SELL,
        (struct expectation){RESERVATION_RELEASED, ANSWER_MISSING, STOCK_NO_RESERVATION, 10, 0, 0, ALARM_MISSING});
}

TEST(released_release_puts_back_once)
{
  check(RESERVATION_RELEASED, RESERVATION_RELEASE,
        (struct expectation){RESERVATION_RELEASED, ANSWER_RELEASED, -1, 10, 0, 0, ALARM_NONE});
}

TEST(rejected_reserve_recalls_the_reason)
{
  check(RESERVATION_REJECTED, RESERVATION_RESERVE,
        (struct expectation){RESERVATION_REJECTED, ANSWER_REJECTED, STOCK_OUT_OF_STOCK, 2, 0, 0, ALARM_NONE});
}

TEST(rejected_sell_is_missing)
{
  check(RESERVATION_REJECTED, RESERVATION_SELL,
        (struct expectation){RESERVATION_REJECTED, ANSWER_MISSING, STOCK_OUT_OF_STOCK, 2, 0, 0, ALARM_MISSING});
}

TEST(rejected_release_recalls_the_reason)
{
  check(RESERVATION_REJECTED, RESERVATION_RELEASE,
        (struct expectation){RESERVATION_REJECTED, ANSWER_REJECTED, STOCK_OUT_OF_STOCK, 2, 0, 0, ALARM_NONE});
}

TEST(a_rejection_is_remembered_when_stock_comes_back)
{
  struct fixture fixture;
  bring_into(&fixture, RESERVATION_REJECTED);
  product_set_on_hand(&fixture.products[0], 100);
  const struct reservation_decision decision = carry_out(&fixture, RESERVATION_RESERVE);
  assert_int_equal(decision.answer, ANSWER_REJECTED);
  assert_int_equal(decision.reason, STOCK_OUT_OF_STOCK);
  assert_true(bus_str_is(decision.guilty, "SKU-1"));
  assert_int_equal(fixture.products[0].on_hand, 100);
}

TEST(released_after_reserved_meets_a_late_reserve)
{
  struct fixture fixture;
  bring_into(&fixture, RESERVATION_RESERVED);
  (void)carry_out(&fixture, RESERVATION_RELEASE);
  const struct reservation_decision decision = carry_out(&fixture, RESERVATION_RESERVE);
  assert_int_equal(decision.answer, ANSWER_REJECTED);
  assert_int_equal(decision.reason, STOCK_ALREADY_RELEASED);
  assert_int_equal(fixture.products[0].on_hand, 10);
}

/* ---- CONFIRMED without a reservation ---- */

TEST(what_was_released_is_sold_as_it_was_reserved)
{
  struct fixture fixture;
  bring_into(&fixture, RESERVATION_RESERVED);
  (void)carry_out(&fixture, RESERVATION_RELEASE);
  fixture.products[0].price = 1;
  const struct reservation_decision decision = carry_out(&fixture, RESERVATION_SELL);
  assert_int_equal(decision.answer, ANSWER_NONE);
  assert_int_equal(fixture.reservation.state, RESERVATION_COMMITTED);
  assert_int_equal(fixture.reservation.lines[0].unit_price, 250);
  assert_int_equal(fixture.products[0].on_hand, 7);
  assert_int_equal(fixture.products[0].sold, 3);
}

TEST(an_absent_one_is_sold_at_the_orders_own_prices)
{
  struct fixture fixture;
  setup(&fixture);
  fixture.lines[0].unit_price = 200;
  fixture.request.expected_total = 600;
  (void)carry_out(&fixture, RESERVATION_SELL);
  assert_int_equal(fixture.reservation.total, 600);
  assert_int_equal(fixture.reservation.lines[0].unit_price, 200);
  assert_true(bus_str_is(fixture.reservation.currency, "EUR"));
}

TEST(what_is_not_on_hand_is_missing_and_nothing_moves)
{
  for (int released = 0; released < 2; released++) {
    struct fixture fixture;
    bring_into(&fixture, released ? RESERVATION_RESERVED : RESERVATION_NONE);
    if (released)
      (void)carry_out(&fixture, RESERVATION_RELEASE);
    product_set_on_hand(&fixture.products[0], 2);
    const struct reservation_decision decision = carry_out(&fixture, RESERVATION_SELL);
    assert_int_equal(decision.answer, ANSWER_MISSING);
    assert_int_equal(decision.alarm, ALARM_MISSING);
    assert_int_equal(decision.reason, STOCK_OUT_OF_STOCK);
    assert_true(bus_str_is(decision.guilty, "SKU-1"));
    assert_int_equal(fixture.reservation.state, released ? RESERVATION_RELEASED : RESERVATION_NONE);
    assert_int_equal(fixture.products[0].on_hand, 2);
    product_set_on_hand(&fixture.products[0], 3);
    assert_int_equal(carry_out(&fixture, RESERVATION_SELL).answer, ANSWER_NONE);
  }
}

static bool ask_when_due(struct reservation *reservation, bus_time now) {
  bool due = reservation_is_due(reservation, now);
  if (due)
    reservation_asked(reservation, now);
  return due;
}

TEST(order_svc_is_asked_once_a_minute_while_it_is_reserved)
{
  struct fixture fixture;
  bring_into(&fixture, RESERVATION_RESERVED);
  assert_false(ask_when_due(&fixture.reservation, 5 * BUS_SECOND - 1));
  assert_true(ask_when_due(&fixture.reservation, 5 * BUS_SECOND));
  assert_false(ask_when_due(&fixture.reservation, 64 * BUS_SECOND));
  assert_true(ask_when_due(&fixture.reservation, 65 * BUS_SECOND));
  for (int in = RESERVATION_NONE; in < RESERVATION_ORDER_STATES; in++) {
    bring_into(&fixture, (enum reservation_state)in);
    assert_int_equal(ask_when_due(&fixture.reservation, BUS_HOUR), in == RESERVATION_RESERVED);
  }
}

TEST(order_svc_is_asked_about_a_time_of_before_the_clock_was_set_back)
{
  struct fixture fixture;
  bring_into(&fixture, RESERVATION_RESERVED);
  fixture.reservation.expected_until = 30 * BUS_HOUR;
  assert_false(ask_when_due(&fixture.reservation, 30 * BUS_HOUR - RESERVATION_LONGEST_WAIT));
  assert_true(ask_when_due(&fixture.reservation, 30 * BUS_HOUR - RESERVATION_LONGEST_WAIT - 1));
  assert_int_equal(fixture.reservation.expected_until,
                   30 * BUS_HOUR - RESERVATION_LONGEST_WAIT - 1 + RESERVATION_ASK_EVERY);
}

/* ---- pricing ---- */

static void line(struct fixture *fixture, size_t at, size_t product, int64_t quantity) {
  fixture->lines[at] = (struct reservation_line){.product = &fixture->products[product], .quantity = quantity};
  if (fixture->request.line_count <= at)
    fixture->request.line_count = at + 1;
}

static struct reservation_decision reserve(struct fixture *fixture) {
  const struct product before[] = {fixture->products[0], fixture->products[1], fixture->products[2]};
  const struct reservation_decision decision = carry_out(fixture, RESERVATION_RESERVE);
  if (decision.answer == ANSWER_REJECTED) {
    assert_int_equal(fixture->reservation.state, RESERVATION_REJECTED);
    assert_memory_equal(before, fixture->products, sizeof before);
  }
  return decision;
}

static void assert_rejected(struct fixture *fixture, enum stock_reason reason, const char *guilty) {
  const struct reservation_decision decision = reserve(fixture);
  assert_int_equal(decision.answer, ANSWER_REJECTED);
  assert_int_equal(decision.reason, reason);
  if (guilty)
    assert_true(bus_str_is(decision.guilty, guilty));
  else
    assert_null(decision.guilty.data);
}

TEST(prices_are_locked_and_added_up)
{
  struct fixture fixture;
  setup(&fixture);
  line(&fixture, 1, 1, 2);
  const struct reservation_decision decision = reserve(&fixture);
  assert_int_equal(decision.answer, ANSWER_RESERVED);
  assert_int_equal(fixture.reservation.total, 3 * 250 + 2 * 99);
  assert_true(bus_str_is(fixture.reservation.currency, "EUR"));
  fixture.products[0].price = 1;
  assert_int_equal(fixture.reservation.lines[0].unit_price, 250);
  assert_int_equal(fixture.reservation.lines[1].unit_price, 99);
}

TEST(the_expected_total_may_be_the_total)
{
  struct fixture fixture;
  setup(&fixture);
  fixture.request.expected_total = 750;
  assert_int_equal(reserve(&fixture).answer, ANSWER_RESERVED);
}

TEST(another_expected_total_is_a_mismatch)
{
  for (int64_t off = -1; off <= 1; off += 2) {
    struct fixture fixture;
    setup(&fixture);
    fixture.request.expected_total = 750 + off;
    assert_rejected(&fixture, STOCK_TOTAL_MISMATCH, NULL);
  }
}

TEST(an_expected_total_of_nothing_counts)
{
  struct fixture fixture;
  setup(&fixture);
  fixture.request.expected_total = 0;
  assert_rejected(&fixture, STOCK_TOTAL_MISMATCH, NULL);
}

TEST(an_unknown_product_is_named)
{
  struct fixture fixture;
  setup(&fixture);
  fixture.products[1] = (struct product){.id = BUS_STR("SKU-9")};
  line(&fixture, 1, 1, 1);
  assert_rejected(&fixture, STOCK_UNKNOWN_PRODUCT, "SKU-9");
}

TEST(an_unknown_first_product_is_named)
{
  struct fixture fixture;
  setup(&fixture);
  fixture.products[0] = (struct product){.id = BUS_STR("SKU-9")};
  assert_rejected(&fixture, STOCK_UNKNOWN_PRODUCT, "SKU-9");
}

TEST(two_currencies_are_refused)
{
  struct fixture fixture;
  setup(&fixture);
  line(&fixture, 1, 2, 1);
  assert_rejected(&fixture, STOCK_MIXED_CURRENCIES, "SKU-3");
}

TEST(all_of_it_may_be_taken)
{
  struct fixture fixture;
  setup(&fixture);
  line(&fixture, 0, 0, 10);
  assert_int_equal(reserve(&fixture).answer, ANSWER_RESERVED);
  assert_int_equal(fixture.products[0].on_hand, 0);
}

TEST(one_too_many_takes_nothing_of_anything)
{
  struct fixture fixture;
  setup(&fixture);
  line(&fixture, 1, 1, 6);
  assert_rejected(&fixture, STOCK_OUT_OF_STOCK, "SKU-2");
}

TEST(a_product_twice_counts_as_its_sum)
{
  struct fixture fixture;
  setup(&fixture);
  line(&fixture, 1, 0, 7);
  assert_int_equal(reserve(&fixture).answer, ANSWER_RESERVED);
  assert_int_equal(fixture.products[0].reserved, 10);
  (void)carry_out(&fixture, RESERVATION_RELEASE);
  assert_int_equal(fixture.products[0].on_hand, 10);
}

TEST(a_product_twice_may_be_too_much_together)
{
  struct fixture fixture;
  setup(&fixture);
  line(&fixture, 1, 1, 1);
  line(&fixture, 2, 0, 8);
  assert_rejected(&fixture, STOCK_OUT_OF_STOCK, "SKU-1");
}

TEST(the_largest_total_is_allowed_and_one_more_is_not)
{
  struct fixture fixture;
  setup(&fixture);
  fixture.products[0].price = BUS_JSON_INT_MAX;
  line(&fixture, 0, 0, 1);
  assert_int_equal(reserve(&fixture).answer, ANSWER_RESERVED);
  assert_int_equal(fixture.reservation.total, BUS_JSON_INT_MAX);
  setup(&fixture);
  fixture.products[0].price = BUS_JSON_INT_MAX;
  fixture.products[1].price = 1;
  line(&fixture, 0, 0, 1);
  line(&fixture, 1, 1, 1);
  assert_rejected(&fixture, STOCK_TOTAL_TOO_LARGE, "SKU-2");
}

TEST(j3_an_amount_beyond_64_bits_is_too_large)
{
  struct fixture fixture;
  setup(&fixture);
  fixture.products[0].price = INT64_MAX / 2;
  assert_rejected(&fixture, STOCK_TOTAL_TOO_LARGE, "SKU-1");
}

TEST(j3_a_sum_beyond_64_bits_is_too_large)
{
  struct fixture fixture;
  setup(&fixture);
  fixture.products[0].price = fixture.products[1].price = BUS_JSON_INT_MAX;
  line(&fixture, 0, 0, 1);
  line(&fixture, 1, 1, 9223372);
  assert_rejected(&fixture, STOCK_TOTAL_TOO_LARGE, "SKU-2");
}

TEST(what_is_free_can_be_reserved)
{
  struct fixture fixture;
  setup(&fixture);
  fixture.products[0].price = 0;
  fixture.request.expected_total = 0;
  assert_int_equal(reserve(&fixture).answer, ANSWER_RESERVED);
  assert_int_equal(fixture.reservation.total, 0);
}

TEST(evolve_counts_the_units_that_moved)
{
  struct fixture fixture;
  setup(&fixture);
  line(&fixture, 1, 1, 2);
  struct reservation_decision decision;
  reservation_decide(&fixture.reservation, RESERVATION_RESERVE, &fixture.request, &decision);
  assert_int_equal(reservation_evolve(&fixture.reservation, &decision), 5);
  reservation_decide(&fixture.reservation, RESERVATION_SELL, &fixture.request, &decision);
  assert_int_equal(reservation_evolve(&fixture.reservation, &decision), 5);
  reservation_decide(&fixture.reservation, RESERVATION_SELL, &fixture.request, &decision);
  assert_int_equal(reservation_evolve(&fixture.reservation, &decision), 0);
}
