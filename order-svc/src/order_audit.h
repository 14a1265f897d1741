/* The fold audit: is an order's row what its event log says? One order a line of JSON, as the view orders.audit_lines
 * gives it. Pure. */
#pragma once

#include "order.h"

/* Called for each difference: the order's id (or "" where the line has none), and what differs. */
typedef void order_audit_report(void *context, const char *order_id, const char *text);

/* Returns how many differences it reported; a line that cannot be read, or out of memory, is one. */
size_t order_audit_line(struct bus_str line, struct bus_arena *arena, order_audit_report *report, void *context);
