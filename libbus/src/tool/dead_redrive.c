/* Who sent a dead-lettered message, and the envelope with which it is sent again. */
#include "dead_redrive.h"

#include <bus/history.h>

bus_time dead_parked_at(const struct bus_envelope *parked) {
  struct bus_failure last;
  if (bus_history_last(parked->history, &last))
    return last.at;
  return parked->timestamp > 0 ? parked->timestamp : 0;
}

struct bus_uuid dead_id_of(const struct bus_uuid *space, struct bus_str name, bus_time at) {
  struct bus_uuid id;
  int64_t ms = at / BUS_MILLISECOND;
  bus_uuid_v5(space, name, &id);
  for (int i = 5; i >= 0; i--, ms >>= 8)
    id.bytes[i] = (uint8_t)ms;
  id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0F) | 0x70);
  return id;
}

/* Its random part is the old id, hashed with the history, which is another one each time that a message is parked. */
static struct bus_uuid id_after(const struct bus_envelope *parked) {
  return dead_id_of(&parked->message_id, parked->history, dead_parked_at(parked));
}

/* ---- who sent it ---- */

/* Errors that a service gives before it has checked the sender. */
static bool precedes_sender_check(struct bus_str error) {
  static const char *const names[] = {"BUS_E_SENDER", "BUS_E_DECODE", "BUS_E_UNKNOWN_TYPE", "BUS_E_CRASHED"};
  for (size_t i = 0; i < BUS_COUNT(names); i++)
    if (bus_str_is(error, names[i]))
      return true;
  return false;
}

/* Earlier versions of libbus dead-lettered without naming the sender. Then it was the type's only sender, where the
 * last failure shows that the service had checked it. */
static struct bus_str sender_of(const struct bus_topology *topology, const struct bus_queue *queue,
                                const struct bus_envelope *parked, const struct bus_message_type *type,
                                const struct bus_failure *last) {
  const char *service = bus_topology_owner(topology, queue)->user.name;
  bool unnamed = bus_str_is(parked->user_id, service) && !parked->sender.data;
  bool checked = last && type && type->senders[0] && !type->senders[1] && !precedes_sender_check(last->error);
  if (unnamed)
    return checked ? bus_str(type->senders[0]) : BUS_STR(BUS_SENDER_UNKNOWN);
  return bus_topology_sender(topology, service, parked);
}

bool dead_sender(const struct bus_topology *topology, const struct bus_queue *queue, const struct bus_envelope *parked,
                 struct bus_str *ret_sender, struct bus_error *err) {
  char senders[BUS_SENDERS_TEXT];
  struct bus_failure last;
  const struct bus_message_type *type = bus_topology_queue_type(queue, parked->type);
  bool failed = bus_history_last(parked->history, &last);
  *ret_sender = sender_of(topology, queue, parked, type, failed ? &last : NULL);
  int len = (int)ret_sender->len;
  if (parked->copied || (failed && bus_str_is(last.error, "BUS_E_SENDER")))
    return bus_fail(err, BUS_E_SENDER, "sender %.*s: %s", len, ret_sender->data,
                    parked->copied ? "it carries the header CC or BCC" : "the service refused the sender");
  if (!type)
    return bus_fail(err, BUS_E_SENDER, "sender %.*s: the queue does not take this type", len, ret_sender->data);
  if (bus_topology_is_sender(topology, type, *ret_sender))
    return true;
  bus_message_senders(type, senders);
  return bus_fail(err, BUS_E_SENDER, "sender %.*s may not send %s: %s may", len, ret_sender->data, type->type, senders);
}

/* ---- the new message ---- */

struct bus_envelope dead_redrive(const struct bus_envelope *parked, struct bus_str sender, bus_time now,
                                 struct bus_uuid_source *random) {
  struct bus_envelope envelope = {.type = parked->type,
                                  .correlation_id = parked->correlation_id,
                                  .causation_id = parked->message_id,
                                  .trace = parked->trace,
                                  .sender = sender,
                                  .timestamp = now,
                                  .first_failed_at = BUS_NO_TIME,
                                  .bundle = parked->bundle,
                                  .bundle_count = parked->bundle_count};
  if (bus_uuid_is_nil(&parked->message_id))
    bus_uuid_v7(random, now, &envelope.message_id);
  else
    envelope.message_id = id_after(parked);
  return envelope;
}

struct bus_envelope dead_undone(const struct bus_envelope *sent, struct bus_str sender, const struct bus_uuid *id,
                                const struct bus_uuid *causation_id, struct bus_str history) {
  struct bus_failure last;
  struct bus_envelope envelope = *sent;
  if (!bus_history_last(history, &last))
    last.attempt = 0;
  envelope.message_id = *id;
  envelope.causation_id = *causation_id;
  envelope.sender = sender;
  envelope.history = history;
  envelope.attempt = last.attempt;
  envelope.redelivered = false;
  return envelope;
}
