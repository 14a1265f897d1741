/* order-svc's part of the topology. */
#include "order_messages.h"

#include <bus/topology.h>
#include <inventory_messages.h>
#include <payment_messages.h>

static const struct bus_message_type *const types[] = {
    &order_place_type,   &order_cancel_type,     &order_pay_type,      &order_get_type,       &order_get_many_type,
    &order_list_type,    &order_events_get_type, &order_ping_type,     &order_trail_type,     &order_answer_type,
    &order_answers_type, &order_page_type,       &order_history_type,  &order_pong_type,      &order_changed_type,
    &order_created_type, &order_confirmed_type,  &order_rejected_type, &order_cancelled_type, &order_refunded_type,
};
static const struct bus_message_type *const saga[] = {
    &order_cancel_type,     &order_pay_type,        &stock_reserved_type,   &stock_rejected_type,
    &stock_released_type,   &stock_missing_type,    &stock_held_type,       &stock_committed_type,
    &payment_captured_type, &payment_declined_type, &payment_refunded_type, &payment_failed_type,
};
static const struct bus_message_type *const intake[] = {&order_place_type};
static const struct bus_message_type *const queries[] = {&order_get_type,  &order_get_many_type,
                                                         &order_list_type, &order_events_get_type,
                                                         &order_ping_type, &order_trail_type};

static const struct bus_queue queues[] = {
    [ORDER_QUEUE_EVENTS] = BUS_SHARDED_QUEUE("order-svc", saga),
    [ORDER_QUEUE_PLACE] = {.name = "order-svc.place",
                           .types = intake,
                           .type_count = BUS_COUNT(intake),
                           .max_bytes = INT64_C(1) << 30,
                           .sharded = true},
    [ORDER_QUEUE_QUERIES] = BUS_QUERY_QUEUE("order-svc.query", queries),
};

const struct bus_topology_part order_topology = BUS_TOPOLOGY_PART("order-svc", types, queues);
