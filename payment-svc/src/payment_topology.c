/* payment-svc's part of the topology. */
#include "payment_messages.h"

#include <bus/topology.h>

static const struct bus_message_type *const types[] = {
    &payment_charge_type,   &payment_refund_type,   &payment_refund_part_type, &payment_captured_type,
    &payment_declined_type, &payment_refunded_type, &payment_failed_type,      &payment_get_type,
    &payment_answer_type,   &payment_ping_type,     &payment_trail_type,       &payment_pong_type,
    &payment_check_type,    &payment_dispute_type,  &refund_list_type,         &refund_page_type,
};
static const struct bus_message_type *const commands[] = {
    &payment_charge_type, &payment_refund_type, &payment_refund_part_type, &payment_check_type, &payment_dispute_type};
static const struct bus_message_type *const queries[] = {&payment_get_type, &payment_ping_type, &payment_trail_type,
                                                         &refund_list_type};

static const struct bus_queue queues[] = {
    BUS_SHARDED_QUEUE("payment-svc", commands),
    BUS_QUERY_QUEUE("payment-svc.query", queries),
};

const struct bus_topology_part payment_topology = BUS_TOPOLOGY_PART("payment-svc", types, queues);
