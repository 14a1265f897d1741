/* Sends a dead letter to its work queue again, and back. */
#ifndef DEAD_SEND_H
#define DEAD_SEND_H

#include "send_session.h"

#include <bus/topology.h>

/* Publishes the new message (dead_redrive) into the shortest tier of the queue and waits for its confirm. False: the
 * broker did not take it, *err says why; BUS_OK: it was returned or nacked. number: for what the session says of it. */
bool dead_send(struct send_session *session, const struct bus_topology *topology, const struct bus_queue *queue,
               const struct bus_envelope *envelope, struct bus_str body, long number,
               struct bus_error *err) BUS_MUST_CHECK;

/* The way back: publishes the message to the queue's dead queue, with the history of its envelope, and waits for the
 * confirm. The session's user is the queue's reader. */
bool dead_put_back(struct send_session *session, const struct bus_queue *queue, const struct bus_envelope *envelope,
                   struct bus_str body, long number, struct bus_error *err) BUS_MUST_CHECK;

#endif
