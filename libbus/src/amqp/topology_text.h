/* A topology as text: lines for people, JSON for the broker. Pure. */
#pragma once

#include <bus/topology.h>

#include <stdio.h>

/* "queue order-svc x-queue-type=quorum …", without a newline. */
void topology_print_declaration(FILE *out, const struct bus_declaration *declaration);
/* JSON for `rabbitmqctl import_definitions`. */
void topology_print_definitions(FILE *out, const struct bus_topology *topology, const char *vhost, int64_t disk_bytes);
/* Prints the members "policies" and "parameters" of definitions. vhost_json: quoted. disk_bytes: limit of all work,
 * dead and tier queues together; each gets an equal part. */
void topology_print_limits(FILE *out, const struct bus_topology *topology, const char *vhost_json, int64_t disk_bytes);
