/* Fills in the parts of a service that its program leaves out. */
#include "complete.h"

#include <assert.h>

const struct bus_service *service_complete(const struct bus_service *given, const struct bus_topology_part *part,
                                           enum bus_queue_kind kind, const char *version, struct completed *ret) {
  if (!given)
    return NULL;
  ret->service = *given;
  if (!given->version)
    ret->service.version = version;
  if (!part)
    return &ret->service;
  ret->service.name = part->user.name;
  ret->service.queues = ret->queues;
  ret->service.queue_count = 0;
  for (size_t i = 0; i < part->queue_count; i++) {
    assert(ret->service.queue_count < COMPLETED_QUEUES_MAX);
    if (part->queues[i].kind == kind)
      ret->queues[ret->service.queue_count++] = part->queues[i].name;
  }
  return &ret->service;
}
