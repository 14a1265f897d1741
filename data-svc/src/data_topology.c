/* data-svc's part of the topology. */
#include "data_messages.h"

#include <bus/topology.h>

static const struct bus_message_type *const types[] = {
    &report_revenue_get_type,
    &report_kpis_get_type,
    &report_orders_get_type,
    &report_revenue_type,
    &report_kpis_type,
    &report_orders_type,
    &data_ping_type,
    &data_trail_type,
    &data_pong_type,
    &job_create_type,
    &job_cancel_type,
    &job_retry_type,
    &job_get_type,
    &job_list_type,
    &job_result_get_type,
    &job_answer_type,
    &job_page_type,
    &job_result_type,
};
static const struct bus_message_type *const events[] = {
    &order_created_type, &order_confirmed_type, &order_rejected_type, &order_cancelled_type, &order_refunded_type,
};
static const struct bus_message_type *const queries[] = {
    &report_revenue_get_type, &report_kpis_get_type, &report_orders_get_type, &data_ping_type,
    &data_trail_type,         &job_get_type,         &job_list_type,          &job_result_get_type};
static const struct bus_message_type *const requests[] = {&job_create_type, &job_cancel_type, &job_retry_type};

static const struct bus_queue queues[] = {
    BUS_WORK_QUEUE("data-svc", events),
    BUS_REQUEST_QUEUE("data-svc.request", requests),
    BUS_QUERY_QUEUE("data-svc.query", queries),
};

const struct bus_topology_part data_topology = BUS_TOPOLOGY_PART("data-svc", types, queues);
