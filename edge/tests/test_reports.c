/* Requests for reports over a scripted bus: what is asked, and which requests are refused by the name of their field.
 */
#include "api_fixture.h"
#include "reports.h"
#include "test.h"

static void ask(const char *route, const char *query) {
  fake.query = query;
  (void)call(route, "");
}

static void assert_sent(const char *text) {
  if (!fake.sent.data || !strstr(fake.sent.data, text))
    fail_msg("%s is not in %s", text, fake.sent.data ? fake.sent.data : "nothing");
}

TEST(a_report_is_asked_for_and_shown)
{
  static struct report_slot slot = {.slot = 0, .orders = 2, .revenue = 998, .refunded = 1};
  static const struct report_revenue said = {
      .from = 0, .to = BUS_HOUR, .currency = {"EUR", 3}, .by = REPORT_HOUR, .items = &slot, .item_count = 1};
  set_up();
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &report_revenue_type, &said};
  ask("GET /api/reports/revenue", "from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z&currency=EUR&by=day");
  assert_int_equal(fake.status, 200);
  assert_sent("{\"from\":\"2026-11-01T00:00:00.000Z\",\"to\":\"2026-11-02T00:00:00.000Z\",\"currency\":\"EUR\",\"by\":"
              "\"day\"}");
  assert_json_has("\"revenue\":998");
  tear_down();
}

TEST(a_search_has_a_limit_and_its_filters)
{
  static const struct report_orders said = {.next_cursor = {"9.0", 3}};
  set_up();
  fake.script.answers[0] = (struct fake_answer){AT_MS(10), &report_orders_type, &said};
  ask("GET /api/reports/orders", "status=REJECTED&min_total=5");
  assert_int_equal(fake.status, 200);
  assert_sent("{\"status\":\"REJECTED\",\"min_total\":5,\"limit\":20}");
  assert_json_has("\"next_cursor\":\"9.0\"");
  tear_down();
}

TEST(a_report_of_a_wrong_span_names_the_field)
{
  static const struct {
    const char *route, *query, *field;
  } cases[] = {
      {"GET /api/reports/revenue", "from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z", "currency"},
      {"GET /api/reports/revenue", "from=2026-11-01T00:00:00Z&to=2026-11-01T00:00:00Z&currency=EUR", "to"},
      {"GET /api/reports/revenue", "from=2026-11-01T00:00:00Z&to=2026-12-01T00:00:01Z&currency=EUR", "to"},
      {"GET /api/reports/revenue", "from=2026-11-01T00:00:00Z&to=2029-11-01T00:00:00Z&currency=EUR&by=day", "to"},
      {"GET /api/reports/kpis", "from=2026-11-01T00:00:00Z", "to"},
      {"GET /api/reports/kpis", "from=yesterday&to=2026-11-01T00:00:00Z", "from"},
      {"GET /api/reports/orders", "limit=101", "limit"},
      {"GET /api/reports/orders", "cursor=7", "cursor"},
      {"GET /api/reports/orders", "min_total=5&max_total=4", "max_total"},
      {"GET /api/reports/orders", "from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "to"},
      {"GET /api/reports/orders", "status=PENDING", "status"},
  };
  set_up();
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    ask(cases[i].route, cases[i].query);
    if (fake.status != 400)
      fail_msg("%s?%s: %d", cases[i].route, cases[i].query, fake.status);
    assert_int_equal(fake.begun, 0);
    assert_json_has(cases[i].field);
  }
  tear_down();
}
