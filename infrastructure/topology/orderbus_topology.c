/* Which messages there are, who may send them, and which queue takes them. */
#include "orderbus_topology.h"

#include <inventory_messages.h>
#include <order_messages.h>
#include <payment_messages.h>

static const struct bus_user users[] = {
    {.name = "edge", .asks = true},         {.name = "order-svc"}, {.name = "inventory-svc"}, {.name = "payment-svc"},
    {.name = "operator", .redrives = true},
};

static const struct bus_message_type *const types[] = {
    &order_place_type,       &order_cancel_type,        &order_get_type,
    &order_get_many_type,    &order_list_type,          &order_events_get_type,
    &order_ping_type,        &order_answer_type,        &order_answers_type,
    &order_page_type,        &order_history_type,       &order_pong_type,
    &order_created_type,     &order_confirmed_type,     &order_rejected_type,
    &order_cancelled_type,   &inventory_reserve_type,   &inventory_commit_type,
    &inventory_release_type, &inventory_set_stock_type, &inventory_put_product_type,
    &product_get_type,       &product_list_type,        &inventory_ping_type,
    &inventory_answer_type,  &product_page_type,        &inventory_pong_type,
    &stock_reserved_type,    &stock_rejected_type,      &stock_released_type,
    &stock_committed_type,   &payment_charge_type,      &payment_refund_type,
    &payment_captured_type,  &payment_declined_type,    &payment_refunded_type,
    &payment_failed_type,    &payment_ping_type,        &payment_pong_type,
};

static const struct bus_message_type *const place_types[] = {&order_place_type};
static const struct bus_message_type *const order_types[] = {
    &order_cancel_type,     &stock_reserved_type,   &stock_rejected_type,   &stock_released_type, &stock_committed_type,
    &payment_captured_type, &payment_declined_type, &payment_refunded_type, &payment_failed_type,
};
static const struct bus_message_type *const inventory_types[] = {
    &inventory_reserve_type,   &inventory_commit_type,      &inventory_release_type,
    &inventory_set_stock_type, &inventory_put_product_type,
};
static const struct bus_message_type *const payment_types[] = {&payment_charge_type, &payment_refund_type};
static const struct bus_message_type *const order_queries[] = {&order_get_type, &order_get_many_type, &order_list_type,
                                                               &order_events_get_type, &order_ping_type};
static const struct bus_message_type *const inventory_queries[] = {&product_get_type, &product_list_type,
                                                                   &inventory_ping_type};
static const struct bus_message_type *const payment_queries[] = {&payment_ping_type};

#define WORK(queue, owner, list)                                                                                       \
  { .name = queue, .kind = BUS_QUEUE_WORK, .service = owner, .types = list, .type_count = BUS_COUNT(list) }
#define QUERIES(owner, list)                                                                                           \
  { .name = owner ".query", .kind = BUS_QUEUE_QUERY, .service = owner, .types = list, .type_count = BUS_COUNT(list) }

static const struct bus_queue queues[] = {
    WORK("order-svc", "order-svc", order_types),
    {.name = "order-svc.place",
     .kind = BUS_QUEUE_WORK,
     .service = "order-svc",
     .types = place_types,
     .type_count = BUS_COUNT(place_types),
     .max_bytes = INT64_C(1) << 30},
    WORK("inventory-svc", "inventory-svc", inventory_types),
    WORK("payment-svc", "payment-svc", payment_types),
    QUERIES("order-svc", order_queries),
    QUERIES("inventory-svc", inventory_queries),
    QUERIES("payment-svc", payment_queries),
};

const struct bus_topology orderbus_topology = {
    .users = users,
    .user_count = BUS_COUNT(users),
    .types = types,
    .type_count = BUS_COUNT(types),
    .queues = queues,
    .queue_count = BUS_COUNT(queues),
    .tiers = bus_default_tiers,
    .tier_count = BUS_COUNT(bus_default_tiers),
    .query_ttl_ms = 5000,
};
