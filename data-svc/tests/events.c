/* Events of one order, as order-svc tells them. */
#include "events.h"

#include <test.h>

const struct bus_uuid events_order_id = {{9}};

static struct order_item asked[] = {{BUS_STR("SKU-1"), 2, BUS_NO_INT64}, {BUS_STR("SKU-2"), 1, BUS_NO_INT64}};
static struct order_item priced[] = {{BUS_STR("SKU-1"), 2, 200}, {BUS_STR("SKU-2"), 1, 99}};
static const struct order_event created = {.order_id = {{9}},
                                           .customer_id = {"ann", 3},
                                           .items = asked,
                                           .item_count = 2,
                                           .total = BUS_NO_INT64,
                                           .placed_at = EVENTS_PLACED,
                                           .at = EVENTS_PLACED};
static const struct order_event confirmed = {.order_id = {{9}},
                                             .customer_id = {"ann", 3},
                                             .items = priced,
                                             .item_count = 2,
                                             .total = 499,
                                             .currency = {"EUR", 3},
                                             .placed_at = EVENTS_PLACED,
                                             .at = EVENTS_PLACED + 250 * BUS_MILLISECOND};
static const struct order_event cancelled = {.order_id = {{9}},
                                             .customer_id = {"ann", 3},
                                             .items = priced,
                                             .item_count = 2,
                                             .total = 499,
                                             .currency = {"EUR", 3},
                                             .reason = {"timeout", 7},
                                             .placed_at = EVENTS_PLACED,
                                             .at = EVENTS_PLACED + 200 * BUS_MILLISECOND};
static const struct order_refunded once = {{{9}}, {"ann", 3}, 100, 499, {"EUR", 3}, EVENTS_PLACED, BUS_NO_TIME};
static const struct order_refunded twice = {{{9}}, {"ann", 3}, 300, 499, {"EUR", 3}, EVENTS_PLACED, BUS_NO_TIME};

#define MESSAGE(message, text)                                                                                         \
  { .kind = BUS_INPUT_DELIVERY, .type = &(message), .body = &(text) }
const struct bus_input events_inputs[EVENTS] = {
    MESSAGE(order_created_type, created),     MESSAGE(order_confirmed_type, confirmed),
    MESSAGE(order_refunded_type, once),       MESSAGE(order_refunded_type, twice),
    MESSAGE(order_cancelled_type, cancelled), MESSAGE(order_created_type, created),
};

void events_assert_row(const struct report *report) {
  assert_true(bus_uuid_equal(&report->order_id, &events_order_id));
  assert_int_equal(report->placed_at, EVENTS_PLACED);
  assert_true(bus_str_is(report->customer_id, "ann"));
  assert_int_equal(report->status, REPORT_CONFIRMED);
  assert_null(report->reason.data);
  assert_int_equal(report->total, 499);
  assert_true(bus_str_is(report->currency, "EUR"));
  assert_int_equal(report->refunded, 300);
  assert_int_equal(report->finished_at, EVENTS_PLACED + 250 * BUS_MILLISECOND);
  assert_int_equal(report->line_count, 2);
  assert_true(bus_str_is(report->lines[0].product_id, "SKU-1"));
  assert_int_equal(report->lines[0].quantity, 2);
  assert_int_equal(report->lines[1].unit_price, 99);
}
