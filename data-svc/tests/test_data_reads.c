/* Reads over a real Postgres: sums by slot, figures, and searches that page through everything once. */
#include "data_queries.h"
#include "data_statements.h"

#include <store_link.h>

#include <stdio.h>
#include <test.h>

static const struct bus_service service = {.name = "data-svc",
                                           .statements = data_query_statements,
                                           .statement_count = DATA_QUERY_STATEMENTS,
                                           .lock = data_query_lock,
                                           .load = data_query_load,
                                           .decide = data_query_decide};

#define BEGIN (INT64_C(1767225600) * BUS_SECOND) /* 2026-01-01T00:00:00Z */
enum { ORDERS = 24000 };                         /* one a minute: 17 days, over the end of a month */

/* Every hundredth is REJECTED, the others CONFIRMED with a total of their number; customers and products in turn. */
static const char fill[] =
    "SELECT reports.keep_months(120, 3);"
    "INSERT INTO reports.orders SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(i), 12, '0'))::uuid, "
    "timestamptz '2026-01-20Z' + i * interval '1 minute', 'c-' || i % 50, CASE WHEN i % 100 = 0 THEN 'REJECTED' ELSE "
    "'CONFIRMED' END, CASE WHEN i % 100 = 0 THEN 'out_of_stock' END, CASE WHEN i % 100 <> 0 THEN i END, CASE WHEN "
    "i % 100 <> 0 THEN 'EUR' END, 0, timestamptz '2026-01-20Z' + i * interval '1 minute' + interval '100 ms', "
    "ARRAY['SKU-' || i % 7], '{1}', ARRAY[CASE WHEN i % 100 <> 0 THEN i END] FROM generate_series(1, 24000) AS i;"
    "INSERT INTO reports.lines SELECT product_ids[1], placed_at, order_id FROM reports.orders;"
    "INSERT INTO reports.rollups SELECT g.grain, date_trunc(g.grain, placed_at, 'UTC'), coalesce(currency, ''), "
    "status, "
    "coalesce(reason, ''), 20, count(*), sum(coalesce(total, 0)), 0, 0 FROM reports.orders, (VALUES ('hour'), ('day')) "
    "AS g (grain) GROUP BY 1, 2, 3, 4, 5; ANALYZE reports.orders, reports.lines, reports.rollups";

static struct migrated database;
static struct link *link;

static void begin(void) {
  migrated_open(&database, MIGRATIONS, "data_svc");
  migrated_do(&database, fill);
  assert_true(data_statements_make());
  link = link_connect(&database, &service);
}

static void end(void) {
  link_disconnect(link);
  migrated_close(&database);
}

/* The answer, decoded. */
static void ask(const struct bus_message_type *type, const void *query, void *ret) {
  struct bus_problems problems;
  link_add(link, type, query);
  link_query(link);
  const struct bus_effect *said = link_message(link, 0);
  assert_non_null(said);
  assert_true(bus_decode(said->type->schema, said->body, BUS_REFUSE_UNKNOWN, link->arena, ret, &problems));
}

/* Pages through a search; returns how many orders it found, and how many pages there were. */
static size_t page_through(struct report_orders_get get, size_t *ret_pages) {
  static char cursor[ORDER_CURSOR_TEXT];
  struct report_orders page;
  size_t found = 0;
  bus_time last = INT64_MAX;
  *ret_pages = 0;
  do {
    ask(&report_orders_get_type, &get, &page);
    for (size_t i = 0; i < page.item_count; i++) {
      assert_true(page.items[i].placed_at < last);
      last = page.items[i].placed_at;
    }
    found += page.item_count;
    ++*ret_pages;
    (void)snprintf(cursor, sizeof cursor, "%.*s", (int)page.next_cursor.len,
                   page.next_cursor.data ? page.next_cursor.data : "");
    get.cursor = bus_str(cursor);
  } while (page.next_cursor.data);
  return found;
}

TEST(searches_find_every_order_once)
{
  const struct report_orders_get all = {.status = -1,
                                        .from = BUS_NO_TIME,
                                        .to = BUS_NO_TIME,
                                        .min_total = BUS_NO_INT64,
                                        .max_total = BUS_NO_INT64,
                                        .limit = 100};
  struct report_orders_get get = all;
  size_t pages;
  begin();
  assert_int_equal(page_through(get, &pages), ORDERS);
  assert_int_equal(pages, ORDERS / 100);
  get.customer_id = BUS_STR("c-7");
  assert_int_equal(page_through(get, &pages), ORDERS / 50);
  get.product_id = BUS_STR("SKU-0");
  assert_int_equal(page_through(get, &pages), 69); /* 7 of 50 and 0 of 7: each 350th from 7 on */
  get = all;
  get.product_id = BUS_STR("SKU-3");
  assert_int_equal(page_through(get, &pages), 3429);
  get.status = REPORT_REJECTED;
  assert_int_equal(page_through(get, &pages), 34);
  get = all;
  get.status = REPORT_REJECTED;
  get.from = BEGIN + 31 * 24 * BUS_HOUR;
  assert_int_equal(page_through(get, &pages), (ORDERS - 17280) / 100 + 1);
  get.to = get.from + BUS_MINUTE;
  assert_int_equal(page_through(get, &pages), 0);
  assert_int_equal(pages, 1);
  end();
}

