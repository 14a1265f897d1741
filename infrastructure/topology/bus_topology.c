/* bus-topology: the order system's exchanges, queues, bindings and permissions, for an administrator. */
#include "orderbus_topology.h"

int main(int argc, char **argv) {
  return bus_topology_main(argc, argv, &orderbus_topology);
}
