/* Decodes a row with its log, folds the log, and compares member by member. */
#include "order_audit.h"

#include "order_lists.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct row {
  struct bus_uuid order_id;
  int64_t status, version;
  struct bus_str customer_id, product_ids, quantities, unit_prices;
  int64_t expected_total;
  struct bus_str request_hash, reason;
  int64_t total;
  struct bus_str currency;
  int64_t captured, refunded;
  bool stock_settled, payment_settled;
  bus_time created_at, updated_at;
  struct order_event_view *events;
  size_t event_count;
};

enum { LIST_MAX = 16384, EVENTS_MAX = 100000 };

#define TEXT(member, most, presence) BUS_FIELD_STRING(struct row, member, BUS_TEXT, 0, most, presence, #member)
#define NUMBER(member, presence) BUS_FIELD_INT64(struct row, member, 0, BUS_JSON_INT_MAX, presence, #member)

static const struct bus_field row_fields[] = {
    BUS_FIELD_UUID(struct row, order_id, BUS_REQUIRED, "order_id"),
    NUMBER(status, BUS_REQUIRED),
    NUMBER(version, BUS_REQUIRED),
    TEXT(customer_id, 64, BUS_REQUIRED),
    TEXT(product_ids, LIST_MAX, BUS_REQUIRED),
    TEXT(quantities, LIST_MAX, BUS_REQUIRED),
    TEXT(unit_prices, LIST_MAX, BUS_OPTIONAL),
    NUMBER(expected_total, BUS_OPTIONAL),
    TEXT(request_hash, 64, BUS_REQUIRED),
    TEXT(reason, ORDER_REASON_MAX, BUS_OPTIONAL),
    NUMBER(total, BUS_OPTIONAL),
    TEXT(currency, 3, BUS_OPTIONAL),
    NUMBER(captured, BUS_REQUIRED),
    NUMBER(refunded, BUS_REQUIRED),
    BUS_FIELD_BOOL(struct row, stock_settled, BUS_REQUIRED, "stock_settled"),
    BUS_FIELD_BOOL(struct row, payment_settled, BUS_REQUIRED, "payment_settled"),
    BUS_FIELD_TIME(struct row, created_at, BUS_REQUIRED, "created_at"),
    BUS_FIELD_TIME(struct row, updated_at, BUS_REQUIRED, "updated_at"),
    BUS_FIELD_ARRAY(struct row, events, event_count, struct order_event_view, &order_event_view_schema, 0, EVENTS_MAX,
                    BUS_REQUIRED, "its log"),
};
static const struct bus_schema row_schema = BUS_SCHEMA("row", struct row, row_fields);

struct audit {
  struct bus_arena *arena;
  order_audit_report *report;
  void *context;
  char order_id[BUS_UUID_TEXT];
  size_t differences;
};

static void differ(struct audit *audit, const char *format, ...) BUS_PRINTF(2, 3);
static void differ(struct audit *audit, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args); /* a cut text still says what differs */
  va_end(args);
  audit->differences++;
  audit->report(audit->context, audit->order_id, text);
}

/* ---- the fold ---- */

static bool fold_event(struct audit *audit, struct order *order, const struct order_event_view *event) {
  struct order_fact fact;
  struct bus_problems problems = {0};
  char text[256];
  enum order_fact_type type = order_fact_find(event->type);
  if (event->seq != order->version + 1) {
    differ(audit, "event %" PRId64 " comes behind event %" PRId64, event->seq, order->version);
    return false;
  }
  if (type == FACT_TYPES) {
    differ(audit, "event %" PRId64 ": unknown type %.*s", event->seq, (int)event->type.len, event->type.data);
    return false;
  }
  if (!order_fact_decode(type, event->data, audit->arena, &fact, &problems)) {
    bus_problems_text(&problems, text, sizeof text);
    differ(audit, "event %" PRId64 " (%s): %s", event->seq, order_fact_name(type), text);
    return false;
  }
  order_evolve(order, &fact, event->at);
  if (order->updated_at != event->at)
    differ(audit, "event %" PRId64 " is older than the one before it", event->seq);
  return true;
}

static bool fold(struct audit *audit, const struct row *row, struct order *ret) {
  order_init(ret, &row->order_id);
  for (size_t i = 0; i < row->event_count; i++)
    if (!fold_event(audit, ret, &row->events[i]))
      return false;
  if (row->event_count == 0)
    differ(audit, "no events");
  return row->event_count > 0;
}

/* ---- the comparison ---- */

static bool same_text(struct bus_str a, struct bus_str b) {
  if (!a.data || !b.data)
    return a.data == b.data;
  return bus_str_equal(a, b);
}

static void compare_text(struct audit *audit, const char *member, struct bus_str log, struct bus_str row) {
  if (!same_text(log, row))
    differ(audit, "%s: log %.*s, row %.*s", member, log.data ? (int)log.len : 4, log.data ? log.data : "null",
           row.data ? (int)row.len : 4, row.data ? row.data : "null");
}

static const char *number_text(int64_t number, char text[24]) {
  if (number == BUS_NO_INT64)
    return "null";
  (void)snprintf(text, 24, "%" PRId64, number); /* 20 characters at most */
  return text;
}

static void compare_number(struct audit *audit, const char *member, int64_t log, int64_t row) {
  char log_text[24], row_text[24];
  if (log != row)
    differ(audit, "%s: log %s, row %s", member, number_text(log, log_text), number_text(row, row_text));
}

static void compare_items(struct audit *audit, const struct order *order, const struct row *row) {
  struct order_lists lists;
  if (!order_lists_join(order->items, order->item_count, audit->arena, &lists)) {
    differ(audit, "out of memory");
    return;
  }
  compare_text(audit, "product_ids", lists.product_ids, row->product_ids);
  compare_text(audit, "quantities", lists.quantities, row->quantities);
  compare_text(audit, "unit_prices", lists.unit_prices, row->unit_prices);
}

static void compare(struct audit *audit, const struct order *order, const struct row *row) {
  compare_number(audit, "status", order->status, row->status);
  compare_number(audit, "version", order->version, row->version);
  compare_text(audit, "customer_id", order->customer_id, row->customer_id);
  compare_items(audit, order, row);
  compare_number(audit, "expected_total", order->expected_total, row->expected_total);
  compare_text(audit, "request_hash", order->request_hash, row->request_hash);
  compare_text(audit, "reason", order->reason, row->reason);
  compare_number(audit, "total", order->total, row->total);
  compare_text(audit, "currency", order->currency, row->currency);
  compare_number(audit, "captured", order->captured, row->captured);
  compare_number(audit, "refunded", order->refunded, row->refunded);
  compare_number(audit, "stock_settled", order->stock_settled, row->stock_settled);
  compare_number(audit, "payment_settled", order->payment_settled, row->payment_settled);
  compare_number(audit, "created_at", order->created_at, row->created_at);
  compare_number(audit, "updated_at", order->updated_at, row->updated_at);
}

size_t order_audit_line(struct bus_str line, struct bus_arena *arena, order_audit_report *report, void *context) {
  struct audit audit = {.arena = arena, .report = report, .context = context};
  struct bus_problems problems = {0};
  struct order order;
  struct row row;
  char text[256];
  if (!bus_decode(&row_schema, line, BUS_IGNORE_UNKNOWN, arena, &row, &problems)) {
    bus_problems_text(&problems, text, sizeof text);
    differ(&audit, "the line cannot be read: %s", text);
    return audit.differences;
  }
  bus_uuid_format(&row.order_id, audit.order_id);
  if (fold(&audit, &row, &order))
    compare(&audit, &order, &row);
  return audit.differences;
}
