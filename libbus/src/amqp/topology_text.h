/* A topology as text: lines for people, JSON for the broker, and the broker's own list of bindings. Pure. */
#pragma once

#include <bus/topology.h>

#include <stdio.h>

/* "queue order-svc x-queue-type=quorum …", without a newline. */
void topology_print_declaration(FILE *out, const struct bus_declaration *declaration);
/* "queue order-svc" */
void topology_name(const struct bus_declaration *declaration, char *text, size_t size);
/* JSON for `rabbitmqctl import_definitions`. */
void topology_print_definitions(FILE *out, const struct bus_topology *topology, const char *vhost, int64_t disk_bytes);
/* Prints the members "policies" and "parameters" of definitions. vhost_json: quoted. disk_bytes: limit of all work,
 * dead and tier queues together; each gets an equal part. */
void topology_print_limits(FILE *out, const struct bus_topology *topology, const char *vhost_json, int64_t disk_bytes);

/* Is the binding in the output of `rabbitmqctl list_bindings source_name destination_name routing_key`? */
bool topology_lists_binding(const char *list, const struct bus_declaration *binding);
/* Calls visit for each line of the list whose source is one of our exchanges (bus.reply aside: its queues come and go)
 * and which the topology does not have. A guest has none: the rest is the other system's. */
void topology_each_foreign_binding(const char *list, const struct bus_topology *topology,
                                   void (*visit)(void *context, struct bus_str line), void *context);
