/* The fold audit over single lines: what agrees, and that each kind of difference is found and named. */
#include "order_audit.h"

#include <test.h>

#include <stdio.h>

#define ID "11223344-5566-5788-99aa-bbccddeeff01"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define EVENT(seq, type, second, data)                                                                                 \
  "{\"seq\":" seq ",\"type\":\"" type "\",\"at\":\"2026-01-01T00:00:0" second ".000001+00:00\",\"data\":" data "}"
/* As the view orders.audit_lines prints a confirmed order. */
#define LINE                                                                                                           \
  "{\"order_id\" : \"" ID "\", \"status\" : 4, \"version\" : 4, \"customer_id\" : \"c-1\", \"due_at\" : null, "        \
  "\"items\" : [{\"product_id\" : \"SKU-1\", \"quantity\" : 2, \"unit_price\" : 999}, "                                \
  "{\"product_id\" : \"SKU-2\", \"quantity\" : 1, \"unit_price\" : 1}], \"expected_total\" : null, "                   \
  "\"request_hash\" : \"" HASH                                                                                         \
  "\", \"reason\" : null, \"total\" : 1999, \"currency\" : \"EUR\", \"captured\" : 1999, "                             \
  "\"refunded\" : 0, \"stock_settled\" : true, \"payment_settled\" : true, "                                           \
  "\"pay_later\" : false, \"attempts\" : 0, "                                                                          \
  "\"created_at\" : \"2026-01-01T00:00:01.000001+00:00\", \"updated_at\" : \"2026-01-01T00:00:04.000001+00:00\", "     \
  "\"events\" : [" EVENT("1", "order.created", "1", CREATED) ", " EVENT(                                               \
      "2", "order.reserved", "2", RESERVED) ", " EVENT("3", "order.paid", "3",                                         \
                                                       "{\"amount\":1999}") ", " EVENT("4", "order.confirmed", "4",    \
                                                                                       "{}") "]}"
#define CREATED                                                                                                        \
  "{\"customer_id\":\"c-1\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2},{\"product_id\":\"SKU-2\","           \
  "\"quantity\":1}],\"request_hash\":\"" HASH "\"}"
#define RESERVED                                                                                                       \
  "{\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2,\"unit_price\":999},{\"product_id\":\"SKU-2\","                \
  "\"quantity\":1,\"unit_price\":1}],\"total\":1999,\"currency\":\"EUR\"}"

static char reports[4096];

static void report(void *context, const char *order_id, const char *text) {
  size_t len = strlen(reports);
  (void)context;
  (void)snprintf(reports + len, sizeof reports - len, "%s %s\n", order_id, text);
}

static size_t audit(const char *line) {
  struct bus_arena *arena = bus_arena_new(1 << 22);
  reports[0] = '\0';
  size_t differences = order_audit_line(bus_str(line), arena, report, NULL);
  print_message("%s", reports);
  bus_arena_free(arena);
  return differences;
}

/* The line with one text in it replaced. */
static size_t audit_changed(const char *from, const char *to) {
  char line[8192];
  const char *at = strstr(LINE, from);
  assert_non_null(at);
  (void)snprintf(line, sizeof line, "%.*s%s%s", (int)(at - LINE), LINE, to, at + strlen(from));
  return audit(line);
}

TEST(a_row_that_is_its_fold)
{ assert_int_equal(audit(LINE), 0); }

TEST(each_member_that_differs_is_named)
{
  static const struct {
    const char *from, *to, *report;
  } cases[] = {
      {"\"status\" : 4", "\"status\" : 2", "status: log 4, row 2"},
      {"\"version\" : 4", "\"version\" : 5", "version: log 4, row 5"},
      {"\"customer_id\" : \"c-1\"", "\"customer_id\" : \"c-2\"", "customer_id: log c-1, row c-2"},
      {"\"SKU-2\", \"q", "\"SKU-3\", \"q", "items: log SKU-1 2 999, SKU-2 1 1, row SKU-1 2 999, SKU-3 1 1"},
      {"\"quantity\" : 1,", "\"quantity\" : 2,", "items: log SKU-1 2 999, SKU-2 1 1, row SKU-1 2 999, SKU-2 2 1"},
      {"\"unit_price\" : 999}", "\"unit_price\" : null}", "row SKU-1 2 null, SKU-2 1 1"},
      {"{\"product_id\" : \"SKU-1\", \"quantity\" : 2, \"unit_price\" : 999}, ", "", "row SKU-2 1 1"},
      {"\"expected_total\" : null", "\"expected_total\" : 7", "expected_total: log null, row 7"},
      {"\"request_hash\" : \"0", "\"request_hash\" : \"f", "request_hash: log 0123"},
      {"\"reason\" : null", "\"reason\" : \"x\"", "reason: log null, row x"},
      {"\"total\" : 1999", "\"total\" : 1998", "total: log 1999, row 1998"},
      {"\"currency\" : \"EUR\"", "\"currency\" : \"USD\"", "currency: log EUR, row USD"},
      {"\"captured\" : 1999", "\"captured\" : 0", "captured: log 1999, row 0"},
      {"\"refunded\" : 0", "\"refunded\" : 1", "refunded: log 0, row 1"},
      {"\"stock_settled\" : true", "\"stock_settled\" : false", "stock_settled: log 1, row 0"},
      {"\"payment_settled\" : true", "\"payment_settled\" : false", "payment_settled: log 1, row 0"},
      {"\"created_at\" : \"2026-01-01T00:00:01", "\"created_at\" : \"2026-01-01T00:00:00", "created_at: log "},
      {"\"updated_at\" : \"2026-01-01T00:00:04", "\"updated_at\" : \"2026-01-01T00:00:05", "updated_at: log "},
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    assert_int_equal(audit_changed(cases[i].from, cases[i].to), 1);
    assert_non_null(strstr(reports, cases[i].report));
    assert_non_null(strstr(reports, ID));
  }
}

TEST(a_log_with_a_gap)
{
  assert_int_equal(audit_changed("\"seq\":3", "\"seq\":4"), 1);
  assert_non_null(strstr(reports, "event 4 comes behind event 2"));
}

TEST(a_log_of_nothing)
{
  char line[8192];
  const char *at = strstr(LINE, "\"events\"");
  (void)snprintf(line, sizeof line, "%.*s\"events\" : []}", (int)(at - LINE), LINE);
  assert_int_equal(audit(line), 1);
  assert_non_null(strstr(reports, "no events"));
}

TEST(a_log_that_cannot_be_read)
{
  assert_int_equal(audit_changed("order.paid", "order.shipped"), 1);
  assert_non_null(strstr(reports, "event 3: unknown type order.shipped"));
  assert_int_equal(audit_changed("{\"amount\":1999}", "{}"), 1);
  assert_non_null(strstr(reports, "event 3 (order.paid): amount is required"));
}

TEST(a_log_whose_time_goes_back)
{
  assert_int_equal(audit_changed(":03.000001", ":01.000001"), 1);
  assert_non_null(strstr(reports, "event 3 is older"));
}

TEST(a_line_that_is_none)
{
  assert_int_equal(audit("psql: error"), 1);
  assert_int_equal(audit(""), 1);
  assert_int_equal(audit("{}"), 1);
}
