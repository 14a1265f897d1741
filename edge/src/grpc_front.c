/* Starts and stops the gRPC server of the edge, and answers for its health. */
#include "grpc_front.h"

#include <grpc/health/v1/health.pb-c.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "grpc_reflection.h"
#include "grpc_shape.h"

enum { MESSAGE_MAX = 65536, METHODS_MAX = 16 };

struct grpc_front {
  struct grpc_front_settings settings;
  struct bus_grpc_server *server;
  struct bus_grpc_method methods[METHODS_MAX];
  size_t method_count;
  atomic_int held; /* calls that take their time */
};

bool grpc_front_hold(struct grpc_front *front) {
  int most = (int)front->settings.settings->grpc_threads / 4;
  if (atomic_fetch_add(&front->held, 1) < (most > 0 ? most : 1))
    return true;
  atomic_fetch_sub(&front->held, 1);
  return false;
}

void grpc_front_release(struct grpc_front *front) {
  atomic_fetch_sub(&front->held, 1);
}

struct bus_http_server *grpc_front_api(const struct grpc_front *front) {
  return front->settings.api;
}

/* The health of each service is that of the edge; "" is the server as a whole. */
static bool is_known(const char *service) {
  return *service == '\0' || bus_str_is_one_of(bus_str(service), grpc_service_names);
}

static bool is_ready(void *context) {
  const struct grpc_front *front = context;
  return front->settings.is_ready(front->settings.context);
}

static enum bus_grpc_code check_health(void *context, struct bus_str message, struct bus_arena *arena,
                                       struct bus_str *ret) {
  const ProtobufCMessage *asked =
      grpc_message_unpack(&grpc__health__v1__health_check_request__descriptor, message, arena);
  if (asked == NULL)
    return BUS_GRPC_INVALID_ARGUMENT;
  if (!is_known(((const Grpc__Health__V1__HealthCheckRequest *)(const void *)asked)->service))
    return BUS_GRPC_NOT_FOUND;
  Grpc__Health__V1__HealthCheckResponse health = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
  health.status = is_ready(context) ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                                    : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
  *ret = grpc_message_pack(&health.base, arena);
  return ret->data ? BUS_GRPC_OK : BUS_GRPC_UNAVAILABLE;
}

/* Old clients ask for reflection by its former name; its messages are the same. */
static void add_methods(struct grpc_front *front) {
  static const struct bus_grpc_method others[] = {
      {.path = "/grpc.health.v1.Health/Check", .each = check_health},
      {.path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", .each = grpc_reflect},
      {.path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", .each = grpc_reflect},
  };
  for (size_t i = 0; i < grpc_order_method_count; i++)
    front->methods[front->method_count++] = grpc_order_methods[i];
  for (size_t i = 0; i < BUS_COUNT(others); i++)
    front->methods[front->method_count++] = others[i];
}

bool grpc_front_start(const struct grpc_front_settings *settings, struct grpc_front **ret, struct bus_error *err) {
  const struct edge_settings *given = settings->settings;
  *ret = NULL;
  if (given->grpc_port == 0)
    return true;
  struct grpc_front *front = calloc(1, sizeof *front);
  if (front == NULL)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the gRPC front");
  front->settings = *settings;
  add_methods(front);
  const struct bus_grpc_settings server = {.bind = given->bind,
                                           .port = (int)given->grpc_port,
                                           .tls = settings->tls,
                                           .threads = (int)given->grpc_threads,
                                           .message_max = MESSAGE_MAX,
                                           .connections = (int)given->grpc_connections,
                                           .address_connections = (int)given->address_connections,
                                           .message_ms = given->body_deadline_ms,
                                           .idle_ms = given->keep_alive_ms,
                                           .trusted_proxies = settings->trusted_proxies,
                                           .is_ready = is_ready};
  if (bus_grpc_server_start(&server, front->methods, front->method_count, front, &front->server, err)) {
    *ret = front;
    return true;
  }
  free(front);
  return bus_error_wrap(err, "GRPC_PORT");
}

void grpc_front_drain(struct grpc_front *front, int64_t serve_ms) {
  if (front)
    bus_grpc_server_drain(front->server, serve_ms);
}

void grpc_front_stop(struct grpc_front *front) {
  if (front == NULL)
    return;
  bus_grpc_server_stop(front->server);
  free(front);
}
