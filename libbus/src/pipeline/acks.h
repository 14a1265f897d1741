/* Which deliveries of this connection are settled, so that one multiple ack covers all up to the first gap. */
#pragma once

#include <bus/base.h>

struct acks {
  uint64_t acked;   /* all up to here are acked */
  uint64_t settled; /* all up to here are settled */
  uint64_t highest; /* received */
  uint8_t *ring;    /* by tag modulo room: how many messages of the delivery are not settled */
  size_t room;
  int64_t ack_at; /* monotonic: when what is settled is acked at the latest; 0: not known yet */
};

/* room: deliveries that may be unsettled at once. False: out of memory. */
bool acks_init(struct acks *acks, size_t room) BUS_MUST_CHECK;
void acks_free(struct acks *acks);
/* A new connection begins with none. */
void acks_reset(struct acks *acks);
/* A delivery of so many messages, 1 to 255. False: more deliveries are unsettled than there is room for. */
bool acks_received(struct acks *acks, uint64_t tag, size_t messages) BUS_MUST_CHECK;
size_t acks_open(const struct acks *acks);
/* One message of the delivery is settled. */
void acks_settle(struct acks *acks, uint64_t tag);
/* Settled deliveries that are not yet acked. */
size_t acks_pending(const struct acks *acks);
/* Is it time to ack them? Each ack is an entry in the log of a quorum queue, as each message is: one for many costs as
 * much. Until then the broker holds them as unacked; after a crash they come again, and the inbox knows them. */
bool acks_are_due(struct acks *acks, int64_t now, size_t enough);
/* The tag to ack with `multiple`, or 0: nothing new. */
uint64_t acks_take(struct acks *acks);
bool acks_is_valid(const struct acks *acks) BUS_MUST_CHECK;
