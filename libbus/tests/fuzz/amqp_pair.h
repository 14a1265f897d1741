/* A connection behind its login, over a socket pair: what is written to its peer is what the broker says. */
#pragma once

#include "connection.h"

enum { AMQP_PAIR_ROOM = 65536 }; /* bytes that can be written without anybody reading */

/* Free it with bus_amqp_free and close the peer. */
struct bus_amqp *amqp_pair_new(struct bus_arena *arena, int *ret_peer);
