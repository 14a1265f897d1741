/* A worker without links, of a service that takes one type of message, for the tests of the intake. */
#pragma once

#include "worker_internal.h"

struct body {
  int64_t n; /* 0 to 100 */
};

/* thing.do.v1: the user owner sends it, the queue things of the service thing takes it. */
extern const struct bus_message_type intake_rig_type;
/* The service thing with queries alone. */
extern const struct bus_service intake_rig_query;

struct bus_worker *intake_rig_new(void);
void intake_rig_free(struct bus_worker *worker);
