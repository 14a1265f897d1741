/* Tests the queries of the store over a real Postgres: single products, and pages by product id. */

#include "store.h"

#include <test.h>

#define FROM(from, most)                                                                                               \
  { .cursor = from, .limit = (most), .min_price = BUS_NO_INT64, .max_price = BUS_NO_INT64, .sort = -1 }

TEST(queries_read_products_and_pages)
{
  struct migrated database;
  migrated_open(&database, MIGRATIONS, "inventory_svc");
  struct link *link = store_connect(&database), *queries = store_connect_queries(&database);
  static const char *const ids[] = {"b", "A", "a", "_", "B"}; /* in the order of bytes: A B _ a b */
  for (size_t i = 0; i < BUS_COUNT(ids); i++)
    store_put(link, ids[i], (int64_t)i, "EUR", 1);
  const struct product_get get = {BUS_STR("_")}, none = {BUS_STR("none")};
  const struct product_list first = FROM(BUS_NO_STR, 2), second = FROM(BUS_STR("B"), 2), last = FROM(BUS_STR("a"), 2),
                            behind = FROM(BUS_STR("b"), 100);
  const struct product_list start = FROM(BUS_NO_STR, 100);
  link_add(queries, &product_get_type, &get);
  link_add(queries, &product_list_type, &second);
  link_add(queries, &product_list_type, &behind);
  link_add(queries, &product_get_type, &none);
  link_add(queries, &product_list_type, &last);
  link_add(queries, &product_list_type, &first);
  link_add(queries, &product_list_type, &start);
  link_query(queries);
#define THING(id, price)                                                                                               \
  "{\"product_id\":\"" id "\",\"name\":\"Ein Ding\",\"price\":" price ",\"currency\":\"EUR\",\"on_hand\":1,"           \
  "\"reserved\":0,\"version\":1,\"withdrawn\":false,\"stock_version\":1}"
  link_assert_said(queries, 0, &inventory_answer_type, "{\"outcome\":\"found\",\"product\":" THING("_", "3") "}");
  link_assert_said(queries, 1, &product_page_type,
                   "{\"items\":[" THING("_", "3") "," THING("a", "2") "],\"next_cursor\":\"a\"}");
  link_assert_said(queries, 2, &product_page_type, "{\"items\":[]}");
  link_assert_said(queries, 3, &inventory_answer_type, "{\"outcome\":\"not_found\"}");
  link_assert_said(queries, 4, &product_page_type, "{\"items\":[" THING("b", "0") "]}");
  link_assert_said(queries, 5, &product_page_type,
                   "{\"items\":[" THING("A", "1") "," THING("B", "4") "],\"next_cursor\":\"B\"}");
  link_assert_said(queries, 6, &product_page_type,
                   "{\"items\":[" THING("A", "1") "," THING("B", "4") "," THING("_", "3") "," THING("a", "2") "," THING(
                       "b", "0") "]}");
  link_disconnect(link);
  link_disconnect(queries);
  migrated_close(&database);
}
