/* A service as it runs: with what its program leaves to libbus. */
#pragma once

#include <bus/worker.h>

enum { COMPLETED_QUEUES_MAX = 8 };

struct completed {
  struct bus_service service;
  const char *queues[COMPLETED_QUEUES_MAX];
};

/* Fills in the version where the service has none, and name and queues, those of one kind, from its part of the
 * topology. part NULL: the service says them itself. given NULL: returns NULL. */
const struct bus_service *service_complete(const struct bus_service *given, const struct bus_topology_part *part,
                                           enum bus_queue_kind kind, const char *version, struct completed *ret);