/* Old orders alone match: each page gives up after REPORT_SCAN_MAX orders, and says where. */
TEST(a_search_that_finds_little_stops_and_goes_on)
{
  const struct report_orders_get get = {
      .status = -1, .from = BUS_NO_TIME, .to = BUS_NO_TIME, .min_total = 1, .max_total = 150, .limit = 100};
  size_t pages;
  begin();
  assert_int_equal(page_through(get, &pages), 149);
  assert_int_equal(pages, ORDERS / REPORT_SCAN_MAX + 1); /* the oldest 149 are two pages */
  end();
}

/* One statement reads the pages of a batch. */
TEST(each_page_of_a_batch_says_where_it_goes_on)
{
  const struct report_orders_get none = {.status = -1,
                                         .from = BUS_NO_TIME,
                                         .to = BUS_NO_TIME,
                                         .min_total = ORDERS + 1,
                                         .max_total = ORDERS + 2,
                                         .limit = 1};
  struct report_orders_get gets[] = {none, none, none};
  struct bus_problems problems;
  struct report_orders page;
  struct bus_uuid id;
  bus_time at;
  begin();
  gets[1].status = REPORT_REJECTED;
  gets[1].min_total = gets[1].max_total = BUS_NO_INT64;
  gets[2].to = BEGIN + 20 * 24 * BUS_HOUR; /* behind the first 1439 orders: no other page */
  for (size_t i = 0; i < BUS_COUNT(gets); i++)
    link_add(link, &report_orders_get_type, &gets[i]);
  link_query(link);
  for (size_t i = 0; i < BUS_COUNT(gets); i++) {
    const struct bus_effect *said = link_message(link, i);
    assert_true(bus_decode(said->type->schema, said->body, BUS_REFUSE_UNKNOWN, link->arena, &page, &problems));
    assert_int_equal(page.item_count, i == 1);
    assert_true(i == 2 ? !page.next_cursor.data : order_cursor_parse(page.next_cursor, &at, &id));
    if (i != 2)
      assert_int_equal(at, BEGIN + 19 * 24 * BUS_HOUR +
                               (i == 0 ? ORDERS - REPORT_SCAN_MAX + 1 : (int64_t)ORDERS) * BUS_MINUTE);
  }
  end();
}

TEST(revenue_is_that_of_the_slots)
{
  const struct report_revenue_get by_hour = {BEGIN + 20 * 24 * BUS_HOUR + 1, BEGIN + 20 * 24 * BUS_HOUR + 2,
                                             BUS_STR("EUR"), -1};
  const struct report_revenue_get by_day = {BEGIN + 19 * 24 * BUS_HOUR, BEGIN + 40 * 24 * BUS_HOUR, BUS_STR("EUR"),
                                            REPORT_DAY};
  struct report_revenue said;
  int64_t sum = 0;
  begin();
  ask(&report_revenue_get_type, &by_hour, &said);
  assert_int_equal(said.from, BEGIN + 20 * 24 * BUS_HOUR);
  assert_int_equal(said.to, BEGIN + 20 * 24 * BUS_HOUR + BUS_HOUR);
  assert_int_equal(said.item_count, 1);
  assert_int_equal(said.items[0].orders, 60); /* the minutes 1440 to 1499 */
  ask(&report_revenue_get_type, &by_day, &said);
  assert_int_equal(said.item_count, 17);
  for (size_t i = 0; i < said.item_count; i++)
    sum += said.items[i].revenue;
  assert_int_equal(sum, link_number(&database, "SELECT sum(total) FROM reports.orders"));
  end();
}

TEST(figures_are_the_same_by_days_and_by_hours)
{
  const struct report_kpis_get get = {BEGIN + 19 * 24 * BUS_HOUR + 5 * BUS_HOUR,
                                      BEGIN + 30 * 24 * BUS_HOUR + 7 * BUS_HOUR};
  struct report_kpis said;
  begin();
  ask(&report_kpis_get_type, &get, &said);
  assert_int_equal(said.orders, link_number(&database, "SELECT count(*) FROM reports.orders WHERE placed_at >= "
                                                       "'2026-01-20T05:00Z' AND placed_at < '2026-01-31T07:00Z'"));
  assert_int_equal(said.outcome_count, 2);
  assert_int_equal(said.currency_count, 1);
  assert_int_equal(said.conversion_per_mille, 989);
  end();
}
