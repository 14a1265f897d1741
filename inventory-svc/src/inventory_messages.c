/* The messages that inventory-svc takes, sends and answers: field tables and types. */
#include "inventory_messages.h"

#include <bus/pong.h>
#include <bus/trail.h>

#include <inttypes.h>
#include <stdio.h>

const char *const stock_reason_names[] = {"out_of_stock",     "unknown_product", "total_mismatch",
                                          "mixed_currencies", "total_too_large", "withdrawn",
                                          "already_released", "no_reservation",  NULL};
const char *const inventory_outcome_names[] = {
    "found", "not_found", "updated", "key_reused", "created", "changed_meanwhile", "below_reserved", "too_much", NULL};

const char *const own_status_names[] = {"RESERVED", "CONFIRMED", "RELEASED", "EXPIRED", NULL};
const char *const own_outcome_names[] = {"found",   "not_found", "made",     "repeated", "key_reused",
                                         "refused", "done",      "too_late", NULL};

const char *const product_sort_names[] = {"id", "price", "-price", NULL};

#define ORDER_ID(S) BUS_FIELD_UUID(S, order_id, BUS_REQUIRED, "the order")
#define PRODUCT_ID(S, presence) BUS_FIELD_STRING(S, product_id, BUS_TOKEN, 1, STOCK_PRODUCT_ID_MAX, presence, "product")
#define NAME(S) BUS_FIELD_STRING(S, name, BUS_TEXT, 1, STOCK_NAME_MAX, BUS_REQUIRED, "what it is called")
#define PRICE(S) BUS_FIELD_INT64(S, price, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "price of one in minor units")
#define CURRENCY(S)                                                                                                    \
  BUS_FIELD_STRING(S, currency, BUS_TOKEN, STOCK_CURRENCY_LEN, STOCK_CURRENCY_LEN, BUS_REQUIRED, "ISO 4217")
#define ITEMS(S)                                                                                                       \
  BUS_FIELD_ARRAY(S, items, item_count, struct stock_item, &stock_item_schema, 1, STOCK_ITEMS_MAX, BUS_REQUIRED,       \
                  "items")

static const struct bus_field item_fields[] = {
    PRODUCT_ID(struct stock_item, BUS_REQUIRED),
    BUS_FIELD_INT64(struct stock_item, quantity, 1, STOCK_QUANTITY_MAX, BUS_REQUIRED, "how many"),
    BUS_FIELD_INT64(struct stock_item, unit_price, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "locked price of one"),
};
const struct bus_schema stock_item_schema = BUS_SCHEMA("stock_item", struct stock_item, item_fields);

static const struct bus_field reserve_fields[] = {
    ORDER_ID(struct inventory_reserve),
    ITEMS(struct inventory_reserve),
    BUS_FIELD_INT64(struct inventory_reserve, expected_total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "must equal the total"),
    BUS_FIELD_TIME(struct inventory_reserve, expected_until, BUS_OPTIONAL, "when the order is decided at the latest"),
};
const struct bus_schema inventory_reserve_schema =
    BUS_SCHEMA("inventory.reserve", struct inventory_reserve, reserve_fields);

static const struct bus_field order_fields[] = {ORDER_ID(struct inventory_order)};
const struct bus_schema inventory_order_schema = BUS_SCHEMA("inventory.order", struct inventory_order, order_fields);

static const struct bus_field set_stock_fields[] = {
    BUS_FIELD_UUID(struct inventory_set_stock, request_id, BUS_REQUIRED, "of the client's idempotency key"),
    PRODUCT_ID(struct inventory_set_stock, BUS_REQUIRED),
    BUS_FIELD_INT64(struct inventory_set_stock, on_hand, 0, STOCK_ON_HAND_MAX, BUS_REQUIRED, "what can be reserved"),
};
const struct bus_schema inventory_set_stock_schema =
    BUS_SCHEMA("inventory.set-stock", struct inventory_set_stock, set_stock_fields);

