/* Deletes the shards of queues that the topology no longer has. */
#pragma once

#include <bus/amqp.h>

/* Deletes them if none holds messages or has a consumer; says on the standard output what it finds and does. *ret_done:
 * none is left. False: the broker could not be asked. */
bool topology_retire(struct bus_amqp *amqp, const struct bus_topology *topology, bool *ret_done,
                     struct bus_error *err) BUS_MUST_CHECK;
