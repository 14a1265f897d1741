/* From a struct and its field table to a message of protobuf, whose fields have the names of the table's. Pure. */
#ifndef EDGE_GRPC_SHAPE_H
#define EDGE_GRPC_SHAPE_H

#include <bus/field.h>
#include <protobuf-c/protobuf-c.h>

/* The message's fields that the table does not have keep their defaults. NULL when out of memory. */
ProtobufCMessage *grpc_shape(const ProtobufCMessageDescriptor *descriptor, const struct bus_schema *schema,
                             const void *record, struct bus_arena *arena);
/* Defaults alone. NULL when out of memory. */
ProtobufCMessage *grpc_message_new(const ProtobufCMessageDescriptor *descriptor, struct bus_arena *arena);
/* The field of that name; NULL: there is none. */
void *grpc_message_field(ProtobufCMessage *message, const char *name);
/* The encoded message; data is NULL when out of memory. */
struct bus_str grpc_message_pack(const ProtobufCMessage *message, struct bus_arena *arena);
/* NULL: the bytes are no such message, or out of memory. */
ProtobufCMessage *grpc_message_unpack(const ProtobufCMessageDescriptor *descriptor, struct bus_str bytes,
                                      struct bus_arena *arena);

#endif
