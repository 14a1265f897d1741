/* The sample system's tables. */
#include "topology_sample.h"

const struct bus_message_type order_place = BUS_COMMAND("order.place.v1", NULL, "edge");
const struct bus_message_type order_cancel = BUS_COMMAND("order.cancel.v1", NULL, "edge");
const struct bus_message_type inventory_reserve = BUS_COMMAND("inventory.reserve.v1", NULL, "order-svc");
const struct bus_message_type payment_charge = BUS_COMMAND("payment.charge.v1", NULL, "order-svc");
const struct bus_message_type payment_charge_2 = BUS_COMMAND("payment.charge.v2", NULL, "order-svc");
const struct bus_message_type order_created = BUS_EVENT("order.created.v1", NULL, "order-svc");
const struct bus_message_type stock_reserved = BUS_EVENT("stock.reserved.v1", NULL, "inventory-svc");
const struct bus_message_type payment_captured = BUS_EVENT("payment.captured.v1", NULL, "payment-svc");
const struct bus_message_type order_get = BUS_QUERY("order.get.v1", NULL, "edge");
const struct bus_message_type order_answer = BUS_ANSWER("order.answer.v1", NULL);

static const struct bus_message_type *const order_types[] = {&order_place, &order_cancel, &order_created, &order_get,
                                                             &order_answer};
static const struct bus_message_type *const inventory_types[] = {&inventory_reserve, &stock_reserved};
static const struct bus_message_type *const payment_types[] = {&payment_charge, &payment_charge_2, &payment_captured};

static const struct bus_message_type *const order_takes[] = {&stock_reserved, &payment_captured, &order_cancel};
static const struct bus_message_type *const place_takes[] = {&order_place};
static const struct bus_message_type *const inventory_takes[] = {&inventory_reserve};
static const struct bus_message_type *const payment_takes[] = {&payment_charge, &payment_charge_2};
static const struct bus_message_type *const query_takes[] = {&order_get};

static const struct bus_queue order_queues[] = {
    BUS_WORK_QUEUE("order-svc", order_takes),
    {.name = "order-svc.place", .types = place_takes, .type_count = BUS_COUNT(place_takes), .max_bytes = 1 << 30},
    BUS_QUERY_QUEUE("order-svc.query", query_takes),
};
static const struct bus_queue inventory_queues[] = {BUS_WORK_QUEUE("inventory-svc", inventory_takes)};
static const struct bus_queue payment_queues[] = {BUS_WORK_QUEUE("payment-svc", payment_takes)};

static const struct bus_topology_part edge = {.user = {.name = "edge", .asks = true}},
                                      audit = {.user = {.name = "audit", .asks = true}},
                                      order = BUS_TOPOLOGY_PART("order-svc", order_types, order_queues),
                                      inventory = BUS_TOPOLOGY_PART("inventory-svc", inventory_types, inventory_queues),
                                      payment = BUS_TOPOLOGY_PART("payment-svc", payment_types, payment_queues);

const struct bus_topology_part *const sample_parts[SAMPLE_PARTS] = {
    [SAMPLE_EDGE] = &edge,       [SAMPLE_ORDER] = &order, [SAMPLE_INVENTORY] = &inventory,
    [SAMPLE_PAYMENT] = &payment, [SAMPLE_AUDIT] = &audit,
};

const struct bus_topology topology_sample = {
    .parts = sample_parts,
    .part_count = SAMPLE_PARTS,
    .tiers = bus_default_tiers,
    .tier_count = BUS_COUNT(bus_default_tiers),
    .query_ttl_ms = 5000,
};
