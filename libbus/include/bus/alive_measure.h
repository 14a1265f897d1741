/* The figures of service.alive (bus/alive.h), read from the metrics of this process. Thread-safe. */
#pragma once

#include <bus/alive.h>

BUS_C_BEGIN

/* Fills in figures and breakers; the breakers lie in the room, and their names live as long as the process. */
void bus_alive_measure(struct bus_alive *alive, struct bus_alive_breaker room[BUS_ALIVE_BREAKERS_MAX]);

BUS_C_END
