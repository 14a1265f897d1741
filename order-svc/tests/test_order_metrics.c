/* Tests order-svc's metrics after orders became final. */
#include "order_metrics.h"
#include "order_service.h"
#include "test.h"

#include <bus/metrics.h>
#include <stdio.h>
#include <string.h>

#define SERIES "\norders_revenue_minor_units_total{currency=\""

struct page {
  char text[1 << 16];
  size_t len;
};

static void append(void *context, struct bus_str text) {
  struct page *page = context;
  assert_true(page->len + text.len < sizeof page->text);
  memcpy(page->text + page->len, text.data, text.len);
  page->len += text.len;
  page->text[page->len] = '\0';
}

static const char *scrape(void) {
  static struct page page;
  page.len = 0;
  bus_metrics_print(BUS_METRICS_TEXT, append, &page);
  return page.text;
}

static void assert_printed(const char *line, bool expected) {
  const char *text = scrape();
  if ((strstr(text, line) != NULL) != expected)
    fail_msg("%s %s in:\n%s", expected ? "missing:" : "unexpected:", line, text);
}

static size_t series_printed(void) {
  size_t count = 0;
  for (const char *at = scrape(); (at = strstr(at, SERIES)) != NULL; at += strlen(SERIES))
    count++;
  return count;
}

static void finish(int status, const char *currency, int64_t earned) {
  struct order_tally tally = {.finished = status, .earned = earned, .status = status};
  (void)snprintf(tally.currency, sizeof tally.currency, "%s", currency);
  order_metrics_count(NULL, &tally);
}

static void undo(int status, const char *reason) {
  struct order_tally tally = {.finished = status, .status = status, .why = order_why_find(bus_str(reason))};
  order_metrics_count(NULL, &tally);
}

#define FINISHED(status, reason) "\norders_finished_total{status=\"" status "\",reason=\"" reason "\"} "

TEST(finished_orders_are_counted_by_status_and_the_code_of_their_reason)
{
  order_metrics_register();
  assert_printed(FINISHED("CANCELLED", "timeout") "0\n", true); /* there before its first event, so that rates see it */
  finish(ORDER_CONFIRMED, "EUR", 1);
  undo(ORDER_REJECTED, "out_of_stock: SKU-1");
  undo(ORDER_REJECTED, "out_of_stock: SKU-2");
  undo(ORDER_CANCELLED, "customer: out_of_stock");
  undo(ORDER_CANCELLED, "payment_declined: card_declined");
  undo(ORDER_CANCELLED, "of an older release");
  assert_printed(FINISHED("CONFIRMED", "none") "1\n", true);
  assert_printed(FINISHED("REJECTED", "out_of_stock") "2\n", true);
  assert_printed(FINISHED("CANCELLED", "customer") "1\n", true);
  assert_printed(FINISHED("CANCELLED", "payment_declined") "1\n", true);
  assert_printed(FINISHED("CANCELLED", "other") "1\n", true);
}

TEST(each_code_is_found_alone_and_before_a_detail)
{
  char text[64];
  for (size_t why = 0; why < ORDER_WHYS; why++) {
    assert_int_equal(order_why_find(bus_str(order_why_name(why))), why);
    (void)snprintf(text, sizeof text, "%s: timeout", order_why_name(why));
    assert_int_equal(order_why_find(bus_str(text)), why);
  }
  assert_int_equal(order_why_find(BUS_NO_STR), ORDER_WHYS);
  assert_int_equal(order_why_find(BUS_STR("time")), ORDER_WHYS);
}

TEST(revenue_is_counted_by_currency)
{
  order_metrics_register();
  assert_printed("# TYPE orders_revenue_minor_units_total counter\n", true);
  finish(ORDER_CONFIRMED, "EUR", 1999);
  finish(ORDER_CONFIRMED, "EUR", 1);
  finish(ORDER_CONFIRMED, "JPY", 500);
  finish(ORDER_CANCELLED, "USD", 0);
  finish(ORDER_REJECTED, "", 0);
  assert_printed(SERIES "EUR\"} 2000\n", true);
  assert_printed(SERIES "JPY\"} 500\n", true);
  assert_printed("currency=\"USD\"", false);
  assert_printed("currency=\"other\"", false);
}

/* A service that makes up currencies cannot make up series. */
TEST(many_currencies_share_one_series)
{
  order_metrics_register();
  finish(ORDER_CONFIRMED, "E.R", 5);
  finish(ORDER_CONFIRMED, "eur", 5);
  assert_printed(SERIES "other\"} 10\n", true);
  for (int i = 0; i < ORDER_REVENUE_CURRENCIES + 3; i++)
    finish(ORDER_CONFIRMED, (const char[]){'X', 'A', (char)('A' + i), '\0'}, 10);
  finish(ORDER_CONFIRMED, "XAA", 10);
  assert_printed(SERIES "XAA\"} 20\n", true);
  assert_int_equal(series_printed(), ORDER_REVENUE_CURRENCIES + 1);
}
