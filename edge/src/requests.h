/* What clients send: request bodies from their field tables to commands, idempotency keys, and the hash by which a
 * repeated request is known. Pure. */
#ifndef EDGE_REQUESTS_H
#define EDGE_REQUESTS_H

#include <inventory_messages.h>
#include <order_messages.h>

#define REQUEST_CUSTOMER_DEFAULT "anonymous"

/* All of these write *ret only on success; what it points to lies in the arena. On failure problems names each wrong
 * field. header_key: the raw value of the header Idempotency-Key, or absent. */

/* POST /api/orders. payment_token: for requests that name none. request_hash is the SHA-256 of the canonical encoding
 * of the decoded request without its key: spaces and the order of members do not count, and neither does what the
 * default token is today. */
bool request_place_decode(struct bus_str body, struct bus_str header_key, struct bus_str payment_token,
                          struct bus_arena *arena, struct order_place *ret,
                          struct bus_problems *problems) BUS_MUST_CHECK;

/* POST /api/orders/{id}/cancel; an empty body counts as {}. */
bool request_cancel_decode(struct bus_str body, const struct bus_uuid *order_id, struct bus_arena *arena,
                           struct order_cancel *ret, struct bus_problems *problems) BUS_MUST_CHECK;

/* POST /api/inventory/update */
struct request_stock {
  struct inventory_set_stock command;
  struct bus_str idempotency_key;
  struct bus_str hash; /* as order_place.request_hash */
};
bool request_stock_decode(struct bus_str body, struct bus_str header_key, struct bus_arena *arena,
                          struct request_stock *ret, struct bus_problems *problems) BUS_MUST_CHECK;

/* For generated documents: what the bodies look like. */
extern const struct bus_schema request_place_schema, request_cancel_schema, request_stock_schema;

#endif
