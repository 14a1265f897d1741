/* What lists are asked for: query parameters to the queries that answer them. Pure. */
#ifndef EDGE_PAGES_H
#define EDGE_PAGES_H

#include <inventory_messages.h>
#include <order_messages.h>

enum { PAGE_LIMIT_DEFAULT = 20 };

/* Parameters as they came, decoded; absent where they did not. */
struct page_params {
  struct bus_str customer_id, status, cursor, after, limit;
};

/* *ret is written on success only and points into the parameters; problems names each wrong parameter. */
bool page_orders(const struct page_params *params, struct order_list *ret,
                 struct bus_problems *problems) BUS_MUST_CHECK;
/* `after` and `cursor` are two names of one thing: the seq behind which the page begins. */
bool page_events(const struct page_params *params, const struct bus_uuid *order_id, struct order_events_get *ret,
                 struct bus_problems *problems) BUS_MUST_CHECK;
bool page_products(const struct page_params *params, struct product_list *ret,
                   struct bus_problems *problems) BUS_MUST_CHECK;

#endif
