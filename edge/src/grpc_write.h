/* From a message of protobuf to the request that REST would have had: JSON for a body, or a query. Names are the same
 * in both; a name of an enum is written without its prefix, and a field at its default is absent. Pure. */
#ifndef EDGE_GRPC_WRITE_H
#define EDGE_GRPC_WRITE_H

#include <bus/arena.h>
#include <protobuf-c/protobuf-c.h>

/* skipped: names of the message's own fields that stand elsewhere, NULL-terminated. data is NULL when out of memory. */
struct bus_str grpc_write_json(const ProtobufCMessage *message, const char *const *skipped, struct bus_arena *arena);
/* "limit=20&status=CONFIRMED"; numbers, texts and enums alone. */
struct bus_str grpc_write_query(const ProtobufCMessage *message, const char *const *skipped, struct bus_arena *arena);

enum { GRPC_ENUM_PREFIX = 64 };
/* "ORDER_STATUS_" for OrderStatus. */
void grpc_enum_prefix(const ProtobufCEnumDescriptor *descriptor, char ret[GRPC_ENUM_PREFIX]);

#endif
