/* Query parameters of lists. */
#include "decode.h"
#include "test.h"

#include <stdio.h>

/* Parameters before they are encoded; absent ones are left out of the query. */
struct page_params {
  struct bus_str customer_id, status, cursor, after, limit;
};

static struct bus_arena *pages;

static void add(char *query, const char *name, struct bus_str value) {
  size_t len = strlen(query);
  if (value.data == NULL)
    return;
  len += (size_t)snprintf(query + len, 64, "%s%s=", len > 0 ? "&" : "", name);
  for (size_t i = 0; i < value.len; i++)
    len += (size_t)snprintf(query + len, 4, "%%%02X", (unsigned char)value.data[i]);
}

/* Escapes every byte; the text decoded before is overwritten. */
static struct bus_str query_of(const struct page_params *params) {
  static char query[1024];
  query[0] = '\0';
  add(query, "customer_id", params->customer_id);
  add(query, "status", params->status);
  add(query, "cursor", params->cursor);
  add(query, "after", params->after);
  add(query, "limit", params->limit);
  bus_arena_free(pages);
  pages = bus_arena_new(65536);
  return bus_str(query);
}

static bool page_orders(const struct page_params *params, struct order_list *ret, struct bus_problems *problems) {
  struct bus_str query = query_of(params);
  return decode_orders(query, pages, ret, problems);
}

static bool page_events(const struct page_params *params, const struct bus_uuid *order_id, struct order_events_get *ret,
                        struct bus_problems *problems) {
  struct bus_str query = query_of(params);
  return decode_events(query, order_id, pages, ret, problems);
}

static bool page_products(const struct page_params *params, struct product_list *ret, struct bus_problems *problems) {
  struct bus_str query = query_of(params);
  return decode_products(query, pages, ret, problems);
}

static const char cursor[] = "1700000000000000.018f0000-0000-7000-8000-000000000001";

TEST(nothing_given_means_the_newest_twenty_of_all)
{
  struct page_params params = {.limit = BUS_NO_STR};
  struct order_list list;
  struct bus_problems problems;
  assert_true(page_orders(&params, &list, &problems));
  assert_int_equal(list.limit, 20);
  assert_int_equal(list.status, -1);
  assert_null(list.customer_id.data);
  assert_null(list.cursor.data);
}

TEST(filters_and_cursor_go_into_the_query)
{
  struct page_params params = {.customer_id = BUS_STR("c-1"),
                               .status = BUS_STR("CANCELLED"),
                               .cursor = bus_str(cursor),
                               .limit = BUS_STR("100")};
  struct order_list list;
  struct bus_problems problems;
  assert_true(page_orders(&params, &list, &problems));
  assert_int_equal(list.limit, 100);
  assert_int_equal(list.status, ORDER_CANCELLED);
  assert_true(bus_str_is(list.customer_id, "c-1"));
  assert_true(bus_str_is(list.cursor, cursor));
}

TEST(every_status_has_its_name)
{
  for (int i = 0; i < ORDER_STATUS_COUNT; i++) {
    struct page_params params = {.status = bus_str(order_status_names[i])};
    struct order_list list;
    struct bus_problems problems;
    assert_true(page_orders(&params, &list, &problems));
    assert_int_equal(list.status, i);
  }
}

TEST(all_wrong_parameters_are_named_at_once)
{
  struct page_params params = {
      .customer_id = BUS_STR(""), .status = BUS_STR("confirmed"), .cursor = BUS_STR("x"), .limit = BUS_STR("0")};
  struct order_list list;
  struct bus_problems problems;
  assert_false(page_orders(&params, &list, &problems));
  assert_int_equal(problems.count, 4);
  assert_string_equal(problems.items[0].path, "limit");
  assert_string_equal(problems.items[1].path, "status");
  assert_string_equal(problems.items[2].path, "customer_id");
  assert_string_equal(problems.items[3].path, "cursor");
}

/* Z7: no page is larger than a hundred. */
TEST(Z7_limits_are_plain_numbers_from_1_to_100)
{
  static const char *const good[] = {"1", "20", "99", "100", "007"};
  static const char *const bad[] = {
      "", "0", "101", "-1", "+1", "1.0", "1e1", " 1", "1 ", "0x10", "99999999999999", "18446744073709551617", "all"};
  struct bus_problems problems;
  struct order_list list;
  for (size_t i = 0; i < BUS_COUNT(good); i++)
    assert_true(page_orders(&(struct page_params){.limit = bus_str(good[i])}, &list, &problems));
  for (size_t i = 0; i < BUS_COUNT(bad); i++) {
    if (page_orders(&(struct page_params){.limit = bus_str(bad[i])}, &list, &problems))
      fail_msg("limit=%s was accepted", bad[i]);
    assert_string_equal(problems.items[0].path, "limit");
  }
}

