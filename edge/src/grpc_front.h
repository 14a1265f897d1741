/* The gRPC front: OrderService and gRPC's health service, whose calls are carried to the handlers of REST. */
#ifndef EDGE_GRPC_FRONT_H
#define EDGE_GRPC_FRONT_H

#include <bus/grpc.h>
#include <bus/http_server.h>

#include "settings.h"

struct grpc_front;

struct grpc_front_settings {
  const struct edge_settings *settings;
  const struct bus_networks *trusted_proxies;
  struct bus_tls *tls;         /* NULL: plain HTTP/2 */
  struct bus_http_server *api; /* whose routes answer */
  bool (*is_ready)(void *context);
  void *context;
};

/* With GRPC_PORT=0 *ret is NULL. */
bool grpc_front_start(const struct grpc_front_settings *settings, struct grpc_front **ret,
                      struct bus_error *err) BUS_MUST_CHECK;
/* As bus_grpc_server_drain; accepts NULL. */
void grpc_front_drain(struct grpc_front *front, int64_t serve_ms);
/* Before the API's server; accepts NULL. */
void grpc_front_stop(struct grpc_front *front);

/* ---- grpc_calls.c ---- */
extern const struct bus_grpc_method grpc_order_methods[];
extern const size_t grpc_order_method_count;
/* The API's server, for the handlers of calls. */
struct bus_http_server *grpc_front_api(const struct grpc_front *front);
/* Takes one of the places for calls that take their time, a quarter of the threads. False: all are taken. True:
 * grpc_front_release must follow. */
bool grpc_front_hold(struct grpc_front *front) BUS_MUST_CHECK;
void grpc_front_release(struct grpc_front *front);

#endif
