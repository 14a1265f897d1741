/* The events of the I/O thread's connections. */
#pragma once

#include "requester.h"

extern const struct bus_amqp_events requester_publishing_events, requester_consuming_events;
/* When the connections go: settles the requests that were never sent, and those whose fate is unknown. */
void requester_on_lost(struct bus_requester *requester);
