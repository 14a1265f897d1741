/* The messages that inventory-svc takes, sends and answers: structs, bounds and types. Pure. */
#ifndef INVENTORY_MESSAGES_H
#define INVENTORY_MESSAGES_H

#include <bus/field.h>
#include <bus/message.h>

enum { STOCK_ITEMS_MAX = 100, STOCK_QUANTITY_MAX = 1000, STOCK_PAGE_MAX = 100, PRODUCT_CHANGES_MAX = 200 };
/* Bytes of texts, here, in rows and in their CHECKs. */
enum { STOCK_PRODUCT_ID_MAX = BUS_ID_MAX, STOCK_NAME_MAX = 200, STOCK_CURRENCY_LEN = 3 };
#define STOCK_ON_HAND_MAX INT64_C(1000000000)

struct stock_item {
  struct bus_str product_id;
  int64_t quantity;
  int64_t unit_price; /* in stock.reserved; else BUS_NO_INT64 */
};

/* inventory.reserve.v1: all of it or nothing; answered by the event stock.reserved or stock.rejected. */
struct inventory_reserve {
  struct bus_uuid order_id;
  struct stock_item *items;
  size_t item_count;
  int64_t expected_total;  /* BUS_NO_INT64: whatever it costs */
  bus_time expected_until; /* order-svc has decided by then; BUS_NO_TIME: unknown */
};
/* inventory.release.v1; inventory.restock.v1: what was sold is back; and inventory.commit.v1, which the release before
 * sent instead of order.confirmed */
struct inventory_order {
  struct bus_uuid order_id;
};
/* inventory.set-stock.v1: absolute; answered with inventory.answer. */
struct inventory_set_stock {
  struct bus_uuid request_id; /* of the client's key: the same request is answered again, not carried out again */
  struct bus_str product_id;
  int64_t on_hand;
};
/* inventory.put-product.v1: adds a product, or changes name, price and currency; on_hand counts for a new one only. */
struct inventory_put_product {
  struct bus_str product_id, name;
  int64_t price;
  struct bus_str currency;
  int64_t on_hand; /* BUS_NO_INT64: 0 */
};

/* A condition on a product's versions: it is changed only if the condition holds. */
struct product_condition {
  int64_t if_version;       /* the version that it must have; 0: there must be no such product; BUS_NO_INT64: any */
  int64_t if_stock_version; /* BUS_NO_INT64: any */
  bool if_exists;           /* there must be such a product */
};
/* product.put.v1, a query that writes: as inventory.put-product, under a condition; answered with inventory.answer. */
struct product_put {
  struct inventory_put_product product;
  struct product_condition condition;
};
/* product.withdraw.v1, a query that writes: from now on orders for it are rejected; answered with inventory.answer. */
struct product_withdraw {
  struct bus_str product_id;
  struct product_condition condition;
};
/* product.update-stock.v1, a query that writes: sets what is on hand, or changes it by delta; answered with
 * inventory.answer. The ids of requests are those of inventory.set-stock. */
struct stock_update {
  struct bus_uuid request_id;
  struct bus_str product_id;
  int64_t on_hand; /* BUS_NO_INT64: by delta */
  int64_t delta;   /* BUS_NO_INT64: to on_hand */
  struct product_condition condition;
};

/* Own reservations: an operator holds stock for some time, and then it is sold, or given back. */
enum { OWN_EXPIRES_MIN_S = 1, OWN_EXPIRES_DEFAULT_S = 15 * 60, OWN_EXPIRES_MAX_S = 24 * 60 * 60 };
/* reservation.make.v1, a query that writes: all of it or nothing, as an order's; answered with reservation.answer. */
struct own_make {
  struct bus_uuid reservation_id; /* of the client's key: the same request is answered again, not carried out again */
  struct stock_item *items;
  size_t item_count;
  int64_t expires_in; /* seconds from now */
};
/* reservation.confirm.v1 and reservation.release.v1, queries that write; reservation.get.v1 */
struct own_name {
  struct bus_uuid reservation_id;
};
enum own_status { OWN_RESERVED, OWN_CONFIRMED, OWN_RELEASED, OWN_EXPIRED };
extern const char *const own_status_names[];
struct own_view {
  struct bus_uuid reservation_id;
  int status;
  struct stock_item *items; /* with unit_price */
  size_t item_count;
  int64_t total;
  struct bus_str currency;
  bus_time created_at, expires_at;
};
enum own_outcome {
  OWN_FOUND,
  OWN_NOT_FOUND,
  OWN_MADE,
  OWN_REPEATED,   /* it was made before, by the same request */
  OWN_KEY_REUSED, /* it was made before, by another request */
  OWN_REFUSED,    /* the stock is not there, or cannot be sold: the reason says */
  OWN_DONE,       /* it is confirmed, or its stock is back; now or before */
  OWN_TOO_LATE,   /* to be confirmed: its stock is back; to be released: it is confirmed */
};
extern const char *const own_outcome_names[];
/* reservation.answer.v1 */
struct own_answer {
  int outcome;
  struct own_view *reservation; /* NULL: not_found, key_reused, refused */
  int reason;                   /* refused: an enum stock_reason; else -1 */
  struct bus_str product_id;    /* refused: the guilty one, where there is one */
};

