/* Decodes a row with its log, folds the log, and compares column by column. */
#include "order_audit.h"

#include "order_columns.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* A line of the view: the row, and its log. */
struct row {
  struct order order;
  int64_t status;
  struct order_event_view *events;
  size_t event_count;
};

enum { EVENTS_MAX = 100000, FIELDS_MAX = 40 };

/* An order's columns that the log tells; from the column table but for these two, which JSON has in another form. */
static struct bus_field order_fields[FIELDS_MAX] = {
    BUS_FIELD_UUID(struct order, order_id, BUS_REQUIRED, "the order"),
    BUS_FIELD_ARRAY(struct order, items, item_count, struct order_item, &order_item_schema, 1, ORDER_ITEMS_MAX,
                    BUS_REQUIRED, "what is ordered"),
};
static struct bus_schema order_schema = {.name = "order", .size = sizeof(struct order), .fields = order_fields};

static const struct bus_field row_fields[] = {
    BUS_FIELD_EMBED(struct row, order, struct order, &order_schema),
    BUS_FIELD_INT64(struct row, status, 0, ORDER_STATUS_COUNT - 1, BUS_REQUIRED, "the status's number"),
    BUS_FIELD_ARRAY(struct row, events, event_count, struct order_event_view, &order_event_view_schema, 0, EVENTS_MAX,
                    BUS_REQUIRED, "its log"),
};
static const struct bus_schema row_schema = BUS_SCHEMA("row", struct row, row_fields);

static void fill_order_fields(void) {
  enum { OWN = 2 };
  if (order_schema.field_count == 0)
    order_schema.field_count = OWN + bus_table_fields(&order_columns, BUS_LOG, order_fields + OWN, FIELDS_MAX - OWN);
}

struct audit {
  struct bus_arena *arena;
  order_audit_report *report;
  void *context;
  char order_id[BUS_UUID_TEXT];
  size_t differences;
};

static void report_difference(struct audit *audit, const char *format, ...) BUS_PRINTF(2, 3);
static void report_difference(struct audit *audit, const char *format, ...) {
  char text[512];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args); /* a cut text still says what differs */
  va_end(args);
  audit->differences++;
  audit->report(audit->context, audit->order_id, text);
}

/* ---- the fold ---- */

static bool fold_logged(struct audit *audit, struct order *order, const struct order_event_view *event) {
  struct order_fact fact;
  struct bus_problems problems = {0};
  char text[256];
  enum order_fact_type type = order_fact_find(event->type);
  if (event->seq != order->version + 1) {
    report_difference(audit, "event %" PRId64 " comes behind event %" PRId64, event->seq, order->version);
    return false;
  }
  if (type == FACT_TYPES) {
    report_difference(audit, "event %" PRId64 ": unknown type %.*s", event->seq, (int)event->type.len,
                      event->type.data);
    return false;
  }
  if (!order_fact_decode(type, event->data, audit->arena, &fact, &problems)) {
    bus_problems_text(&problems, text, sizeof text);
    report_difference(audit, "event %" PRId64 " (%s): %s", event->seq, order_fact_names[type], text);
    return false;
  }
  order_evolve(order, &fact, event->at);
  if (order->updated_at != event->at)
    report_difference(audit, "event %" PRId64 " is older than the one before it", event->seq);
  return true;
}

static bool fold_log(struct audit *audit, const struct row *row, struct order *ret) {
  order_init(ret, &row->order.order_id);
  for (size_t i = 0; i < row->event_count; i++)
    if (!fold_logged(audit, ret, &row->events[i]))
      return false;
  if (row->event_count == 0)
    report_difference(audit, "no events");
  return row->event_count > 0;
}

/* ---- the comparison ---- */

static void compare_rows(struct audit *audit, const struct order *order, const struct order *row) {
  char log_text[200], row_text[200];
  const struct bus_column *column = NULL;
  while ((column = bus_row_differs(&order_columns, BUS_LOG, order, row, column)) != NULL) {
    bus_row_text(column, order, log_text, sizeof log_text);
    bus_row_text(column, row, row_text, sizeof row_text);
    report_difference(audit, "%s: log %s, row %s", column->name, log_text, row_text);
  }
}

size_t order_audit_line(struct bus_str line, struct bus_arena *arena, order_audit_report *report, void *context) {
  struct audit audit = {.arena = arena, .report = report, .context = context};
  struct bus_problems problems = {0};
  struct order order;
  struct row row;
  char text[256];
  fill_order_fields();
  if (!bus_decode(&row_schema, line, BUS_IGNORE_UNKNOWN, arena, &row, &problems)) {
    bus_problems_text(&problems, text, sizeof text);
    report_difference(&audit, "the line cannot be read: %s", text);
    return audit.differences;
  }
  bus_uuid_format(&row.order.order_id, audit.order_id);
  row.order.status = (int)row.status;
  if (fold_log(&audit, &row, &order))
    compare_rows(&audit, &order, &row.order);
  return audit.differences;
}
