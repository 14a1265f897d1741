/* The ring of unsettled deliveries. */
#include "acks.h"

#include "turn.h"

#include <stdlib.h>

#define ACK_WAIT (90 * BUS_MILLISECOND) /* shorter than until a transaction without inputs, which would hold it up */
enum { ROOM_LEAST = 64, MESSAGES_MAX = UINT8_MAX };

bool acks_init(struct acks *acks, size_t room) {
  assert(room > 0);
  size_t size = ROOM_LEAST;
  while (size < room * 2)
    size *= 2;
  *acks = (struct acks){.ring = calloc(size, 1), .room = size};
  return acks->ring != NULL;
}

void acks_free(struct acks *acks) {
  free(acks->ring);
  acks->ring = NULL;
}

void acks_reset(struct acks *acks) {
  assert(acks->ring);
  memset(acks->ring, 0, acks->room);
  acks->acked = acks->settled = acks->highest = 0;
  acks->ack_at = 0;
}

static uint8_t *slot_of(const struct acks *acks, uint64_t tag) {
  return &acks->ring[tag % acks->room];
}

bool acks_received(struct acks *acks, uint64_t tag, size_t messages) {
  assert(tag > 0);
  assert(messages >= 1 && messages <= MESSAGES_MAX);
  if (tag > acks->highest)
    acks->highest = tag;
  if (tag <= acks->settled)
    return true;
  if (tag - acks->settled >= acks->room)
    return false;
  *slot_of(acks, tag) = (uint8_t)messages;
  return true;
}

size_t acks_open(const struct acks *acks) {
  assert(acks->settled <= acks->highest);
  return (size_t)(acks->highest - acks->settled);
}

void acks_settle(struct acks *acks, uint64_t tag) {
  if (tag <= acks->settled || tag > acks->highest || tag - acks->settled >= acks->room || *slot_of(acks, tag) == 0)
    return; /* settled already, or of a connection that is gone */
  --*slot_of(acks, tag);
  if (BUS_BUG("bundle-acked-at-first-element", "a delivery counts as settled when one message of it is"))
    *slot_of(acks, tag) = 0;
  while (acks->settled < acks->highest && *slot_of(acks, acks->settled + 1) == 0)
    acks->settled++;
  if (BUS_BUG("multiple-ack-over-gaps", "a multiple ack covers what is not settled") && tag > acks->settled)
    acks->settled = tag;
}

size_t acks_pending(const struct acks *acks) {
  assert(acks->acked <= acks->settled);
  return (size_t)(acks->settled - acks->acked);
}

bool acks_are_due(struct acks *acks, int64_t now, size_t enough) {
  if (acks_pending(acks) == 0)
    return false;
  if (acks->ack_at == 0)
    acks->ack_at = now + ACK_WAIT;
  bool late = now >= acks->ack_at && !BUS_BUG("acks-wait-for-ever", "a delivery is acked only with enough others");
  return acks_pending(acks) >= enough || late;
}

uint64_t acks_take(struct acks *acks) {
  if (acks->settled == acks->acked)
    return 0;
  acks->acked = acks->settled;
  acks->ack_at = 0;
  return acks->acked;
}

bool acks_is_valid(const struct acks *acks) {
  return acks->ring != NULL && acks->acked <= acks->settled && acks->settled <= acks->highest &&
         bus_implies(acks->settled < acks->highest && acks_open(acks) < acks->room,
                     *slot_of(acks, acks->settled + 1) != 0);
}
