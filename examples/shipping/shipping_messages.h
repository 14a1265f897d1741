/* The messages of shipping-svc: what it takes, what it sends, and the query that it answers. */
#pragma once

#include <bus/field.h>
#include <bus/message.h>

enum { SHIPPING_ITEMS_MAX = 100, SHIPPING_PIECES_MAX = 100 };

struct order_item {
  int64_t quantity;
};
struct order_confirmed { /* order-svc sends more; a reader ignores members that it does not know */
  struct bus_uuid order_id;
  struct order_item *items;
  size_t item_count;
};
struct shipment { /* also a row of shipping.shipments */
  struct bus_uuid order_id;
  int64_t pieces; /* BUS_NO_INT64 in the answer for an order without a shipment */
  bus_time created_at;
};
struct shipment_get {
  struct bus_uuid order_id;
};

BUS_MESSAGE(order_confirmed, struct order_confirmed); /* event of order-svc */
BUS_MESSAGE(shipment_created, struct shipment);       /* event */
BUS_MESSAGE(shipment_get, struct shipment_get);       /* query */
BUS_MESSAGE(shipment_found, struct shipment);         /* its answer */
