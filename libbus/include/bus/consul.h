/* Registers a program with the Consul agent beside it, by the agent's HTTP API, as long as the program serves. A thread
 * of its own registers once the program is ready, again every 30 s (an agent that lost its state learns of it again),
 * and deregisters at the end. An agent that is away or refuses is a log line for each change, and nothing else. */
#pragma once

#include <bus/arena.h>
#include <bus/consul_options.h>

BUS_C_BEGIN

struct bus_consul;

struct bus_consul_service {
  const char *name, *version;
  const char *address;             /* of BIND, which ADVERTISE_ADDRESS replaces */
  int port, health_port;           /* that of the service, and the one that answers /health/ready */
  bool tls;                        /* the health port speaks HTTPS */
  bool (*is_ready)(void *context); /* called on the module's thread */
  void *context;
};

/* The body of a registration. Pure. False: out of memory. */
bool bus_consul_body(const struct bus_consul_service *service, const char *address, struct bus_arena *arena,
                     struct bus_str *ret) BUS_MUST_CHECK;
/* Without a URL *ret is NULL and nothing is started. Texts are kept. */
bool bus_consul_start(const struct bus_consul_options *options, const struct bus_consul_service *service,
                      struct bus_consul **ret, struct bus_error *err) BUS_MUST_CHECK;
/* Call it when a drain begins, while the program still serves: deregisters, for at most 4 s. Accepts NULL. */
void bus_consul_stop(struct bus_consul *consul);

BUS_C_END
