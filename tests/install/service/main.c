/* The least service: it reads no queue, but has configuration, logs, health and metrics. */
#include <bus/service.h>

int main(int argc, char **argv) {
  static const struct bus_topology topology = {0};
  static const struct bus_program program = {
      .name = "consumer", .summary = "Reads no queue.", .default_port = "8099", .topology = &topology};
  return bus_service_main(argc, argv, &program);
}