TEST(a_cursor_is_what_a_page_gave)
{
  static const char *const bad[] = {"",
                                    "1",
                                    ".",
                                    "1.",
                                    ".018f0000-0000-7000-8000-000000000001",
                                    "1700000000000000.018f0000-0000-7000-8000-00000000000",
                                    "1700000000000000.018f0000-0000-7000-8000-0000000000011",
                                    "-1.018f0000-0000-7000-8000-000000000001",
                                    "170000000000000000.018f0000-0000-7000-8000-000000000001",
                                    "1700000000000000 018f0000-0000-7000-8000-000000000001",
                                    "1' OR '1'='1"};
  struct bus_problems problems;
  struct order_list list;
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    if (page_orders(&(struct page_params){.cursor = bus_str(bad[i])}, &list, &problems))
      fail_msg("cursor=%s was accepted", bad[i]);
}

/* Whatever is accepted here must pass the bounds of the message. */
TEST(accepted_queries_can_be_decoded_by_order_svc)
{
  struct bus_arena *arena = bus_arena_new(65536);
  struct page_params params = {.customer_id = BUS_STR("!~c"), .status = BUS_STR("PAID"), .cursor = bus_str(cursor)};
  struct order_list list, received;
  struct bus_problems problems;
  struct bus_str wire;
  assert_true(page_orders(&params, &list, &problems));
  assert_true(bus_encode(&order_list_schema, &list, arena, &wire));
  assert_true(bus_decode(&order_list_schema, wire, BUS_IGNORE_UNKNOWN, arena, &received, &problems));
  bus_arena_free(arena);
}

TEST(customers_are_1_to_64_visible_characters)
{
  static const char *const bad[] = {
      "", " ", "a b", "a\t", "\xC3\xA4", "a\x7F", "01234567890123456789012345678901234567890123456789012345678901234"};
  struct bus_problems problems;
  struct order_list list;
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    assert_false(page_orders(&(struct page_params){.customer_id = bus_str(bad[i])}, &list, &problems));
}

TEST(events_begin_behind_a_seq_by_either_name)
{
  struct bus_uuid id = {{9}};
  struct order_events_get get;
  struct bus_problems problems;
  assert_true(page_events(&(struct page_params){.limit = BUS_NO_STR}, &id, &get, &problems));
  assert_int_equal(get.after_seq, 0);
  assert_true(bus_uuid_equal(&get.order_id, &id));
  assert_true(page_events(&(struct page_params){.after = BUS_STR("3")}, &id, &get, &problems));
  assert_int_equal(get.after_seq, 3);
  assert_true(page_events(&(struct page_params){.cursor = BUS_STR("1000000000000")}, &id, &get, &problems));
  assert_int_equal(get.after_seq, BUS_JSON_INT_MAX);
}

TEST(both_names_of_one_thing_or_no_number_are_refused)
{
  struct bus_uuid id = {{9}};
  struct order_events_get get;
  struct bus_problems problems;
  assert_false(page_events(&(struct page_params){.after = BUS_STR("3"), .cursor = BUS_STR("3")}, &id, &get, &problems));
  static const char *const bad[] = {"", "-1", "x", "1.0", "1000000000001"};
  for (size_t i = 0; i < BUS_COUNT(bad); i++) {
    assert_false(page_events(&(struct page_params){.after = bus_str(bad[i])}, &id, &get, &problems));
    assert_string_equal(problems.items[0].path, "after");
    assert_false(page_events(&(struct page_params){.cursor = bus_str(bad[i])}, &id, &get, &problems));
    assert_string_equal(problems.items[0].path, "cursor");
  }
}

TEST(products_begin_behind_a_product)
{
  struct product_list list;
  struct bus_problems problems;
  assert_true(page_products(&(struct page_params){.cursor = BUS_STR("SKU-00001")}, &list, &problems));
  assert_true(bus_str_is(list.cursor, "SKU-00001"));
  assert_int_equal(list.limit, 20);
  assert_false(page_products(&(struct page_params){.cursor = BUS_STR("a b")}, &list, &problems));
  assert_false(page_products(&(struct page_params){.limit = BUS_STR("101")}, &list, &problems));
}
