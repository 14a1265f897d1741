/* Golden JSON of every message: what it encodes to, that it decodes to the same, and what a decoder refuses. */
#include "inventory_messages.h"

#include <stdio.h>
#include <test.h>

static struct bus_arena *arena;

static void assert_golden(const struct bus_schema *schema, const void *value, const char *json) {
  struct bus_str text;
  struct bus_problems problems = {0};
  arena = bus_arena_new(1 << 20);
  assert_non_null(arena);
  assert_true(bus_encode(schema, value, arena, &text));
  assert_int_equal(text.len, strlen(json));
  assert_memory_equal(text.data, json, text.len);
  void *decoded = bus_arena_alloc(arena, schema->size);
  assert_true(bus_decode(schema, bus_str(json), BUS_REFUSE_UNKNOWN, arena, decoded, &problems));
  assert_true(bus_encode(schema, decoded, arena, &text));
  assert_int_equal(text.len, strlen(json));
  assert_memory_equal(text.data, json, text.len);
  bus_arena_free(arena);
}

static void assert_refused(const struct bus_schema *schema, const char *json, const char *path) {
  struct bus_problems problems = {0};
  arena = bus_arena_new(1 << 20);
  assert_non_null(arena);
  void *decoded = bus_arena_alloc(arena, schema->size);
  assert_false(bus_decode(schema, bus_str(json), BUS_IGNORE_UNKNOWN, arena, decoded, &problems));
  assert_int_equal(problems.count, 1);
  assert_string_equal(problems.items[0].path, path);
  bus_arena_free(arena);
}

