/* The answer of a service to a ping: whether its command workers are connected. A query thread answers the ping, and
 * its own connections say nothing about those of the command workers. Pure. */
#pragma once

#include <bus/field.h>

BUS_C_BEGIN

struct bus_pong {
  bool workers_down; /* a worker that takes commands has lost its database or the broker */
};

/* The field of every pong, in a table of its own or among others; S has the member workers_down. */
#define BUS_PONG_FIELD(S)                                                                                              \
  BUS_FIELD_BOOL(S, workers_down, BUS_OPTIONAL, "a worker that takes commands has lost its database or the broker")

extern const struct bus_schema bus_pong_schema;

BUS_C_END
