/* Requests of operators for reports, which data-svc answers. Pure. */
#ifndef EDGE_REPORTS_H
#define EDGE_REPORTS_H

#include <bus/route.h>
#include <data_messages.h>

extern const struct bus_http_input revenue_input, kpis_input, report_orders_input; /* the messages themselves */

#endif