static const struct bus_field put_product_fields[] = {
    BUS_FIELD_STRING(struct inventory_put_product, product_id, BUS_ID, 1, STOCK_PRODUCT_ID_MAX, BUS_REQUIRED,
                     "product"),
    NAME(struct inventory_put_product),
    PRICE(struct inventory_put_product),
    CURRENCY(struct inventory_put_product),
    BUS_FIELD_INT64(struct inventory_put_product, on_hand, 0, STOCK_ON_HAND_MAX, BUS_OPTIONAL, "for a new product"),
};
const struct bus_schema inventory_put_product_schema =
    BUS_SCHEMA("inventory.put-product", struct inventory_put_product, put_product_fields);

static const struct bus_field condition_fields[] = {
    BUS_FIELD_INT64(struct product_condition, if_version, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "version that the product must have; 0: it must not exist"),
    BUS_FIELD_BOOL(struct product_condition, if_exists, BUS_OPTIONAL, "the product must exist"),
    BUS_FIELD_INT64(struct product_condition, if_stock_version, 1, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "version that its stock must have"),
};
static const struct bus_schema condition_schema = BUS_SCHEMA("condition", struct product_condition, condition_fields);
#define CONDITION(S) BUS_FIELD_EMBED(S, condition, struct product_condition, &condition_schema)

static const struct bus_field put_fields[] = {
    BUS_FIELD_EMBED(struct product_put, product, struct inventory_put_product, &inventory_put_product_schema),
    CONDITION(struct product_put),
};
const struct bus_schema product_put_schema = BUS_SCHEMA("product.put", struct product_put, put_fields);

static const struct bus_field withdraw_fields[] = {
    PRODUCT_ID(struct product_withdraw, BUS_REQUIRED),
    CONDITION(struct product_withdraw),
};
const struct bus_schema product_withdraw_schema =
    BUS_SCHEMA("product.withdraw", struct product_withdraw, withdraw_fields);

static const struct bus_field update_fields[] = {
    BUS_FIELD_UUID(struct stock_update, request_id, BUS_REQUIRED, "of the client's idempotency key"),
    PRODUCT_ID(struct stock_update, BUS_REQUIRED),
    BUS_FIELD_INT64(struct stock_update, on_hand, 0, STOCK_ON_HAND_MAX, BUS_OPTIONAL, "what can be reserved"),
    BUS_FIELD_INT64(struct stock_update, delta, -STOCK_ON_HAND_MAX, STOCK_ON_HAND_MAX, BUS_OPTIONAL,
                    "instead of on_hand: by how much it changes"),
    CONDITION(struct stock_update),
};
const struct bus_schema stock_update_schema = BUS_SCHEMA("product.update-stock", struct stock_update, update_fields);

#define RESERVATION_ID(S) BUS_FIELD_UUID(S, reservation_id, BUS_REQUIRED, "the reservation")

static const struct bus_field make_fields[] = {
    RESERVATION_ID(struct own_make),
    ITEMS(struct own_make),
    BUS_FIELD_INT64(struct own_make, expires_in, OWN_EXPIRES_MIN_S, OWN_EXPIRES_MAX_S, BUS_REQUIRED,
                    "seconds until its stock is given back"),
};
const struct bus_schema own_make_schema = BUS_SCHEMA("reservation.make", struct own_make, make_fields);

static const struct bus_field name_fields[] = {RESERVATION_ID(struct own_name)};
const struct bus_schema own_name_schema = BUS_SCHEMA("reservation.name", struct own_name, name_fields);

