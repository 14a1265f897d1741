/* The event log's entries as JSON: a name and a field table for each. */
#include "order_fact.h"

static const struct bus_field created_fields[] = {
    ORDER_CUSTOMER(struct fact_created, BUS_REQUIRED),
    ORDER_ITEMS(struct fact_created, BUS_REQUIRED, "what is ordered"),
    BUS_FIELD_EMBED(struct fact_created, request, struct order_request, &order_request_schema),
    ORDER_REQUEST_HASH(struct fact_created),
};
static const struct bus_schema created_schema = BUS_SCHEMA("order.created", struct fact_created, created_fields);

static const struct bus_field reserved_fields[] = {
    ORDER_ITEMS(struct fact_reserved, BUS_REQUIRED, "with prices"),
    BUS_FIELD_INT64(struct fact_reserved, total, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
    ORDER_CURRENCY(struct fact_reserved, BUS_REQUIRED, "ISO 4217"),
};
static const struct bus_schema reserved_schema = BUS_SCHEMA("order.reserved", struct fact_reserved, reserved_fields);

static const struct bus_field money_fields[] = {
    BUS_FIELD_INT64(struct fact_money, amount, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "in minor units"),
};
static const struct bus_schema money_schema = BUS_SCHEMA("money", struct fact_money, money_fields);

static const struct bus_field confirmed_fields[] = {
    BUS_FIELD_INT64(struct fact_confirmed, amount, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "in minor units"),
    BUS_FIELD_STRING(struct fact_confirmed, reason, BUS_TEXT, 1, ORDER_REASON_MAX, BUS_OPTIONAL, "why"),
};
static const struct bus_schema confirmed_schema =
    BUS_SCHEMA("order.confirmed", struct fact_confirmed, confirmed_fields);

static const struct bus_field reason_fields[] = {
    BUS_FIELD_STRING(struct fact_reason, reason, BUS_TEXT, 1, ORDER_REASON_MAX, BUS_OPTIONAL, "why"),
};
static const struct bus_schema reason_schema = BUS_SCHEMA("reason", struct fact_reason, reason_fields);

static const struct bus_field compensating_fields[] = {
    BUS_FIELD_STRING(struct fact_compensating, reason, BUS_TEXT, 1, ORDER_REASON_MAX, BUS_REQUIRED, "why"),
    BUS_FIELD_BOOL(struct fact_compensating, alarm, BUS_OPTIONAL, "behind the pivot"),
};
static const struct bus_schema compensating_schema =
    BUS_SCHEMA("order.compensating", struct fact_compensating, compensating_fields);

const char *const order_fact_names[] = {
    [FACT_CREATED] = "order.created",
    [FACT_RESERVED] = "order.reserved",
    [FACT_PAID] = "order.paid",
    [FACT_CONFIRMED] = "order.confirmed",
    [FACT_REJECTED] = "order.rejected",
    [FACT_COMPENSATING] = "order.compensating",
    [FACT_CANCELLED] = "order.cancelled",
    [FACT_STOCK_RETURNED] = "stock.returned",
    [FACT_PAYMENT_REFUSED] = "payment.refused",
    [FACT_PAYMENT_CAPTURED] = "payment.captured",
    [FACT_PAYMENT_REFUNDED] = "payment.refunded",
    [FACT_STOCK_MISSING] = "stock.missing",
    [FACT_TYPES] = NULL,
};
static const struct bus_schema *const schemas[FACT_TYPES] = {
    [FACT_CREATED] = &created_schema,
    [FACT_RESERVED] = &reserved_schema,
    [FACT_PAID] = &money_schema,
    [FACT_CONFIRMED] = &confirmed_schema,
    [FACT_REJECTED] = &reason_schema,
    [FACT_COMPENSATING] = &compensating_schema,
    [FACT_CANCELLED] = &reason_schema,
    [FACT_STOCK_RETURNED] = &reason_schema,
    [FACT_PAYMENT_REFUSED] = &reason_schema,
    [FACT_PAYMENT_CAPTURED] = &money_schema,
    [FACT_PAYMENT_REFUNDED] = &money_schema,
    [FACT_STOCK_MISSING] = &reason_schema,
};

enum order_fact_type order_fact_find(struct bus_str name) {
  int type = 0;
  while (type < FACT_TYPES && !bus_str_is(name, order_fact_names[type]))
    type++;
  return (enum order_fact_type)type;
}

bool order_fact_encode(const struct order_fact *fact, struct bus_arena *arena, struct bus_str *ret) {
  return bus_encode(schemas[fact->type], &fact->data, arena, ret);
}

bool order_fact_decode(enum order_fact_type type, struct bus_str json, struct bus_arena *arena, struct order_fact *ret,
                       struct bus_problems *problems) {
  struct order_fact fact = {.type = type};
  if (!bus_decode(schemas[type], json, BUS_IGNORE_UNKNOWN, arena, &fact.data, problems))
    return false;
  *ret = fact;
  return true;
}
