/* Builds the new message for a dead-lettered message that is replayed. Pure. */
#ifndef DEAD_REDRIVE_H
#define DEAD_REDRIVE_H

#include <bus/amqp.h>
#include <bus/topology.h>

/* A message id that follows from a time, and from another id with a name. It is of version 7 in form: the inbox forgets
 * ids by their time. */
struct bus_uuid dead_id_of(const struct bus_uuid *space, struct bus_str name, bus_time at);

/* Who sent the message that lies in queue's dead queue, and may it be sent again? Only where that user may send its
 * type to the queue: a consumer trusts what the operator sends. *ret_sender is written in any case; the error names the
 * sender and what is wrong. */
bool dead_sender(const struct bus_topology *topology, const struct bus_queue *queue, const struct bus_envelope *parked,
                 struct bus_str *ret_sender, struct bus_error *err) BUS_MUST_CHECK;

/* A new message with a new id, as if it had never failed: attempt 0, no history, caused by the old one, sent now. The
 * id follows from the old message, so that one that is sent twice, because its first sending was not seen to end, is
 * taken once. A bundle stays one, and its elements keep their ids: those that were taken before are taken once. sender:
 * who sent it first, from dead_sender. `random`: for the id where the old message has none. */
struct bus_envelope dead_redrive(const struct bus_envelope *parked, struct bus_str sender, bus_time now,
                                 struct bus_uuid_source *random);

/* The reverse: the dead letter that `sent`, made by dead_redrive, came of. It had this id, this cause and this history;
 * sending it again gives the same message. sender: as above. */
struct bus_envelope dead_undone(const struct bus_envelope *sent, struct bus_str sender, const struct bus_uuid *id,
                                const struct bus_uuid *causation_id, struct bus_str history);

/* When it was parked, as its history has it; else when it was published; else 0. */
bus_time dead_parked_at(const struct bus_envelope *parked);

#endif
