/* simulate_plan.c: the mix, requests and counts of demonstration traffic. */
#include "simulate_plan.h"

#include <test.h>

TEST(the_mix_has_its_shares_in_any_hundred)
{
  struct simulate_mix mix;
  struct bus_error err;
  assert_true(simulate_mix_parse(SIMULATE_MIX, &mix, &err));
  for (int round = 1; round <= 3; round++) {
    for (int i = 0; i < 100; i++)
      (void)simulate_mix_next(&mix);
    assert_int_equal(mix.given[SIMULATE_HAPPY], 70 * round);
    assert_int_equal(mix.given[SIMULATE_LATER], 10 * round);
  }
  assert_true(simulate_mix_parse("declined=1,happy=0", &mix, &err));
  for (int i = 0; i < 10; i++)
    assert_int_equal(simulate_mix_next(&mix), SIMULATE_DECLINED);
}

static void assert_refused(const char *text, const char *what) {
  struct simulate_mix mix;
  struct bus_error err;
  assert_false(simulate_mix_parse(text, &mix, &err));
  assert_non_null(strstr(err.text, what));
}

TEST(a_wrong_mix_is_refused_by_its_part)
{
  assert_refused("happy=1,sad=2", "--mix sad=2: no such kind of order");
  assert_refused("happy=1,happy=2", "--mix happy=2: the kind stands twice");
  assert_refused("happy=1001", "--mix happy=1001: the weight is wrong");
  assert_refused("happy", "--mix happy: the weight is wrong");
  assert_refused("happy=0", "--mix happy=0: no kind has a weight");
  assert_refused("", "no kind has a weight");
}

TEST(each_kind_has_its_requests)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_uuid id = {{1}};
  struct bus_str key = BUS_STR("k-1"), product = BUS_STR("A");
  assert_true(bus_str_is(simulate_order(SIMULATE_DECLINED, product, key, arena),
                         "{\"idempotency_key\":\"k-1\",\"items\":[{\"product_id\":\"A\",\"quantity\":1}],\"payment\":{"
                         "\"token\":\"pm_card_visa_chargeDeclined\"}}"));
  assert_non_null(strstr(simulate_order(SIMULATE_LATER, product, key, arena).data, "{\"when\":\"later\"}"));
  assert_false(simulate_follows(SIMULATE_HAPPY) || simulate_follows(SIMULATE_DECLINED));
  assert_true(simulate_follows(SIMULATE_CANCELLED) && simulate_follows(SIMULATE_LATER));
  assert_true(bus_str_is(simulate_follow_path(SIMULATE_CANCELLED, &id, arena),
                         "/api/orders/01000000-0000-0000-0000-000000000000/cancel"));
  assert_true(bus_str_is(simulate_follow_body(SIMULATE_CANCELLED, &id, key, arena), "{}"));
  assert_true(bus_str_is(simulate_follow_path(SIMULATE_LATER, &id, arena), "/api/payments"));
  assert_true(bus_str_is(simulate_follow_body(SIMULATE_LATER, &id, key, arena),
                         "{\"idempotency_key\":\"k-1-pay\",\"order_id\":\"01000000-0000-0000-0000-000000000000\","
                         "\"payment\":{\"token\":\"pm_card_visa\"}}"));
  bus_arena_free(arena);
}

TEST(answers_are_read)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_uuid id;
  struct bus_str products[SIMULATE_PRODUCTS];
  size_t count;
  assert_true(simulate_order_id(
      BUS_STR("{\"order_id\":\"01000000-0000-0000-0000-000000000000\",\"status\":\"PENDING\"}"), arena, &id));
  assert_int_equal(id.bytes[0], 1);
  assert_false(simulate_order_id(BUS_STR("{\"title\":\"Bad Request\"}"), arena, &id));
  assert_true(
      simulate_products(BUS_STR("{\"items\":[{\"product_id\":\"A\",\"on_hand\":1,\"name\":\"x\"},{\"product_id\":\"B\","
                                "\"on_hand\":0}],\"next_cursor\":null}"),
                        arena, products, &count));
  assert_int_equal(count, 1);
  assert_true(bus_str_is(products[0], "A"));
  assert_false(simulate_products(BUS_STR("[]"), arena, products, &count));
  bus_arena_free(arena);
}

TEST(answers_are_counted)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct simulate_tally tally = simulate_tally_begin();
  struct bus_str json;
  char text[448];
  assert_true(simulate_tally_answer(&tally, SIMULATE_HAPPY, false, 202));
  assert_false(simulate_tally_answer(&tally, SIMULATE_HAPPY, false, 503));
  assert_true(simulate_tally_answer(&tally, SIMULATE_LATER, false, 201));
  assert_true(simulate_tally_answer(&tally, SIMULATE_LATER, true, 202));
  assert_false(simulate_tally_answer(&tally, SIMULATE_LATER, true, 503));
  tally.late = 4;
  simulate_tally_text(&tally, text, sizeof text);
  assert_string_equal(text,
                      "3 orders sent, 2 accepted, 1 happy, 0 declined, 0 cancelled, 1 pay-later; status 503 2 times; "
                      "4 not sent: too many were under way");
  assert_true(simulate_tally_encode(&tally, arena, &json));
  assert_non_null(strstr(json.data, "{\"sent\":3,\"accepted\":2,\"late\":4,\"kinds\":[{\"kind\":\"happy\",\"sent\":2,"
                                    "\"accepted\":1,\"followed\":0},"));
  assert_non_null(strstr(json.data, "\"refused\":[{\"status\":503,\"count\":2}]}"));
  for (int status = 600; status < 640; status++)
    assert_false(simulate_tally_answer(&tally, SIMULATE_HAPPY, false, status));
  assert_int_equal(tally.refused_count, SIMULATE_STATUSES);
  bus_arena_free(arena);
}
