/* The envelope of a message that is sent again from a dead queue. */
#include "dead_redrive.h"

#include <bus/history.h>

bus_time dead_parked_at(const struct bus_envelope *parked) {
  struct bus_failure last;
  if (bus_history_last(parked->history, &last))
    return last.at;
  return parked->timestamp > 0 ? parked->timestamp : 0;
}

/* Version 7 in form: the inbox forgets ids by their time. Its random part is the old id, hashed with the history, which
 * is another one each time that a message is parked. */
static struct bus_uuid id_after(const struct bus_envelope *parked) {
  struct bus_uuid id;
  int64_t ms = dead_parked_at(parked) / BUS_MILLISECOND;
  bus_uuid_v5(&parked->message_id, parked->history, &id);
  for (int i = 5; i >= 0; i--, ms >>= 8)
    id.bytes[i] = (uint8_t)ms;
  id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0F) | 0x70);
  return id;
}

struct bus_envelope dead_redrive(const struct bus_envelope *parked, bus_time now, struct bus_uuid_source *random) {
  struct bus_envelope envelope = {.type = parked->type,
                                  .correlation_id = parked->correlation_id,
                                  .causation_id = parked->message_id,
                                  .trace = parked->trace,
                                  .timestamp = now,
                                  .first_failed_at = BUS_NO_TIME};
  if (bus_uuid_is_nil(&parked->message_id))
    bus_uuid_v7(random, now, &envelope.message_id);
  else
    envelope.message_id = id_after(parked);
  return envelope;
}
