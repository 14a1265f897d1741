/* notify-svc's part of the topology. */
#include "notify_messages.h"

#include <bus/topology.h>
#include <order_messages.h>

static const struct bus_message_type *const types[] = {
    &webhook_create_type, &webhook_delete_type,     &webhook_rotate_type,  &webhook_enable_type,
    &webhook_replay_type, &webhook_get_type,        &webhook_list_type,    &webhook_deliveries_get_type,
    &notify_ping_type,    &notify_trail_type,       &webhook_answer_type,  &webhook_page_type,
    &notify_pong_type,    &webhook_deliveries_type, &webhook_confirm_type,
};
static const struct bus_message_type *const events[] = {&order_confirmed_type, &order_cancelled_type,
                                                        &order_rejected_type, &order_refunded_type};
static const struct bus_message_type *const requests[] = {&webhook_create_type, &webhook_delete_type,
                                                          &webhook_rotate_type, &webhook_enable_type,
                                                          &webhook_replay_type, &webhook_confirm_type};
static const struct bus_message_type *const queries[] = {
    &webhook_get_type, &webhook_list_type, &webhook_deliveries_get_type, &notify_ping_type, &notify_trail_type};

static const struct bus_queue queues[] = {
    BUS_WORK_QUEUE("notify-svc", events),
    BUS_REQUEST_QUEUE("notify-svc.request", requests),
    BUS_QUERY_QUEUE("notify-svc.query", queries),
};

const struct bus_topology_part notify_topology = BUS_TOPOLOGY_PART("notify-svc", types, queues);
