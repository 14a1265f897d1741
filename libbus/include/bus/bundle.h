/*
 * Bundles: several messages of one type in one AMQP message, as the JSON batch of CloudEvents 1.0. A message of a
 * quorum queue costs the broker about the same whatever its size, so what one transaction sends to one place travels
 * together.
 *
 *   [{"specversion":"1.0","id":"…","source":"/order-svc","type":"payment.charge.v1","subject":"…","time":"…",
 *     "datacontenttype":"application/json","traceparent":"…","tracestate":"…","causationid":"…","data":{…}},…]
 *
 * id is the message_id, subject the correlation_id. The AMQP message has a message_id of its own, the type of its
 * elements, the content type below, and their number in the header bus-count. Each element is deduplicated, retried and
 * dead-lettered by itself, as if it had come alone. Pure and reentrant.
 */
#pragma once

#include <bus/arena.h>
#include <bus/base.h>
#include <bus/error.h>
#include <bus/message.h>

BUS_C_BEGIN

#define BUS_BUNDLE_CONTENT_TYPE "application/cloudevents-batch+json"

/* Default of the variable BUNDLE_MAX of programs that publish; 1 until no reader of an older release runs. */
#define BUS_BUNDLE_DEFAULT "128"

enum {
  BUS_BUNDLE_MAX = 128,              /* elements */
  BUS_BUNDLE_BYTES = 64 * 1024,      /* of the body that bus_bundle_encode writes */
  BUS_BUNDLE_ITEM_BYTES = 60 * 1024, /* an element that may be larger travels alone */
  BUS_BUNDLE_BRACKETS = 2,           /* bytes of a bundle beside its elements */
};

/* A message on its way out. */
struct bus_bundle_item {
  const struct bus_message_type *type;
  const struct bus_envelope
      *envelope;       /* message_id, correlation, causation, trace, timestamp; reply_to for the group */
  struct bus_str body; /* JSON; it is copied as it is */
  size_t shard;        /* bus_shard_of: messages of two shards never travel together; 0: none */
};

/* Upper bound of an element's bytes in a bundle, with its comma. Takes constant time for ids and names without
 * characters that JSON escapes. */
size_t bus_bundle_item_bound(const struct bus_bundle_item *item);

/* Encodes 1 to BUS_BUNDLE_MAX messages of one type. service: the user that publishes, shorter than BUS_NAME_MAX; the
 * elements' source is "/<service>", as in the header of a single message. *ret lies in the arena and is NUL-terminated.
 * False when out of memory. */
bool bus_bundle_encode(const char *service, const struct bus_bundle_item *items, size_t count, struct bus_arena *arena,
                       struct bus_str *ret) BUS_MUST_CHECK;

/* Fills the envelope of the AMQP message for these elements: message_id is `id`, reply_to that of all of them,
 * timestamp that of the first. It has no causation or trace, and a correlation id only in a shard: that of the first,
 * whose shard is that of all. */
void bus_bundle_envelope(const struct bus_bundle_item *items, size_t count, const struct bus_uuid *id,
                         struct bus_envelope *ret);

/* Groups of messages, in the order in which they are published: each is one AMQP message. */
struct bus_bundle_groups {
  size_t count;
  size_t *order; /* indices of the items, group by group; in a group as they were given */
  size_t *first; /* group g is order[first[g]] up to order[first[g + 1]] */
};

/* May the message be part of a bundle? Its type allows it, and it is not too large. */
bool bus_bundle_takes(const struct bus_bundle_item *item);

/* Groups messages by type, reply address and shard; a group has at most `most` messages (1 to BUS_BUNDLE_MAX) and
 * BUS_BUNDLE_BYTES, a message that no bundle takes is alone in one. Groups are in the order of their first message.
 * Messages of one type, reply address and shard stay in their order, and so do all of one correlation_id: a message
 * whose correlation_id stands in a later group opens a new group. Takes linear time. The result lies in the arena;
 * false when out of memory. */
bool bus_bundle_group(const struct bus_bundle_item *items, size_t count, size_t most, struct bus_arena *arena,
                      struct bus_bundle_groups *ret) BUS_MUST_CHECK;

/* A message that came in. */
struct bus_bundle_element {
  struct bus_envelope envelope;
  struct bus_str body; /* a part of the bundle's body, not NUL-terminated; "" where the element has none */
};

/* Cuts a delivery into its elements. An element has its own message_id, correlation_id, causation_id, trace and
 * timestamp (the delivery's where it has none); all else in its envelope is the delivery's. Its texts lie where the
 * delivery's lie, its body in the delivery's. The array and the states of its traces lie in the arena.
 *
 * The bodies are not looked into: where they are too deep, too large or no JSON, bus_decode refuses them one by one.
 * Takes linear time and no recursion. False: the whole bundle cannot be cut, and *ret is unchanged. BUS_E_DECODE says
 * why: not a JSON array, another number of elements than bus-count says or than 1 to BUS_BUNDLE_MAX, an element that is
 * not an object, lacks specversion "1.0" or a UUID as its id, has an attribute twice, has another type than the AMQP
 * message, or has the id of another element. BUS_E_NOMEM: out of memory. */
bool bus_bundle_cut(const struct bus_envelope *delivery, struct bus_str body, struct bus_arena *arena,
                    struct bus_bundle_element **ret, size_t *ret_count, struct bus_error *err) BUS_MUST_CHECK;

BUS_C_END
