/* Requests of operators for reports. */
#include "reports.h"

#include "requests.h"

#define FROM(S) BUS_FIELD_TIME(S, from, BUS_REQUIRED, "placed from then on", .example = "2026-11-01T00:00:00Z")
#define TO(S) BUS_FIELD_TIME(S, to, BUS_REQUIRED, "placed before", .example = "2026-11-02T00:00:00Z")
#define DAY (24 * BUS_HOUR)
#define INPUT(S, table, checked)                                                                                       \
  { .size = sizeof(S), .query = BUS_TABLE(S, table), .check = (checked) }

/* A query is decoded without a look at which of its fields are required. */
static bool require(bool is_there, const char *field, struct bus_problems *problems) {
  if (!is_there)
    bus_problem_add(problems, field, "is required");
  return is_there;
}

static void check_span(bus_time from, bus_time to, int64_t days, struct bus_problems *problems) {
  if (!require(from != BUS_NO_TIME, "from", problems) || !require(to != BUS_NO_TIME, "to", problems))
    return;
  if (to <= from)
    bus_problem_add(problems, "to", "must be later than from");
  else if (to - from > days * DAY)
    bus_problem_add(problems, "to", "must be at most %d days later than from", (int)days);
}

/* ---- revenue ---- */

static const struct bus_field revenue_query[] = {
    FROM(struct report_revenue_get),
    TO(struct report_revenue_get),
    BUS_FIELD_STRING(struct report_revenue_get, currency, BUS_TOKEN, ORDER_CURRENCY_LEN, ORDER_CURRENCY_LEN,
                     BUS_REQUIRED, "ISO 4217", .example = "EUR"),
    BUS_FIELD_ENUM(struct report_revenue_get, by, report_grain_names, BUS_OPTIONAL,
                   "slots of an hour, for 30 days at most, or of a day (UTC), for 730; absent: hour", .example = "day"),
};

static const struct bus_field kpis_query[] = {FROM(struct report_kpis_get), TO(struct report_kpis_get)};

#define CURSOR "the next_cursor of an earlier page"
static const struct bus_field orders_query[] = {
    BUS_FIELD_INT64(struct report_orders_get, limit, 1, REPORT_PAGE_MAX, BUS_OPTIONAL, "how many at most",
                    .fallback = "20", .example = "20"),
    BUS_FIELD_STRING(struct report_orders_get, cursor, BUS_TOKEN, 1, ORDER_CURSOR_TEXT - 1, BUS_OPTIONAL, CURSOR,
                     .pattern = ORDER_CURSOR_PATTERN, .opaque = true),
    BUS_FIELD_ENUM(struct report_orders_get, status, report_status_names, BUS_OPTIONAL, "only orders in this status",
                   .example = "CONFIRMED"),
    BUS_FIELD_STRING(struct report_orders_get, customer_id, BUS_VISIBLE, 1, ORDER_CUSTOMER_MAX, BUS_OPTIONAL,
                     "only orders of this customer"),
    BUS_FIELD_STRING(struct report_orders_get, product_id, BUS_ID, 1, BUS_ID_MAX, BUS_OPTIONAL,
                     "only orders with this product"),
    BUS_FIELD_TIME(struct report_orders_get, from, BUS_OPTIONAL, "placed from then on"),
    BUS_FIELD_TIME(struct report_orders_get, to, BUS_OPTIONAL, "placed before"),
    BUS_FIELD_INT64(struct report_orders_get, min_total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "least total in minor units"),
    BUS_FIELD_INT64(struct report_orders_get, max_total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "highest total in minor units"),
};

static void check_revenue(void *request, struct bus_problems *problems) {
  const struct report_revenue_get *get = request;
  (void)require(get->currency.data != NULL, "currency", problems); /* the other fields are looked at, too */
  check_span(get->from, get->to, get->by == REPORT_DAY ? REPORT_DAYS_MAX - 1 : REPORT_HOURS_MAX / 24 - 1, problems);
}

const struct bus_http_input revenue_input = INPUT(struct report_revenue_get, revenue_query, check_revenue);

/* ---- orders ---- */

static void check_orders(void *request, struct bus_problems *problems) {
  const struct report_orders_get *get = request;
  struct bus_uuid id;
  bus_time at;
  if (get->from != BUS_NO_TIME && get->to != BUS_NO_TIME && get->to <= get->from)
    bus_problem_add(problems, "to", "must be later than from");
  if (get->max_total != BUS_NO_INT64 && get->max_total < get->min_total)
    bus_problem_add(problems, "max_total", "must not be less than min_total");
  if (get->cursor.data && !order_cursor_parse(get->cursor, &at, &id))
    bus_problem_add(problems, "cursor", "must be %s", CURSOR);
}

const struct bus_http_input report_orders_input = INPUT(struct report_orders_get, orders_query, check_orders);

/* ---- figures ---- */

static void check_kpis(void *request, struct bus_problems *problems) {
  const struct report_kpis_get *get = request;
  check_span(get->from, get->to, REPORT_DAYS_MAX - 1, problems);
}

const struct bus_http_input kpis_input = INPUT(struct report_kpis_get, kpis_query, check_kpis);
