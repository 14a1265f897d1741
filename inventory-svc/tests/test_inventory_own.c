/* Own reservations: what is answered, and that their stock is sold or given back once, whatever comes late or twice. */
#include "shelf.h"

#include <test.h>

#define ID "0f000000-0000-5000-8000-000000000007"

static struct stock_item two_of_one[] = {{{"SKU-1", 5}, 2, BUS_NO_INT64}};

static struct own_make make_of(struct stock_item *items, size_t count) {
  return (struct own_make){order_id(7), items, count, 60};
}

static const struct own_name seventh = {{{0x0f, 0, 0, 0, 0, 0, 0x50, 0, 0x80, 0, 0, 0, 0, 0, 0, 7}}};

static const char *said(const struct bus_effect *effect) {
  static char text[1024];
  assert_non_null(effect);
  assert_ptr_equal(effect->type, &reservation_answer_type);
  assert_true(effect->body.len < sizeof text);
  memcpy(text, effect->body.data, effect->body.len);
  text[effect->body.len] = '\0';
  return text;
}

#define ASSERT_SAYS(effect, words) assert_non_null(strstr(said(effect), (words)))

static struct shelf *with_own(void) {
  struct shelf *shelf = shelf_with_stock();
  const struct own_make make = make_of(two_of_one, 1);
  shelf->now = BUS_MINUTE;
  (void)shelf_one(shelf, &reservation_make_type, &make);
  return shelf;
}

static void expire(struct shelf *shelf) {
  static const struct inventory_due due = {{{0x0f, 0, 0, 0, 0, 0, 0x50, 0, 0x80, 0, 0, 0, 0, 0, 0, 7}}};
  shelf_add_due(shelf, &due);
  shelf_run(shelf);
  assert_null(shelf_message(shelf, 0));
}

static void assert_stock(const struct shelf *shelf, int64_t on_hand, int64_t reserved, int64_t sold) {
  const struct product *product = shelf_product(shelf, "SKU-1");
  assert_int_equal(product->on_hand, on_hand);
  assert_int_equal(product->reserved, reserved);
  assert_int_equal(product->sold, sold);
  assert_true(shelf_balances(shelf));
}

TEST(it_is_made_at_the_prices_of_the_day)
{
  struct shelf *shelf = with_own();
  shelf_assert_says(shelf_message(shelf, 0), &reservation_answer_type,
                    "{\"outcome\":\"made\",\"reservation\":{\"reservation_id\":\"" ID "\",\"status\":\"RESERVED\","
                    "\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2,\"unit_price\":250}],\"total\":500,"
                    "\"currency\":\"EUR\",\"created_at\":\"1970-01-01T00:01:00.000Z\","
                    "\"expires_at\":\"1970-01-01T00:02:00.000Z\"}}");
  assert_stock(shelf, 8, 2, 0);
  const struct bus_uuid id = order_id(7);
  assert_int_equal(shelf_reservation(shelf, &id)->expected_until, 2 * BUS_MINUTE);
  shelf_free(shelf);
}

TEST(the_same_request_makes_it_once)
{
  struct shelf *shelf = with_own();
  struct stock_item three[] = {{BUS_STR("SKU-1"), 3, BUS_NO_INT64}}, other[] = {{BUS_STR("SKU-2"), 2, BUS_NO_INT64}};
  const struct own_make make = make_of(two_of_one, 1), more = make_of(three, 1), another = make_of(other, 1);
  struct stock_item both[] = {two_of_one[0], {BUS_STR("SKU-2"), 2, BUS_NO_INT64}};
  const struct own_make two = make_of(both, 2);
  struct own_make longer = make;
  longer.expires_in++;
  shelf->now += 5 * BUS_SECOND;
  ASSERT_SAYS(shelf_one(shelf, &reservation_make_type, &make),
              "\"repeated\",\"reservation\":{\"reservation_id\":\"" ID);
  assert_int_equal(shelf->stored_products + shelf->stored_reservations, 0);
  shelf_assert_says(shelf_one(shelf, &reservation_make_type, &more), &reservation_answer_type,
                    "{\"outcome\":\"key_reused\"}");
  ASSERT_SAYS(shelf_one(shelf, &reservation_make_type, &another), "key_reused");
  ASSERT_SAYS(shelf_one(shelf, &reservation_make_type, &longer), "key_reused");
  ASSERT_SAYS(shelf_one(shelf, &reservation_make_type, &two), "key_reused");
  assert_stock(shelf, 8, 2, 0);
  shelf_free(shelf);
}

TEST(a_request_for_the_first_line_alone_is_another)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item both[] = {two_of_one[0], {BUS_STR("SKU-2"), 2, BUS_NO_INT64}};
  const struct own_make two = make_of(both, 2), one = make_of(both, 1);
  ASSERT_SAYS(shelf_one(shelf, &reservation_make_type, &two), "\"made\"");
  ASSERT_SAYS(shelf_one(shelf, &reservation_make_type, &one), "key_reused");
  ASSERT_SAYS(shelf_one(shelf, &reservation_make_type, &two), "\"repeated\"");
  shelf_free(shelf);
}

