/* gRPC's server reflection: the protos of the front, as protoc-c has read them at the build. Pure. */
#ifndef EDGE_GRPC_REFLECTION_H
#define EDGE_GRPC_REFLECTION_H

#include <bus/grpc.h>

/* Answers one ServerReflectionRequest. */
enum bus_grpc_code grpc_reflect(void *context, struct bus_str message, struct bus_arena *arena, struct bus_str *ret);
/* Names of the services, NULL-terminated. */
extern const char *const grpc_service_names[];

#endif
