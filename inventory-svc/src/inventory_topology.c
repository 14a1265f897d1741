/* inventory-svc's part of the topology. */
#include "inventory_messages.h"

#include <bus/topology.h>
#include <order_messages.h>

static const struct bus_message_type *const types[] = {
    &inventory_reserve_type,     &inventory_commit_type,   &inventory_release_type,   &inventory_set_stock_type,
    &inventory_put_product_type, &product_get_type,        &product_list_type,        &inventory_ping_type,
    &inventory_trail_type,       &product_put_type,        &product_withdraw_type,    &inventory_answer_type,
    &product_page_type,          &inventory_pong_type,     &stock_reserved_type,      &stock_rejected_type,
    &stock_released_type,        &stock_missing_type,      &stock_held_type,          &stock_committed_type,
    &product_update_stock_type,  &reservation_make_type,   &reservation_confirm_type, &reservation_release_type,
    &reservation_get_type,       &reservation_answer_type, &inventory_restock_type,   &product_changed_type,
};
static const struct bus_message_type *const commands[] = {
    &inventory_restock_type, &inventory_reserve_type,   &order_confirmed_type,       &inventory_commit_type,
    &inventory_release_type, &inventory_set_stock_type, &inventory_put_product_type,
};
static const struct bus_message_type *const requests[] = {&product_put_type,          &product_withdraw_type,
                                                          &product_update_stock_type, &reservation_make_type,
                                                          &reservation_confirm_type,  &reservation_release_type};
static const struct bus_message_type *const queries[] = {&product_get_type, &product_list_type, &inventory_ping_type,
                                                         &inventory_trail_type, &reservation_get_type};

static const struct bus_queue queues[] = {
    BUS_SHARDED_QUEUE("inventory-svc", commands),
    BUS_REQUEST_QUEUE("inventory-svc.request", requests),
    BUS_QUERY_QUEUE("inventory-svc.query", queries),
};

const struct bus_topology_part inventory_topology = BUS_TOPOLOGY_PART("inventory-svc", types, queues);
