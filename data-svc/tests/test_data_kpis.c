/* Figures of sums, and the ways of searches. */
#include "data_kpis.h"
#include "data_queries.h"

#include <test.h>

#define DAY (24 * BUS_HOUR)
#define NOON (INT64_C(1767225600) * BUS_SECOND + 12 * BUS_HOUR)

TEST(a_span_is_whole_days_between_hours)
{
  const struct report_span span = report_span_of(NOON + 1, NOON + 3 * DAY + 1);
  assert_int_equal(span.from, NOON);
  assert_int_equal(span.to, NOON + 3 * DAY + BUS_HOUR);
  assert_int_equal(span.day_from, NOON + 12 * BUS_HOUR);
  assert_int_equal(span.day_to, NOON + 3 * DAY - 12 * BUS_HOUR);
  const struct report_span within = report_span_of(NOON, NOON + 2 * BUS_HOUR);
  assert_int_equal(within.to, NOON + 2 * BUS_HOUR);
  assert_int_equal(within.day_from, within.to);
  assert_int_equal(within.day_to, within.to);
  const struct report_span midnight = report_span_of(NOON - 12 * BUS_HOUR, NOON + 12 * BUS_HOUR);
  assert_int_equal(midnight.day_from, midnight.from);
  assert_int_equal(midnight.day_to, midnight.to);
}

static struct share sum(int status, const char *reason, int64_t ms, int64_t orders, int64_t amount) {
  return (struct share){.currency = status == REPORT_CONFIRMED ? BUS_STR("EUR") : BUS_STR(""),
                        .status = status,
                        .reason = bus_str(reason),
                        .bucket = status == REPORT_OPEN ? -1 : report_bucket(ms),
                        .orders = orders,
                        .amount = amount,
                        .refunded = amount / 4};
}

TEST(figures_of_a_span)
{
  const struct share rows[] = {sum(REPORT_CONFIRMED, "", 100, 60, 60000),
                               sum(REPORT_CONFIRMED, "", 3000, 20, 20000),
                               sum(REPORT_CANCELLED, "timeout", 9000, 8, 0),
                               sum(REPORT_REJECTED, "out_of_stock", 50, 12, 0),
                               sum(REPORT_OPEN, "", 0, 5, 0),
                               sum(REPORT_CANCELLED, "timeout", 100, 0, 0)};
  const struct report_span span = report_span_of(NOON, NOON + DAY);
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct report_kpis kpis;
  assert_true(report_kpis_of(rows, BUS_COUNT(rows), &span, arena, &kpis));
  assert_int_equal(kpis.orders, 105);
  assert_int_equal(kpis.finished, 100);
  assert_int_equal(kpis.confirmed, 80);
  assert_int_equal(kpis.conversion_per_mille, 800);
  assert_int_equal(kpis.currency_count, 1);
  assert_int_equal(kpis.currencies[0].revenue, 80000);
  assert_int_equal(kpis.currencies[0].average, 1000);
  assert_int_equal(kpis.currencies[0].refunded_per_mille, 250);
  assert_int_equal(kpis.outcome_count, 4);
  assert_true(kpis.time_to_final_p50_ms >= 96 && kpis.time_to_final_p50_ms < 112);
  assert_true(kpis.time_to_final_p95_ms >= 8192 && kpis.time_to_final_p95_ms < 10240);
  bus_arena_free(arena);
}

TEST(a_span_without_orders_has_no_shares)
{
  const struct report_span span = report_span_of(NOON, NOON + DAY);
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct report_kpis kpis;
  assert_true(report_kpis_of(NULL, 0, &span, arena, &kpis));
  assert_int_equal(kpis.conversion_per_mille, BUS_NO_INT64);
  assert_int_equal(kpis.time_to_final_p95_ms, BUS_NO_INT64);
  assert_int_equal(kpis.outcome_count + kpis.currency_count, 0);
  bus_arena_free(arena);
}

TEST(a_search_goes_by_customer_before_product)
{
  struct report_orders_get get = {.status = -1, .min_total = BUS_NO_INT64, .max_total = BUS_NO_INT64};
  assert_int_equal(report_search_of(&get), BY_TIME);
  assert_false(report_search_is_filtered(&get));
  get.product_id = BUS_STR("SKU-1");
  assert_int_equal(report_search_of(&get), BY_PRODUCT);
  assert_false(report_search_is_filtered(&get));
  get.customer_id = BUS_STR("ann");
  assert_int_equal(report_search_of(&get), BY_CUSTOMER);
  assert_true(report_search_is_filtered(&get));
  get.product_id = BUS_NO_STR;
  assert_false(report_search_is_filtered(&get));
  get.max_total = 9;
  assert_true(report_search_is_filtered(&get));
}