/* stock.reserved.v1 */
struct stock_reserved {
  struct bus_uuid order_id;
  struct stock_item *items; /* with unit_price */
  size_t item_count;
  int64_t total;
  struct bus_str currency;
};
/* stock.rejected.v1; stock.missing.v1: the order is CONFIRMED, and its stock is not there */
enum stock_reason {
  STOCK_OUT_OF_STOCK,
  STOCK_UNKNOWN_PRODUCT,
  STOCK_TOTAL_MISMATCH,
  STOCK_MIXED_CURRENCIES,
  STOCK_TOTAL_TOO_LARGE,
  STOCK_WITHDRAWN,        /* the product is not sold any more */
  STOCK_ALREADY_RELEASED, /* a release came first */
  STOCK_NO_RESERVATION,   /* the order is CONFIRMED, and it is not known what to sell */
};
extern const char *const stock_reason_names[];
struct stock_rejected {
  struct bus_uuid order_id;
  int reason;
  struct bus_str product_id; /* the guilty one, where there is one */
};
/* stock.released.v1; stock.held.v1: reserved for longer than expected; stock.committed.v1, which the release before
 * sent when stock was sold */
struct stock_event {
  struct bus_uuid order_id;
};

/* Queries (inventory-svc.query) and answers. */
struct product_view {
  struct bus_str product_id, name;
  int64_t price;
  struct bus_str currency;
  int64_t on_hand, reserved, version;
  bool withdrawn;        /* from sale: orders for it are rejected, and lists leave it out */
  int64_t stock_version; /* BUS_NO_INT64: from the release before, where version counts moves of the stock, too */
};
struct product_get {
  struct bus_str product_id;
};
enum product_sort { PRODUCTS_BY_ID, PRODUCTS_BY_PRICE, PRODUCTS_BY_PRICE_DOWN, PRODUCT_SORTS };
extern const char *const product_sort_names[];
/* Products on sale. */
struct product_list {
  struct bus_str cursor; /* absent: from the first; else the next_cursor of the page before */
  int64_t limit;
  struct bus_str q;             /* absent: all; else words that the name has */
  int64_t min_price, max_price; /* minor units; BUS_NO_INT64: any */
  bool in_stock;                /* only products that can be reserved */
  int sort;                     /* absent: by id */
};
/* A cursor is the last product's id; "<price>:<id>" where products are sorted by price. */
enum { PRODUCT_CURSOR_MAX = BUS_ID_MAX + 14 };
struct product_place {
  int64_t price;
  struct bus_str id;
};
/* False: no cursor of that order. */
bool product_cursor_parse(int sort, struct bus_str cursor, struct product_place *ret);
void product_cursor_format(int sort, const struct product_place *place, char text[PRODUCT_CURSOR_MAX + 1]);
enum inventory_outcome {
  INVENTORY_FOUND,
  INVENTORY_NOT_FOUND,
  INVENTORY_UPDATED,
  INVENTORY_KEY_REUSED,
  INVENTORY_CREATED,
  INVENTORY_CHANGED_MEANWHILE, /* the condition does not hold: nothing was changed */
  INVENTORY_BELOW_RESERVED,    /* a delta would take more than is on hand: the rest is reserved */
  INVENTORY_TOO_MUCH,          /* more than STOCK_ON_HAND_MAX would be on hand */
};
extern const char *const inventory_outcome_names[];
struct inventory_answer {
  int outcome;
  struct product_view *product;
};
struct product_page {
  struct product_view *items;
  size_t item_count;
  struct bus_str next_cursor;
};
/* product.changed.v1, a notice: products that a batch has changed, whether their stock or what is sold. */
struct products_changed {
  struct product_get *products;
  size_t product_count;
};
struct inventory_ping {
  bool deep;
};

extern const struct bus_schema stock_item_schema, inventory_reserve_schema, inventory_order_schema,
    inventory_set_stock_schema, inventory_put_product_schema, stock_reserved_schema, stock_rejected_schema,
    stock_event_schema, product_view_schema, product_get_schema, product_list_schema, inventory_answer_schema,
    product_page_schema, inventory_ping_schema, product_put_schema, product_withdraw_schema, stock_update_schema,
    own_make_schema, own_name_schema, own_view_schema, own_answer_schema, product_changes_schema;

extern const struct bus_message_type inventory_reserve_type, inventory_commit_type,
    inventory_release_type;                                      /* commands, from order-svc */
extern const struct bus_message_type inventory_restock_type;     /* command, from payment-svc */
extern const struct bus_message_type inventory_set_stock_type;   /* command, from edge */
extern const struct bus_message_type inventory_put_product_type; /* command, from operator */
extern const struct bus_message_type product_put_type, product_withdraw_type,
    product_update_stock_type; /* queries that write, from edge */
extern const struct bus_message_type reservation_make_type, reservation_confirm_type,
    reservation_release_type;                                                       /* queries that write, from edge */
extern const struct bus_message_type reservation_get_type, reservation_answer_type; /* query, from edge; answer */
extern const struct bus_message_type product_get_type, product_list_type, inventory_ping_type,
    inventory_trail_type; /* queries, from edge */
extern const struct bus_message_type inventory_answer_type, product_page_type, inventory_pong_type; /* answers */
extern const struct bus_message_type product_changed_type;                                          /* notice */
extern const struct bus_message_type stock_reserved_type, stock_rejected_type, stock_released_type, stock_missing_type,
    stock_held_type, stock_committed_type; /* events, to order-svc */

/* UUIDv5 of the client's idempotency key of an inventory update; of an own reservation. */
void inventory_request_id_of(struct bus_str key, struct bus_uuid *ret);
void own_reservation_id_of(struct bus_str key, struct bus_uuid *ret);

#endif