static const struct bus_field own_fields[] = {
    RESERVATION_ID(struct own_view),
    BUS_FIELD_ENUM(struct own_view, status, own_status_names, BUS_REQUIRED,
                   "RESERVED until it is sold (CONFIRMED) or its stock is back (RELEASED, EXPIRED)"),
    ITEMS(struct own_view),
    BUS_FIELD_INT64(struct own_view, total, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    CURRENCY(struct own_view),
    BUS_FIELD_TIME(struct own_view, created_at, BUS_REQUIRED, "when it was made"),
    BUS_FIELD_TIME(struct own_view, expires_at, BUS_REQUIRED, "when its stock is given back, unless it is confirmed"),
};
const struct bus_schema own_view_schema = BUS_SCHEMA("reservation", struct own_view, own_fields);

static const struct bus_field own_answer_fields[] = {
    BUS_FIELD_ENUM(struct own_answer, outcome, own_outcome_names, BUS_REQUIRED, "what became of it"),
    BUS_FIELD_OBJECT(struct own_answer, reservation, struct own_view, &own_view_schema, BUS_OPTIONAL,
                     "the reservation"),
    BUS_FIELD_ENUM(struct own_answer, reason, stock_reason_names, BUS_OPTIONAL, "why it is refused"),
    PRODUCT_ID(struct own_answer, BUS_OPTIONAL),
};
const struct bus_schema own_answer_schema = BUS_SCHEMA("reservation.answer", struct own_answer, own_answer_fields);

static const struct bus_field reserved_fields[] = {
    ORDER_ID(struct stock_reserved),
    ITEMS(struct stock_reserved),
    BUS_FIELD_INT64(struct stock_reserved, total, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    CURRENCY(struct stock_reserved),
};
const struct bus_schema stock_reserved_schema = BUS_SCHEMA("stock.reserved", struct stock_reserved, reserved_fields);

static const struct bus_field rejected_fields[] = {
    ORDER_ID(struct stock_rejected),
    BUS_FIELD_ENUM(struct stock_rejected, reason, stock_reason_names, BUS_REQUIRED, "why"),
    PRODUCT_ID(struct stock_rejected, BUS_OPTIONAL),
};
const struct bus_schema stock_rejected_schema = BUS_SCHEMA("stock.rejected", struct stock_rejected, rejected_fields);

static const struct bus_field event_fields[] = {ORDER_ID(struct stock_event)};
const struct bus_schema stock_event_schema = BUS_SCHEMA("stock event", struct stock_event, event_fields);

static const struct bus_field product_fields[] = {
    PRODUCT_ID(struct product_view, BUS_REQUIRED),
    NAME(struct product_view),
    PRICE(struct product_view),
    CURRENCY(struct product_view),
    BUS_FIELD_INT64(struct product_view, on_hand, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "what can be reserved"),
    BUS_FIELD_INT64(struct product_view, reserved, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "held by open orders"),
    BUS_FIELD_INT64(struct product_view, version, 1, BUS_JSON_INT_MAX, BUS_REQUIRED,
                    "counts changes of its name, price, currency and sale"),
    BUS_FIELD_BOOL(struct product_view, withdrawn, BUS_OPTIONAL, "not sold any more"),
    BUS_FIELD_INT64(struct product_view, stock_version, 1, BUS_JSON_INT_MAX, BUS_OPTIONAL, "counts moves of its stock"),
};
const struct bus_schema product_view_schema = BUS_SCHEMA("product", struct product_view, product_fields);

static const struct bus_field get_fields[] = {PRODUCT_ID(struct product_get, BUS_REQUIRED)};
const struct bus_schema product_get_schema = BUS_SCHEMA("product.get", struct product_get, get_fields);

static const struct bus_field changes_fields[] = {
    BUS_FIELD_ARRAY(struct products_changed, products, product_count, struct product_get, &product_get_schema, 1,
                    PRODUCT_CHANGES_MAX, BUS_REQUIRED, "products that have changed"),
};
const struct bus_schema product_changes_schema = BUS_SCHEMA("product.changed", struct products_changed, changes_fields);

static const struct bus_field list_fields[] = {
    BUS_FIELD_STRING(struct product_list, cursor, BUS_TOKEN, 1, PRODUCT_CURSOR_MAX, BUS_OPTIONAL,
                     "begin behind this product"),
    BUS_FIELD_INT64(struct product_list, limit, 1, STOCK_PAGE_MAX, BUS_REQUIRED, "how many at most"),
    BUS_FIELD_STRING(struct product_list, q, BUS_PLAIN, 1, STOCK_NAME_MAX, BUS_OPTIONAL, "words of the name"),
    BUS_FIELD_INT64(struct product_list, min_price, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "least price"),
    BUS_FIELD_INT64(struct product_list, max_price, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "highest price"),
    BUS_FIELD_BOOL(struct product_list, in_stock, BUS_OPTIONAL, "only products that can be reserved"),
    BUS_FIELD_ENUM(struct product_list, sort, product_sort_names, BUS_OPTIONAL, "order of the products"),
};
const struct bus_schema product_list_schema = BUS_SCHEMA("product.list", struct product_list, list_fields);

static const struct bus_field answer_fields[] = {
    BUS_FIELD_ENUM(struct inventory_answer, outcome, inventory_outcome_names, BUS_REQUIRED, "what became of it"),
    BUS_FIELD_OBJECT(struct inventory_answer, product, struct product_view, &product_view_schema, BUS_OPTIONAL,
                     "the product"),
};
const struct bus_schema inventory_answer_schema =
    BUS_SCHEMA("inventory.answer", struct inventory_answer, answer_fields);

static const struct bus_field page_fields[] = {
    BUS_FIELD_ARRAY(struct product_page, items, item_count, struct product_view, &product_view_schema, 0,
                    STOCK_PAGE_MAX, BUS_REQUIRED, "products in the order asked for"),
    BUS_FIELD_STRING(struct product_page, next_cursor, BUS_TOKEN, 1, PRODUCT_CURSOR_MAX, BUS_OPTIONAL,
                     "null at the end"),
};
const struct bus_schema product_page_schema = BUS_SCHEMA("product.page", struct product_page, page_fields);

static const struct bus_field ping_fields[] = {
    BUS_FIELD_BOOL(struct inventory_ping, deep, BUS_OPTIONAL, "reserved"),
};
const struct bus_schema inventory_ping_schema = BUS_SCHEMA("ping", struct inventory_ping, ping_fields);

const struct bus_message_type inventory_reserve_type =
    BUS_COMMAND("inventory.reserve.v1", &inventory_reserve_schema, "order-svc");
const struct bus_message_type inventory_commit_type =
    BUS_COMMAND("inventory.commit.v1", &inventory_order_schema, "order-svc");
const struct bus_message_type inventory_release_type =
    BUS_COMMAND("inventory.release.v1", &inventory_order_schema, "order-svc");
const struct bus_message_type inventory_restock_type =
    BUS_COMMAND("inventory.restock.v1", &inventory_order_schema, "payment-svc");
const struct bus_message_type inventory_set_stock_type =
    BUS_COMMAND("inventory.set-stock.v1", &inventory_set_stock_schema, "edge");
const struct bus_message_type inventory_put_product_type =
    BUS_COMMAND("inventory.put-product.v1", &inventory_put_product_schema, "operator");
const struct bus_message_type product_put_type = BUS_REQUEST("product.put.v1", &product_put_schema, "edge");
const struct bus_message_type product_withdraw_type =
    BUS_REQUEST("product.withdraw.v1", &product_withdraw_schema, "edge");
const struct bus_message_type product_update_stock_type =
    BUS_REQUEST("product.update-stock.v1", &stock_update_schema, "edge");
const struct bus_message_type reservation_make_type = BUS_REQUEST("reservation.make.v1", &own_make_schema, "edge");
const struct bus_message_type reservation_confirm_type =
    BUS_REQUEST("reservation.confirm.v1", &own_name_schema, "edge");
const struct bus_message_type reservation_release_type =
    BUS_REQUEST("reservation.release.v1", &own_name_schema, "edge");
const struct bus_message_type reservation_get_type = BUS_QUERY("reservation.get.v1", &own_name_schema, "edge");
const struct bus_message_type reservation_answer_type = BUS_ANSWER("reservation.answer.v1", &own_answer_schema);
const struct bus_message_type product_get_type = BUS_QUERY("product.get.v1", &product_get_schema, "edge");
const struct bus_message_type product_list_type = BUS_QUERY("product.list.v1", &product_list_schema, "edge");
const struct bus_message_type inventory_ping_type = BUS_QUERY("inventory.ping.v1", &inventory_ping_schema, "edge");
const struct bus_message_type inventory_trail_type = BUS_TRAIL_QUERY("inventory.trail.v1", "edge");
const struct bus_message_type inventory_answer_type = BUS_ANSWER("inventory.answer.v1", &inventory_answer_schema);
const struct bus_message_type product_page_type = BUS_ANSWER("product.page.v1", &product_page_schema);
const struct bus_message_type inventory_pong_type = BUS_ANSWER("inventory.pong.v1", &bus_pong_schema);
const struct bus_message_type product_changed_type =
    BUS_NOTICE("product.changed.v1", &product_changes_schema, "inventory-svc");
const struct bus_message_type stock_reserved_type =
    BUS_EVENT("stock.reserved.v1", &stock_reserved_schema, "inventory-svc");
const struct bus_message_type stock_rejected_type =
    BUS_EVENT("stock.rejected.v1", &stock_rejected_schema, "inventory-svc");
const struct bus_message_type stock_released_type =
    BUS_EVENT("stock.released.v1", &stock_event_schema, "inventory-svc");
const struct bus_message_type stock_missing_type =
    BUS_EVENT("stock.missing.v1", &stock_rejected_schema, "inventory-svc");
const struct bus_message_type stock_held_type = BUS_EVENT("stock.held.v1", &stock_event_schema, "inventory-svc");
const struct bus_message_type stock_committed_type =
    BUS_EVENT("stock.committed.v1", &stock_event_schema, "inventory-svc");

/* The namespaces of these ids; constants forever. */
static const struct bus_uuid request_namespace = {
    {0x73, 0x74, 0x6f, 0x63, 0x6b, 0x72, 0x45, 0x71, 0x9e, 0x10, 0x75, 0x70, 0x64, 0x61, 0x74, 0x65}};
static const struct bus_uuid own_namespace = {
    {0x6f, 0x77, 0x6e, 0x72, 0x65, 0x73, 0x45, 0x72, 0x9e, 0x11, 0x76, 0x61, 0x74, 0x69, 0x6f, 0x6e}};

void inventory_request_id_of(struct bus_str key, struct bus_uuid *ret) {
  bus_uuid_v5(&request_namespace, key, ret);
}

void own_reservation_id_of(struct bus_str key, struct bus_uuid *ret) {
  bus_uuid_v5(&own_namespace, key, ret);
}

static bool is_by_price(int sort) {
  return sort == PRODUCTS_BY_PRICE || sort == PRODUCTS_BY_PRICE_DOWN;
}

bool product_cursor_parse(int sort, struct bus_str cursor, struct product_place *ret) {
  *ret = (struct product_place){0, cursor};
  if (!is_by_price(sort))
    return bus_id_is_valid(cursor);
  size_t digits = 0;
  while (digits < cursor.len && digits < 13 && cursor.data[digits] >= '0' && cursor.data[digits] <= '9')
    ret->price = ret->price * 10 + (cursor.data[digits++] - '0');
  if (digits == 0 || digits == cursor.len || cursor.data[digits] != ':')
    return false;
  ret->id = (struct bus_str){cursor.data + digits + 1, cursor.len - digits - 1};
  return bus_id_is_valid(ret->id);
}

void product_cursor_format(int sort, const struct product_place *place, char text[PRODUCT_CURSOR_MAX + 1]) {
  int len = is_by_price(sort) ? snprintf(text, PRODUCT_CURSOR_MAX + 1, "%" PRId64 ":", place->price) : 0;
  (void)snprintf(text + len, (size_t)(PRODUCT_CURSOR_MAX + 1 - len), "%.*s", (int)place->id.len,
                 place->id.data); /* fits */
}
