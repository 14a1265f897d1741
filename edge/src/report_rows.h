/* The rows of routes.c about reports. */
#ifndef EDGE_REPORT_ROWS_H
#define EDGE_REPORT_ROWS_H

#include "reports.h"

#define OF_REPORTS .access = BUS_ROUTE_OPERATOR, .handler = edge_query

#define REPORT_ROUTES                                                                                                  \
  {.method = "GET",                                                                                                    \
   OF_REPORTS,                                                                                                         \
   .path = "/api/reports/revenue",                                                                                     \
   .input = &revenue_input,                                                                                            \
   QUERY(report_revenue_get_type, report_revenue_type, NULL),                                                          \
   .summary = "Revenue of confirmed orders by the hour or day of their placement; from and to are widened to whole "   \
              "slots",                                                                                                 \
   ANSWERS({200, "slots with orders", &report_revenue_schema}, WRONG, UNAVAILABLE)},                                   \
      {.method = "GET",                                                                                                \
       OF_REPORTS,                                                                                                     \
       .path = "/api/reports/kpis",                                                                                    \
       .input = &kpis_input,                                                                                           \
       QUERY(report_kpis_get_type, report_kpis_type, NULL),                                                            \
       .summary =                                                                                                      \
           "Figures of all orders that were placed in a time of up to 730 days, which is widened to whole hours: "     \
           "outcomes, conversion, average value, refunds, time to the end",                                            \
       ANSWERS({200, "the figures", &report_kpis_schema}, WRONG, UNAVAILABLE)},                                        \
  {                                                                                                                    \
    .method = "GET", OF_REPORTS, .path = "/api/reports/orders", .input = &report_orders_input,                         \
    QUERY(report_orders_get_type, report_orders_type, NULL),                                                           \
    .summary = "Searches orders, newest first. A page may be short and have a next one: a search that "                \
               "finds little stops early",                                                                             \
    ANSWERS({200, "a page", &report_orders_schema}, WRONG, UNAVAILABLE)                                                \
  }

#endif