TEST(a_refusal_leaves_nothing_behind)
{
  struct shelf *shelf = shelf_with_stock();
  struct stock_item many[] = {{BUS_STR("SKU-1"), 1, BUS_NO_INT64}, {BUS_STR("SKU-2"), 6, BUS_NO_INT64}},
                    unknown[] = {{BUS_STR("none"), 1, BUS_NO_INT64}};
  const struct own_make make = make_of(many, 2), of_nothing = make_of(unknown, 1);
  shelf_assert_says(shelf_one(shelf, &reservation_make_type, &make), &reservation_answer_type,
                    "{\"outcome\":\"refused\",\"reason\":\"out_of_stock\",\"product_id\":\"SKU-2\"}");
  ASSERT_SAYS(shelf_one(shelf, &reservation_make_type, &of_nothing), "\"unknown_product\",\"product_id\":\"none\"");
  assert_int_equal(shelf->reservation_count, 0);
  const struct inventory_set_stock more = {order_id(9), BUS_STR("SKU-2"), 6};
  (void)shelf_one(shelf, &inventory_set_stock_type, &more);
  ASSERT_SAYS(shelf_one(shelf, &reservation_make_type, &make), "\"made\"");
  assert_stock(shelf, 9, 1, 0);
  shelf_free(shelf);
}

TEST(it_is_sold_once)
{
  struct shelf *shelf = with_own();
  for (int i = 0; i < 3; i++) {
    ASSERT_SAYS(shelf_one(shelf, &reservation_confirm_type, &seventh), "\"done\"");
    ASSERT_SAYS(shelf_message(shelf, 0), "\"CONFIRMED\"");
    shelf->now += BUS_HOUR; /* its time is no matter any more */
    expire(shelf);
  }
  assert_stock(shelf, 8, 0, 2);
  ASSERT_SAYS(shelf_one(shelf, &reservation_release_type, &seventh), "\"too_late\"");
  assert_stock(shelf, 8, 0, 2);
  shelf_free(shelf);
}

TEST(its_stock_is_given_back_once)
{
  struct shelf *shelf = with_own();
  for (int i = 0; i < 3; i++) {
    ASSERT_SAYS(shelf_one(shelf, &reservation_release_type, &seventh), "\"done\"");
    ASSERT_SAYS(shelf_message(shelf, 0), "\"RELEASED\"");
    shelf->now += BUS_HOUR;
    expire(shelf);
  }
  ASSERT_SAYS(shelf_one(shelf, &reservation_confirm_type, &seventh), "\"too_late\"");
  assert_stock(shelf, 10, 0, 0);
  shelf_free(shelf);
}

TEST(it_expires_once_and_not_before_its_time)
{
  struct shelf *shelf = with_own();
  shelf->now = 2 * BUS_MINUTE - 1;
  expire(shelf);
  assert_stock(shelf, 8, 2, 0);
  shelf->now++;
  for (int i = 0; i < 3; i++) {
    expire(shelf);
    assert_stock(shelf, 10, 0, 0);
  }
  ASSERT_SAYS(shelf_one(shelf, &reservation_confirm_type, &seventh), "\"too_late\"");
  ASSERT_SAYS(shelf_message(shelf, 0), "\"EXPIRED\"");
  ASSERT_SAYS(shelf_one(shelf, &reservation_release_type, &seventh), "\"done\"");
  assert_stock(shelf, 10, 0, 0);
  shelf_free(shelf);
}

/* The request comes after its time, and before the service has looked. */
TEST(what_comes_after_its_time_finds_it_expired)
{
  const struct bus_message_type *const types[] = {&reservation_confirm_type, &reservation_release_type};
  static const char *const outcomes[] = {"\"too_late\"", "\"done\""};
  for (size_t i = 0; i < BUS_COUNT(types); i++) {
    struct shelf *shelf = with_own();
    shelf->now = 2 * BUS_MINUTE;
    ASSERT_SAYS(shelf_one(shelf, types[i], &seventh), outcomes[i]);
    ASSERT_SAYS(shelf_message(shelf, 0), "\"EXPIRED\"");
    expire(shelf);
    assert_stock(shelf, 10, 0, 0);
    shelf_free(shelf);
  }
}

TEST(an_order_s_reservation_and_an_own_one_are_not_mixed_up)
{
  struct shelf *shelf = with_own();
  const struct inventory_reserve reserve = reserve_of(1, two_of_one, 1);
  const struct own_name first = {order_id(1)}, none = {order_id(2)};
  const struct inventory_order release = {order_id(7)};
  const struct own_make over = {order_id(1), two_of_one, 1, 60};
  (void)shelf_one(shelf, &inventory_reserve_type, &reserve);
  ASSERT_SAYS(shelf_one(shelf, &reservation_confirm_type, &first), "{\"outcome\":\"not_found\"}");
  ASSERT_SAYS(shelf_one(shelf, &reservation_release_type, &none), "{\"outcome\":\"not_found\"}");
  ASSERT_SAYS(shelf_one(shelf, &reservation_make_type, &over), "key_reused");
  shelf->parked = 1;
  shelf_add(shelf, &inventory_release_type, &release);
  shelf_run(shelf);
  assert_null(shelf_message(shelf, 0));
  assert_stock(shelf, 6, 4, 0);
  shelf_free(shelf);
}
