/* Requests as the server decodes them, without a server. Each writes *ret on success alone. */
#ifndef EDGE_TESTS_DECODE_H
#define EDGE_TESTS_DECODE_H

#include "requests.h"

/* header: Idempotency-Key, or absent. */
bool decode_place(struct bus_str body, struct bus_str header, struct bus_str default_token, struct bus_arena *arena,
                  struct order_place *ret, struct bus_problems *problems);
bool decode_stock(struct bus_str body, struct bus_str header, struct bus_arena *arena, struct stock_request *ret,
                  struct bus_problems *problems);
bool decode_put(struct bus_str body, struct bus_arena *arena, struct product_put *ret, struct bus_problems *problems);
bool decode_cancel(struct bus_str body, const struct bus_uuid *order_id, struct bus_arena *arena,
                   struct order_cancel *ret, struct bus_problems *problems);

/* query: still encoded. */
bool decode_orders(struct bus_str query, struct bus_arena *arena, struct order_list *ret,
                   struct bus_problems *problems);
bool decode_events(struct bus_str query, const struct bus_uuid *order_id, struct bus_arena *arena,
                   struct order_events_get *ret, struct bus_problems *problems);
bool decode_products(struct bus_str query, struct bus_arena *arena, struct product_list *ret,
                     struct bus_problems *problems);

#endif
