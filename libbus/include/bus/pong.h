/* What a service answers to a ping: whether its workers have their links. The ping itself is answered by a thread for
 * queries, whose own links say nothing of the threads that take commands. Pure. */
#ifndef BUS_PONG_H
#define BUS_PONG_H

#include <bus/field.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bus_pong {
  bool workers_down; /* a worker that takes commands has lost its database or the broker */
};

/* The field of every pong, in a table of its own or among others; S has the member workers_down. */
#define BUS_PONG_FIELD(S)                                                                                              \
  BUS_FIELD_BOOL(S, workers_down, BUS_OPTIONAL, "a worker that takes commands has lost its database or the broker")

extern const struct bus_schema bus_pong_schema;

#ifdef __cplusplus
}
#endif
#endif
