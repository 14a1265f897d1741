/*
 * The programs that go with a topology. Each is one call in main:
 *
 *   int main(int argc, char **argv) { return bus_dead_main(argc, argv, &my_topology); }
 *
 * CMake's bus_tools() makes all four for a topology. Every program says its arguments with --help, returns main's
 * status, and prints topology->version with --version.
 */
#pragma once

#include <bus/topology.h>

BUS_C_BEGIN

/* bus-topology declares exchanges, queues and bindings and prints permissions: bus_topology_main of bus/topology.h. */

/* bus-send publishes commands and events: JSON bodies, one a line of the standard input. */
int bus_send_main(int argc, char **argv, const struct bus_topology *topology);
/* bus-ask sends one query and prints its answer. The user of its URL asks (struct bus_user). */
int bus_ask_main(int argc, char **argv, const struct bus_topology *topology);
/* bus-dead shows dead letters, sends them again or drops them. The user of its URL redrives (struct bus_user). */
int bus_dead_main(int argc, char **argv, const struct bus_topology *topology);

BUS_C_END
