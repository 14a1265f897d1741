/* The protos of the gRPC front as a FileDescriptorSet. */
#ifndef EDGE_GRPC_EMBEDDED_H
#define EDGE_GRPC_EMBEDDED_H

#include "embedded.h"

extern const struct embedded_file protos_set;

#endif
