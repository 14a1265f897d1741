/* Events of one order, as order-svc tells them. */
#ifndef DATA_TESTS_EVENTS_H
#define DATA_TESTS_EVENTS_H

#include "data.h"

#define EVENTS_PLACED (INT64_C(1767225600) * BUS_SECOND + 35 * BUS_MINUTE) /* 2026-01-01T00:35:00Z */
enum { EVENTS = 6 };

extern const struct bus_uuid events_order_id;
/* created, confirmed, two refunds, another final event that came before, and the first once more. */
extern const struct bus_input events_inputs[EVENTS];
/* Asserts that the row is the one that all of them tell. */
void events_assert_row(const struct report *report);

#endif
