/* The sample system's tables. */
#include "topology_sample.h"

#define COMMAND(text, from)                                                                                            \
  { .type = (text), .exchange = BUS_EXCHANGE_CMD, .sender = (from), .mandatory = true }
#define EVENT(text, from, taken)                                                                                       \
  { .type = (text), .exchange = BUS_EXCHANGE_EVENT, .sender = (from), .mandatory = (taken) }

const struct bus_message_type order_place = COMMAND("order.place.v1", "edge");
const struct bus_message_type order_cancel = COMMAND("order.cancel.v1", "edge");
const struct bus_message_type inventory_reserve = COMMAND("inventory.reserve.v1", "order-svc");
const struct bus_message_type payment_charge = COMMAND("payment.charge.v1", "order-svc");
const struct bus_message_type payment_charge_2 = COMMAND("payment.charge.v2", "order-svc");
const struct bus_message_type order_created = EVENT("order.created.v1", "order-svc", false);
const struct bus_message_type stock_reserved = EVENT("stock.reserved.v1", "inventory-svc", true);
const struct bus_message_type payment_captured = EVENT("payment.captured.v1", "payment-svc", true);
const struct bus_message_type order_get = {
    .type = "order.get.v1", .exchange = BUS_EXCHANGE_QUERY, .sender = "edge", .mandatory = false};
const struct bus_message_type order_answer = {.type = "order.answer.v1", .exchange = BUS_EXCHANGE_REPLY};

const struct bus_user sample_users[SAMPLE_USERS] = {
    [SAMPLE_EDGE] = {"edge", true, false},
    [SAMPLE_ORDER] = {"order-svc", false, false},
    [SAMPLE_INVENTORY] = {"inventory-svc", false, false},
    [SAMPLE_PAYMENT] = {"payment-svc", false, false},
    [SAMPLE_AUDIT] = {"audit", true, false},
};

static const struct bus_message_type *const types[] = {
    &order_place,   &order_cancel,   &inventory_reserve, &payment_charge, &payment_charge_2,
    &order_created, &stock_reserved, &payment_captured,  &order_get,      &order_answer,
};

static const struct bus_message_type *const order_takes[] = {&stock_reserved, &payment_captured, &order_cancel};
static const struct bus_message_type *const place_takes[] = {&order_place};
static const struct bus_message_type *const inventory_takes[] = {&inventory_reserve};
static const struct bus_message_type *const payment_takes[] = {&payment_charge, &payment_charge_2};
static const struct bus_message_type *const query_takes[] = {&order_get};

static const struct bus_queue queues[] = {
    {"order-svc", BUS_QUEUE_WORK, "order-svc", order_takes, BUS_COUNT(order_takes), 0},
    {"order-svc.place", BUS_QUEUE_WORK, "order-svc", place_takes, BUS_COUNT(place_takes), 1 << 30},
    {"inventory-svc", BUS_QUEUE_WORK, "inventory-svc", inventory_takes, BUS_COUNT(inventory_takes), 0},
    {"payment-svc", BUS_QUEUE_WORK, "payment-svc", payment_takes, BUS_COUNT(payment_takes), 0},
    {"order-svc.query", BUS_QUEUE_QUERY, "order-svc", query_takes, BUS_COUNT(query_takes), 0},
};

const struct bus_topology topology_sample = {
    .users = sample_users,
    .user_count = SAMPLE_USERS,
    .types = types,
    .type_count = BUS_COUNT(types),
    .queues = queues,
    .queue_count = BUS_COUNT(queues),
    .tiers = bus_default_tiers,
    .tier_count = BUS_COUNT(bus_default_tiers),
    .query_ttl_ms = 5000,
};
