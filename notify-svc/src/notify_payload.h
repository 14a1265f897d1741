/* From an event of an order to a webhook: its type, the id of a delivery, and the body. Pure. */
#pragma once

#include "notify.h"

#include <bus/effects.h>
#include <order_messages.h>

/* The body. */
struct notify_payload_data {
  struct bus_uuid order_id; /* nil: it is about none */
  int status;
  struct order_item *items;
  size_t item_count;
  int64_t total;
  struct bus_str currency;
  int64_t refunded;
  struct bus_str reason;
  struct bus_uuid webhook_id; /* webhook.disabled */
  int cause;                  /* of it: enum webhook_cause, or -1 */
};
struct notify_payload {
  int type; /* enum webhook_event */
  bus_time timestamp;
  struct notify_payload_data *data;
};

/* An event of an order, whatever message brought it. */
struct notify_event {
  enum webhook_event type;
  struct bus_uuid order_id;
  struct bus_str customer_id;
  bus_time at;                           /* BUS_NO_TIME: of an event of the release before */
  const struct order_event *event;       /* NULL: a refund */
  const struct order_refunded *refunded; /* NULL: none */
};

/* False: the input tells no event. */
bool notify_event_of(const struct bus_input *input, struct notify_event *ret);

/* UUIDv5 of endpoint, order, event and refunded amount: the same event, told twice, is one delivery. */
void notify_delivery_id_of(const struct bus_uuid *endpoint_id, const struct notify_event *event, struct bus_uuid *ret);

/* {"type":"order.confirmed","timestamp":"…","data":{…}}, in the arena. The timestamp is the event's, so that an event
 * that is told again has the same body; now: of one that has none. False: out of memory, or it is too long. */
bool notify_payload_encode(const struct notify_event *event, bus_time now, struct bus_arena *arena,
                           struct bus_str *ret);

/* The body that tells of an endpoint: email.confirm, webhook.disabled with its cause. */
bool notify_payload_of_endpoint(enum webhook_event type, const struct bus_uuid *endpoint_id, int cause, bus_time at,
                                struct bus_arena *arena, struct bus_str *ret);
/* Reads a body. False: it is none, or out of memory. */
bool notify_payload_decode(struct bus_str text, struct bus_arena *arena, struct notify_payload *ret) BUS_MUST_CHECK;

/* The body, for documents. */
extern const struct bus_schema notify_payload_schema;
