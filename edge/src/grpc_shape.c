/* Fills messages from structs by the names of their fields. */
#include "grpc_shape.h"

#include <bus/uuid.h>
#include <google/protobuf/timestamp.pb-c.h>
#include <stdio.h>

#include "grpc_write.h"

ProtobufCMessage *grpc_message_new(const ProtobufCMessageDescriptor *descriptor, struct bus_arena *arena) {
  ProtobufCMessage *message = bus_arena_alloc(arena, descriptor->sizeof_message);
  if (message)
    protobuf_c_message_init(descriptor, message);
  return message;
}

void *grpc_message_field(ProtobufCMessage *message, const char *name) {
  const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
  return field ? (char *)message + field->offset : NULL;
}

struct bus_str grpc_message_pack(const ProtobufCMessage *message, struct bus_arena *arena) {
  size_t size = protobuf_c_message_get_packed_size(message);
  uint8_t *bytes = bus_arena_alloc(arena, size + 1);
  if (bytes == NULL)
    return BUS_NO_STR;
  return (struct bus_str){(const char *)bytes, protobuf_c_message_pack(message, bytes)};
}

static void *allocate(void *arena, size_t size) {
  return bus_arena_alloc(arena, size);
}

static void keep(void *arena, void *memory) {
  (void)arena;
  (void)memory;
}

ProtobufCMessage *grpc_message_unpack(const ProtobufCMessageDescriptor *descriptor, struct bus_str bytes,
                                      struct bus_arena *arena) {
  ProtobufCAllocator allocator = {.alloc = allocate, .free = keep, .allocator_data = arena};
  return protobuf_c_message_unpack(descriptor, &allocator, bytes.len, (const uint8_t *)bytes.data);
}

/* ---- values ---- */

struct place {
  const ProtobufCFieldDescriptor *field;
  char *at, *quantifier;
};

static bool put_text(const struct place *place, struct bus_str text, struct bus_arena *arena) {
  if (text.data == NULL)
    return true;
  struct bus_str copy = bus_arena_copy(arena, text);
  *(char **)(void *)place->at = (char *)(uintptr_t)copy.data;
  return copy.data != NULL;
}

static void put_number(const struct place *place, int64_t number) {
  if (number == BUS_NO_INT64)
    return;
  if (place->field->type == PROTOBUF_C_TYPE_INT32)
    *(int32_t *)(void *)place->at = (int32_t)number;
  else
    *(int64_t *)(void *)place->at = number;
}

/* A name that the enum does not have stays unspecified. */
static void put_enum(const struct place *place, const struct bus_field *from, int index) {
  char name[2 * GRPC_ENUM_PREFIX], prefix[GRPC_ENUM_PREFIX];
  if (index < 0)
    return;
  grpc_enum_prefix(place->field->descriptor, prefix);
  (void)snprintf(name, sizeof name, "%s%s", prefix, from->names[index]);
  const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(place->field->descriptor, name);
  *(int *)(void *)place->at = value ? value->value : 0;
}

static bool put_time(const struct place *place, bus_time time, struct bus_arena *arena) {
  if (time == BUS_NO_TIME)
    return true;
  ProtobufCMessage *message = grpc_message_new(&google__protobuf__timestamp__descriptor, arena);
  if (message == NULL)
    return false;
  Google__Protobuf__Timestamp *timestamp = (Google__Protobuf__Timestamp *)(void *)message;
  timestamp->seconds = time / BUS_SECOND; /* no time of an order is before 1970 */
  timestamp->nanos = (int32_t)(time % BUS_SECOND) * 1000;
  *(ProtobufCMessage **)(void *)place->at = message;
  return true;
}

static bool put_object(const struct place *place, const struct bus_field *from, const void *record,
                       struct bus_arena *arena) {
  if (record == NULL)
    return true;
  ProtobufCMessage *message = grpc_shape(place->field->descriptor, from->item, record, arena);
  *(ProtobufCMessage **)(void *)place->at = message;
  return message != NULL;
}

static bool put_array(const struct place *place, const struct bus_field *from, const char *items, size_t count,
                      struct bus_arena *arena) {
  ProtobufCMessage **list = bus_arena_array(arena, count > 0 ? count : 1, sizeof *list);
  if (list == NULL)
    return false;
  for (size_t i = 0; i < count; i++) {
    list[i] = grpc_shape(place->field->descriptor, from->item, items + i * from->item->size, arena);
    if (list[i] == NULL)
      return false;
  }
  *(ProtobufCMessage ***)(void *)place->at = list;
  *(size_t *)(void *)place->quantifier = count;
  return true;
}

static bool put_uuid(const struct place *place, const struct bus_uuid *uuid, struct bus_arena *arena) {
  char text[BUS_UUID_TEXT];
  if (bus_uuid_is_nil(uuid))
    return true;
  bus_uuid_format(uuid, text);
  return put_text(place, bus_str(text), arena);
}

static bool put(const struct place *place, const struct bus_field *from, const char *record, struct bus_arena *arena) {
  const void *at = record + from->offset;
  switch (from->kind) {
  case BUS_KIND_STRING:
  case BUS_KIND_JSON:
    return put_text(place, *(const struct bus_str *)at, arena);
  case BUS_KIND_INT64:
    put_number(place, *(const int64_t *)at);
    return true;
  case BUS_KIND_BOOL:
    *(protobuf_c_boolean *)(void *)place->at = *(const bool *)at;
    return true;
  case BUS_KIND_ENUM:
    put_enum(place, from, *(const int *)at);
    return true;
  case BUS_KIND_UUID:
    return put_uuid(place, at, arena);
  case BUS_KIND_TIME:
    return put_time(place, *(const bus_time *)at, arena);
  case BUS_KIND_OBJECT:
    return put_object(place, from, *(const void *const *)at, arena);
  case BUS_KIND_ARRAY:
    return put_array(place, from, *(const char *const *)at,
                     *(const size_t *)(const void *)(record + from->count_offset), arena);
  case BUS_KIND_SET:
  case BUS_KIND_EMBED:
    break;
  }
  return true;
}

/* The members of an embedded struct are members of the message. */
static bool fill(ProtobufCMessage *message, const struct bus_schema *schema, const char *record,
                 struct bus_arena *arena) {
  for (size_t i = 0; i < schema->field_count; i++) {
    const struct bus_field *from = &schema->fields[i];
    if (from->kind == BUS_KIND_EMBED) {
      if (!fill(message, from->item, record + from->offset, arena))
        return false;
      continue;
    }
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, from->name);
    const struct place place = {field, (char *)message + (field ? field->offset : 0),
                                (char *)message + (field ? field->quantifier_offset : 0)};
    if (field && !put(&place, from, record, arena))
      return false;
  }
  return true;
}

ProtobufCMessage *grpc_shape(const ProtobufCMessageDescriptor *descriptor, const struct bus_schema *schema,
                             const void *record, struct bus_arena *arena) {
  ProtobufCMessage *message = grpc_message_new(descriptor, arena);
  return message && fill(message, schema, record, arena) ? message : NULL;
}
