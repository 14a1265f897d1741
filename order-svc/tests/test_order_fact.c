/* The log's entries as JSON: golden texts that every later version must read. */
#include "saga.h"

static const struct golden {
  enum order_fact_type type;
  const char *name, *json;
} goldens[] = {
    {FACT_CREATED, "order.created",
     "{\"customer_id\":\"c-1\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2},{\"product_id\":\"SKU-2\","
     "\"quantity\":1}],\"expected_total\":1999,\"request_hash\":\"" SAGA_HASH "\"}"},
    {FACT_RESERVED, "order.reserved",
     "{\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2,\"unit_price\":999},{\"product_id\":\"SKU-2\","
     "\"quantity\":1,\"unit_price\":1}],\"total\":1999,\"currency\":\"EUR\"}"},
    {FACT_CONFIRMED, "order.confirmed", "{\"amount\":1999}"},
    {FACT_PAID, "order.paid", "{\"amount\":1999}"}, /* this one and the next: in older logs alone */
    {FACT_CONFIRMED, "order.confirmed", "{}"},
    {FACT_STOCK_MISSING, "stock.missing", "{\"reason\":\"out_of_stock: SKU-2\"}"},
    {FACT_REJECTED, "order.rejected", "{\"reason\":\"out_of_stock: SKU-2\"}"},
    {FACT_COMPENSATING, "order.compensating", "{\"reason\":\"timeout\",\"alarm\":false}"},
    {FACT_COMPENSATING, "order.compensating", "{\"reason\":\"stock_lost: no_reservation\",\"alarm\":true}"},
    {FACT_CANCELLED, "order.cancelled", "{}"},
    {FACT_STOCK_RETURNED, "stock.returned", "{}"},
    {FACT_PAYMENT_REFUSED, "payment.refused", "{\"reason\":\"insufficient_funds\"}"},
    {FACT_PAYMENT_CAPTURED, "payment.captured", "{\"amount\":1999}"},
    {FACT_PAYMENT_REFUNDED, "payment.refunded", "{\"amount\":0}"},
    {FACT_CREATED, "order.created",
     "{\"customer_id\":\"c-1\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2}],\"payment\":\"later\","
     "\"request_hash\":\"" SAGA_HASH "\"}"},
    {FACT_PAYMENT_REQUESTED, "payment.requested",
     "{\"attempt\":1,\"pay_id\":\"11223344-5566-5788-99aa-bbccddeeff01\",\"request_hash\":\"" SAGA_HASH "\"}"},
};

TEST(golden_texts_are_read_and_written_the_same)
{
  for (size_t i = 0; i < BUS_COUNT(goldens); i++) {
    struct bus_arena *arena = bus_arena_new(1 << 20);
    struct order_fact fact;
    struct bus_problems problems = {0};
    struct bus_str json;
    assert_int_equal(order_fact_find(bus_str(goldens[i].name)), goldens[i].type);
    assert_string_equal(order_fact_names[goldens[i].type], goldens[i].name);
    assert_true(order_fact_decode(goldens[i].type, bus_str(goldens[i].json), arena, &fact, &problems));
    assert_true(order_fact_encode(&fact, arena, &json));
    assert_text(json, goldens[i].json);
    bus_arena_free(arena);
  }
}

TEST(every_type_has_a_golden_text)
{
  for (int type = 0; type < FACT_TYPES; type++) {
    size_t i = 0;
    while (i < BUS_COUNT(goldens) && (int)goldens[i].type != type)
      i++;
    assert_true(i < BUS_COUNT(goldens));
  }
}

TEST(a_saga_writes_the_golden_texts)
{
  struct saga saga;
  struct bus_str json;
  static const enum order_message way[] = {ORDER_ON_PLACE, ORDER_ON_STOCK_RESERVED, ORDER_ON_PAYMENT_CAPTURED};
  saga_init(&saga);
  for (size_t i = 0; i < BUS_COUNT(way); i++) {
    saga_tell(&saga, way[i]);
    assert_true(order_fact_encode(&saga.last.facts[0], saga.arena, &json));
    assert_text(json, goldens[i].json);
  }
  saga_done(&saga);
}

TEST(members_of_later_versions_are_ignored)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct order_fact fact;
  struct bus_problems problems = {0};
  assert_true(order_fact_decode(FACT_PAID, BUS_STR("{\"amount\":5,\"fee\":1}"), arena, &fact, &problems));
  assert_int_equal(fact.amount, 5);
  bus_arena_free(arena);
}

TEST(broken_data_is_refused)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct order_fact fact;
  struct bus_problems problems = {0};
  assert_false(order_fact_decode(FACT_PAID, BUS_STR("{}"), arena, &fact, &problems));
  assert_false(order_fact_decode(FACT_CREATED, BUS_STR("[]"), arena, &fact, &problems));
  assert_int_equal(order_fact_find(BUS_STR("order.shipped")), FACT_TYPES);
  bus_arena_free(arena);
}
