/* Answers <service>.trail (bus/trail.h) beside the queries of a service. */
#pragma once

#include <bus/trail.h>
#include <bus/worker.h>

enum { TRAIL_STATEMENTS_MAX = 64 };

/* A service's queries, and trails with them. */
struct trail_service {
  struct bus_service service;
  struct bus_statement statements[TRAIL_STATEMENTS_MAX];
};

/* The queries of the program, which are one service a process: given itself, if no queue of the part takes a trail.
 * given may be NULL. */
const struct bus_service *trail_beside(const struct bus_service *given, const struct bus_topology_part *part,
                                       struct trail_service *ret);
