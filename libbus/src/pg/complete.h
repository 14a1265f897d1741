/* A service as it runs: with what its program leaves to libbus. */
#pragma once

#include <bus/worker.h>

enum { COMPLETED_QUEUES_MAX = 8, COMPLETED_STATEMENTS_MAX = 48 };

struct completed {
  struct bus_service service;
  const char *queues[COMPLETED_QUEUES_MAX];
  struct bus_statement statements[COMPLETED_STATEMENTS_MAX]; /* of one with an aggregate */
  size_t made;                                               /* of these: how many texts are its own */
};

/* Fills in the version where the service has none; name and queues, those of one kind, from its part of the topology;
 * statements and functions of its aggregate. ret is zeroed before. part NULL: the service says name and queues itself.
 * given NULL: *ret_service is NULL. False: out of memory, or an aggregate beside functions that it takes the place of
 * (BUS_E_CONFIG). */
bool service_complete(const struct bus_service *given, const struct bus_topology_part *part, enum bus_queue_kind kind,
                      const char *version, struct completed *ret, const struct bus_service **ret_service,
                      struct bus_error *err) BUS_MUST_CHECK;
/* Frees the texts of its statements, which a program keeps until it ends. */
void service_uncomplete(struct completed *completed);
/* Context of the functions of a completed service, unless its `open` sets another. */
void *service_context(const struct bus_service *service);
