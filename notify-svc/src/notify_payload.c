/* From an event of an order to the body of a webhook. */
#include "notify_payload.h"

#include <inttypes.h>
#include <stdio.h>

enum { NAME_TEXT = 96 };

#define DATA struct notify_payload_data
#define PAYLOAD struct notify_payload
static const struct bus_field data_fields[] = {
    BUS_FIELD_UUID(DATA, order_id, BUS_OPTIONAL, "the order"),
    BUS_FIELD_ENUM(DATA, status, order_status_names, BUS_OPTIONAL, "what became of it; absent in order.refunded"),
    BUS_FIELD_ARRAY(DATA, items, item_count, struct order_item, &order_item_schema, 1, ORDER_ITEMS_MAX, BUS_OPTIONAL,
                    "what is ordered"),
    BUS_FIELD_INT64(DATA, total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "in minor units; absent: never known"),
    BUS_FIELD_STRING(DATA, currency, BUS_TOKEN, ORDER_CURRENCY_LEN, ORDER_CURRENCY_LEN, BUS_OPTIONAL, "ISO 4217"),
    BUS_FIELD_INT64(DATA, refunded, 1, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "order.refunded: all that went back so far, in minor units"),
    BUS_FIELD_STRING(DATA, reason, BUS_TEXT, 1, ORDER_REASON_MAX, BUS_OPTIONAL, "why it was not confirmed"),
    BUS_FIELD_UUID(DATA, webhook_id, BUS_OPTIONAL, "webhook.disabled: the endpoint"),
    BUS_FIELD_ENUM(DATA, cause, webhook_cause_names, BUS_OPTIONAL, "webhook.disabled: why"),
};
static const struct bus_schema data_schema = BUS_SCHEMA("data", DATA, data_fields);
static const struct bus_field payload_fields[] = {
    BUS_FIELD_ENUM(PAYLOAD, type, delivery_event_names, BUS_REQUIRED, "the event"),
    BUS_FIELD_TIME(PAYLOAD, timestamp, BUS_REQUIRED, "when the event was committed"),
    BUS_FIELD_OBJECT(PAYLOAD, data, DATA, &data_schema, BUS_REQUIRED, "the order"),
};
const struct bus_schema notify_payload_schema = BUS_SCHEMA("webhook", PAYLOAD, payload_fields);

/* The type of each message, and the status that it tells. */
static const struct {
  const struct bus_message_type *type;
  enum webhook_event event;
  int status;
} kinds[] = {
    {&order_confirmed_type, WEBHOOK_ORDER_CONFIRMED, ORDER_CONFIRMED},
    {&order_cancelled_type, WEBHOOK_ORDER_CANCELLED, ORDER_CANCELLED},
    {&order_rejected_type, WEBHOOK_ORDER_REJECTED, ORDER_REJECTED},
    {&order_refunded_type, WEBHOOK_ORDER_REFUNDED, -1},
};

bool notify_event_of(const struct bus_input *input, struct notify_event *ret) {
  size_t i = 0;
  while (i < BUS_COUNT(kinds) && (!input->type || input->type != kinds[i].type))
    i++;
  if (i == BUS_COUNT(kinds))
    return false;
  *ret = (struct notify_event){.type = kinds[i].event};
  if (input->type == &order_refunded_type) {
    ret->refunded = input->body;
    ret->order_id = ret->refunded->order_id;
    ret->customer_id = ret->refunded->customer_id;
    ret->at = ret->refunded->at;
  } else {
    ret->event = input->body;
    ret->order_id = ret->event->order_id;
    ret->customer_id = ret->event->customer_id;
    ret->at = ret->event->at;
  }
  return true;
}

void notify_delivery_id_of(const struct bus_uuid *endpoint_id, const struct notify_event *event, struct bus_uuid *ret) {
  char order[BUS_UUID_TEXT], name[NAME_TEXT];
  bus_uuid_format(&event->order_id, order);
  (void)snprintf(name, sizeof name, "%s %s %" PRId64, webhook_event_names[event->type], order,
                 event->refunded ? event->refunded->refunded : 0); /* it fits */
  bus_uuid_v5(endpoint_id, bus_str(name), ret);
}

static bool encode(const PAYLOAD *payload, struct bus_arena *arena, struct bus_str *ret) {
  return bus_encode(&notify_payload_schema, payload, arena, ret) && ret->len <= NOTIFY_PAYLOAD_MAX;
}

bool notify_payload_encode(const struct notify_event *event, bus_time now, struct bus_arena *arena,
                           struct bus_str *ret) {
  DATA data = {.order_id = event->order_id, .refunded = BUS_NO_INT64, .status = kinds[event->type].status, .cause = -1};
  if (event->refunded) {
    data.refunded = event->refunded->refunded;
    data.total = event->refunded->total;
    data.currency = event->refunded->currency;
  } else {
    data.items = event->event->items;
    data.item_count = event->event->item_count;
    data.total = event->event->total;
    data.currency = event->event->currency;
    data.reason = event->event->reason;
  }
  bus_time at = event->at == BUS_NO_TIME ? now : event->at;
  return encode(&(const PAYLOAD){(int)event->type, at, &data}, arena, ret);
}

bool notify_payload_of_endpoint(enum webhook_event type, const struct bus_uuid *endpoint_id, int cause, bus_time at,
                                struct bus_arena *arena, struct bus_str *ret) {
  DATA data = {
      .webhook_id = *endpoint_id, .refunded = BUS_NO_INT64, .total = BUS_NO_INT64, .status = -1, .cause = cause};
  return encode(&(const PAYLOAD){(int)type, at, &data}, arena, ret);
}

bool notify_payload_decode(struct bus_str text, struct bus_arena *arena, struct notify_payload *ret) {
  return bus_decode(&notify_payload_schema, text, BUS_IGNORE_UNKNOWN, arena, ret, NULL);
}