#define ID_TEXT "0f000000-0000-5000-8000-000000000001"
static const struct bus_uuid id = {{0x0f, 0, 0, 0, 0, 0, 0x50, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};

TEST(put_and_withdraw_golden)
{
  const struct product_put put = {{BUS_STR("a"), BUS_STR("A"), 5, BUS_STR("EUR"), BUS_NO_INT64},
                                  {2, BUS_NO_INT64, true}};
  const struct product_withdraw withdraw = {BUS_STR("a"), {BUS_NO_INT64, BUS_NO_INT64, false}};
  assert_golden(&product_put_schema, &put,
                "{\"product_id\":\"a\",\"name\":\"A\",\"price\":5,\"currency\":\"EUR\",\"if_version\":2,"
                "\"if_exists\":true}");
  assert_golden(&product_withdraw_schema, &withdraw, "{\"product_id\":\"a\",\"if_exists\":false}");
}

TEST(update_stock_golden)
{
  const struct stock_update set = {id, BUS_STR("a"), 5, BUS_NO_INT64, {2, 3, true}},
                            change = {id, BUS_STR("a"), BUS_NO_INT64, -5, {BUS_NO_INT64, BUS_NO_INT64, false}};
  assert_golden(&stock_update_schema, &set,
                "{\"request_id\":\"" ID_TEXT
                "\",\"product_id\":\"a\",\"on_hand\":5,\"if_version\":2,\"if_exists\":true,"
                "\"if_stock_version\":3}");
  assert_golden(&stock_update_schema, &change,
                "{\"request_id\":\"" ID_TEXT "\",\"product_id\":\"a\",\"delta\":-5,\"if_exists\":false}");
  assert_refused(&stock_update_schema, "{\"request_id\":\"" ID_TEXT "\",\"product_id\":\"a\",\"delta\":-1000000001}",
                 "delta");
}

TEST(reserve_golden)
{
  struct stock_item items[] = {{BUS_STR("SKU-1"), 2, BUS_NO_INT64}, {BUS_STR("SKU-2"), 1000, BUS_NO_INT64}};
  const struct inventory_reserve body = {id, items, 2, 1998, BUS_NO_TIME};
  assert_golden(&inventory_reserve_schema, &body,
                "{\"order_id\":\"" ID_TEXT "\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2},"
                "{\"product_id\":\"SKU-2\",\"quantity\":1000}],\"expected_total\":1998}");
}

TEST(reserve_with_its_end_golden)
{
  struct stock_item items[] = {{BUS_STR("a"), 1, BUS_NO_INT64}};
  const struct inventory_reserve body = {id, items, 1, BUS_NO_INT64, 0};
  assert_golden(&inventory_reserve_schema, &body,
                "{\"order_id\":\"" ID_TEXT "\",\"items\":[{\"product_id\":\"a\",\"quantity\":1}],"
                "\"expected_until\":\"1970-01-01T00:00:00.000Z\"}");
}

TEST(reserve_without_expectation_golden)
{
  struct stock_item items[] = {{BUS_STR("a"), 1, BUS_NO_INT64}};
  const struct inventory_reserve body = {id, items, 1, BUS_NO_INT64, BUS_NO_TIME};
  assert_golden(&inventory_reserve_schema, &body,
                "{\"order_id\":\"" ID_TEXT "\",\"items\":[{\"product_id\":\"a\",\"quantity\":1}]}");
}

TEST(commit_and_release_golden)
{
  const struct inventory_order body = {id};
  assert_golden(&inventory_order_schema, &body, "{\"order_id\":\"" ID_TEXT "\"}");
  assert_ptr_equal(inventory_commit_type.schema, inventory_release_type.schema);
}

TEST(set_stock_golden)
{
  const struct inventory_set_stock body = {id, BUS_STR("SKU-1"), 0};
  assert_golden(&inventory_set_stock_schema, &body,
                "{\"request_id\":\"" ID_TEXT "\",\"product_id\":\"SKU-1\",\"on_hand\":0}");
}

TEST(put_product_golden)
{
  struct inventory_put_product body = {BUS_STR("SKU-1"), BUS_STR("Ein Schr\xc3\xa4nk\"chen"), 999, BUS_STR("EUR"), 5};
  assert_golden(&inventory_put_product_schema, &body,
                "{\"product_id\":\"SKU-1\",\"name\":\"Ein Schr\xc3\xa4nk\\\"chen\",\"price\":999,"
                "\"currency\":\"EUR\",\"on_hand\":5}");
  body.on_hand = BUS_NO_INT64;
  body.name = BUS_STR("x");
  assert_golden(&inventory_put_product_schema, &body,
                "{\"product_id\":\"SKU-1\",\"name\":\"x\",\"price\":999,\"currency\":\"EUR\"}");
}

TEST(reserved_golden)
{
  struct stock_item items[] = {{BUS_STR("SKU-1"), 2, 999}};
  const struct stock_reserved body = {id, items, 1, 1998, BUS_STR("EUR")};
  assert_golden(&stock_reserved_schema, &body,
                "{\"order_id\":\"" ID_TEXT "\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2,"
                "\"unit_price\":999}],\"total\":1998,\"currency\":\"EUR\"}");
}

TEST(rejected_golden_for_each_reason)
{
  static const char *const names[] = {"out_of_stock",    "unknown_product", "total_mismatch",   "mixed_currencies",
                                      "total_too_large", "withdrawn",       "already_released", "no_reservation"};
  for (int reason = 0; reason < (int)BUS_COUNT(names); reason++) {
    char json[160];
    const struct stock_rejected body = {id, reason, BUS_NO_STR};
    (void)snprintf(json, sizeof json, "{\"order_id\":\"" ID_TEXT "\",\"reason\":\"%s\"}", names[reason]);
    assert_golden(&stock_rejected_schema, &body, json);
  }
  assert_null(stock_reason_names[BUS_COUNT(names)]);
}

TEST(rejected_names_the_product)
{
  const struct stock_rejected body = {id, STOCK_OUT_OF_STOCK, BUS_STR("SKU-1")};
  assert_golden(&stock_rejected_schema, &body,
                "{\"order_id\":\"" ID_TEXT "\",\"reason\":\"out_of_stock\",\"product_id\":\"SKU-1\"}");
}

TEST(released_and_committed_golden)
{
  const struct stock_event body = {id};
  assert_golden(stock_released_type.schema, &body, "{\"order_id\":\"" ID_TEXT "\"}");
  assert_ptr_equal(stock_released_type.schema, stock_committed_type.schema);
  assert_ptr_equal(stock_released_type.schema, stock_held_type.schema);
  assert_ptr_equal(stock_rejected_type.schema, stock_missing_type.schema);
}

TEST(answer_golden)
{
  struct product_view view = {.product_id = BUS_STR("SKU-1"),
                              .name = BUS_STR("One"),
                              .price = 999,
                              .currency = BUS_STR("EUR"),
                              .on_hand = 10,
                              .reserved = 3,
                              .version = 7,
                              .stock_version = 9};
  struct inventory_answer body = {INVENTORY_UPDATED, &view};
  assert_golden(
      &inventory_answer_schema, &body,
      "{\"outcome\":\"updated\",\"product\":{\"product_id\":\"SKU-1\",\"name\":\"One\",\"price\":999,"
      "\"currency\":\"EUR\",\"on_hand\":10,\"reserved\":3,\"version\":7,\"withdrawn\":false,\"stock_version\":9}}");
  body = (struct inventory_answer){INVENTORY_NOT_FOUND, NULL};
  assert_golden(&inventory_answer_schema, &body, "{\"outcome\":\"not_found\"}");
  body.outcome = INVENTORY_KEY_REUSED;
  assert_golden(&inventory_answer_schema, &body, "{\"outcome\":\"key_reused\"}");
  body.outcome = INVENTORY_FOUND;
  assert_golden(&inventory_answer_schema, &body, "{\"outcome\":\"found\"}");
}

TEST(queries_golden)
{
  const struct product_get get = {BUS_STR("SKU-1")};
  const struct product_list list = {BUS_STR("5:SKU-1"), 100, BUS_STR("red"), 1, 5, true, PRODUCTS_BY_PRICE_DOWN},
                            first = {BUS_NO_STR, 1, BUS_NO_STR, BUS_NO_INT64, BUS_NO_INT64, false, -1};
  assert_golden(&product_get_schema, &get, "{\"product_id\":\"SKU-1\"}");
  assert_golden(&product_list_schema, &list,
                "{\"cursor\":\"5:SKU-1\",\"limit\":100,\"q\":\"red\",\"min_price\":1,\"max_price\":5,\"in_stock\":true,"
                "\"sort\":\"-price\"}");
  assert_golden(&product_list_schema, &first, "{\"limit\":1,\"in_stock\":false}");
}

TEST(page_golden)
{
  struct product_view view = {.product_id = BUS_STR("a"),
                              .name = BUS_STR("A"),
                              .price = 1,
                              .currency = BUS_STR("EUR"),
                              .on_hand = 0,
                              .reserved = 0,
                              .version = 1,
                              .stock_version = BUS_NO_INT64};
  const struct product_page page = {&view, 1, BUS_STR("a")}, empty = {NULL, 0, BUS_NO_STR};
  assert_golden(&product_page_schema, &page,
                "{\"items\":[{\"product_id\":\"a\",\"name\":\"A\",\"price\":1,\"currency\":\"EUR\",\"on_hand\":0,"
                "\"reserved\":0,\"version\":1,\"withdrawn\":false}],\"next_cursor\":\"a\"}");
  assert_golden(&product_page_schema, &empty, "{\"items\":[]}");
}

TEST(bounds_of_a_reserve)
{
#define RESERVE(items) "{\"order_id\":\"" ID_TEXT "\",\"items\":" items "}"
  const struct bus_schema *schema = &inventory_reserve_schema;
  assert_refused(schema, RESERVE("[]"), "items");
  assert_refused(schema, RESERVE("[{\"product_id\":\"a\",\"quantity\":0}]"), "items[0].quantity");
  assert_refused(schema, RESERVE("[{\"product_id\":\"a\",\"quantity\":1001}]"), "items[0].quantity");
  assert_refused(schema, RESERVE("[{\"product_id\":\"a,b\",\"quantity\":1}]"), "items[0].product_id");
  assert_refused(schema, RESERVE("[{\"product_id\":\"\",\"quantity\":1}]"), "items[0].product_id");
  assert_refused(schema, "{\"items\":[{\"product_id\":\"a\",\"quantity\":1}]}", "order_id");
}

TEST(bounds_of_set_stock)
{
#define SET_STOCK(on_hand) "{\"request_id\":\"" ID_TEXT "\",\"product_id\":\"a\",\"on_hand\":" on_hand "}"
  assert_refused(&inventory_set_stock_schema, SET_STOCK("-1"), "on_hand");
  assert_refused(&inventory_set_stock_schema, SET_STOCK("1000000001"), "on_hand");
}

TEST(owners_and_keys_of_the_types)
{
  static const struct {
    const struct bus_message_type *type;
    const char *key, *sender;
  } types[] = {
      {&inventory_reserve_type, "inventory.reserve", "order-svc"},
      {&inventory_commit_type, "inventory.commit", "order-svc"},
      {&inventory_release_type, "inventory.release", "order-svc"},
      {&inventory_set_stock_type, "inventory.set-stock", "edge"},
      {&inventory_put_product_type, "inventory.put-product", "operator"},
      {&stock_reserved_type, "stock.reserved", "inventory-svc"},
      {&stock_rejected_type, "stock.rejected", "inventory-svc"},
      {&stock_released_type, "stock.released", "inventory-svc"},
      {&stock_missing_type, "stock.missing", "inventory-svc"},
      {&stock_held_type, "stock.held", "inventory-svc"},
      {&stock_committed_type, "stock.committed", "inventory-svc"},
  };
  for (size_t i = 0; i < BUS_COUNT(types); i++) {
    assert_true(bus_str_is(bus_message_key(types[i].type), types[i].key));
    assert_string_equal(types[i].type->senders[0], types[i].sender);
    assert_null(types[i].type->senders[1]);
  }
}

TEST(request_ids_are_the_same_for_ever)
{
  struct bus_uuid request;
  char text[BUS_UUID_TEXT];
  inventory_request_id_of(BUS_STR("restock-2026-03-01"), &request);
  bus_uuid_format(&request, text);
  assert_string_equal(text, "6b8de6aa-27e9-58f5-aa6a-c0580bd15254");
}
