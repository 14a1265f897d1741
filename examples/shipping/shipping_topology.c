/* Who sends which message, and which queues take them: users, types and queues. */
#include "shipping.h"

static const struct bus_message_type *const types[] = {&shipment_created_type, &shipment_get_type,
                                                       &shipment_found_type};
static const struct bus_message_type *const takes[] = {&order_confirmed_type};
static const struct bus_message_type *const answers[] = {&shipment_get_type};
static const struct bus_queue queues[] = {
    BUS_WORK_QUEUE("shipping-svc", takes),
    BUS_QUERY_QUEUE("shipping-svc.query", answers),
};
const struct bus_topology_part shipping_part = BUS_TOPOLOGY_PART("shipping-svc", types, queues);

static const struct bus_message_type *const of_orders[] = {&order_confirmed_type};
static const struct bus_topology_part orders = {.user = {.name = "order-svc"}, .types = of_orders, .type_count = 1};
static const struct bus_topology_part operator= {.user = {.name = "operator", .asks = true, .redrives = true}};

static const struct bus_topology_part *const parts[] = {&shipping_part, &orders, &operator};
const struct bus_topology shipping_topology =
    BUS_TOPOLOGY(parts, .title = "shipping", .version = "1.0.0", .correlation = "order_id");
