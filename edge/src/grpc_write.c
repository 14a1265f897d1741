/* Writes a message field by field, as its descriptor says. */
#include "grpc_write.h"

#include <inttypes.h>
#include <orderbus/v1/order_service.pb-c.h>
#include <stdio.h>

enum { FIRST_ROOM = 512 };

struct text {
  struct bus_arena *arena;
  char *bytes;
  size_t len, room;
  bool failed;
};

static void add(struct text *text, const char *bytes, size_t len) {
  char *grown = text->failed
                    ? NULL
                    : bus_arena_grow(text->arena, text->bytes, text->len, text->len + len + 1, FIRST_ROOM, &text->room);
  text->failed = grown == NULL;
  if (text->failed)
    return;
  text->bytes = grown;
  memcpy(text->bytes + text->len, bytes, len);
  text->len += len;
}

static void add_text(struct text *text, const char *bytes) {
  add(text, bytes, strlen(bytes));
}

static struct bus_str end(struct text *text) {
  add(text, "", 1);
  return text->failed ? BUS_NO_STR : (struct bus_str){text->bytes, text->len - 1};
}

/* ---- one value ---- */

/* Bytes that are no UTF-8 stay as they are: the decoder refuses them. */
static void add_string(struct text *text, const char *string) {
  char escape[8];
  add_text(text, "\"");
  for (; *string; string++) {
    unsigned char c = (unsigned char)*string;
    if (c >= 0x20 && c != '"' && c != '\\') {
      add(text, string, 1);
      continue;
    }
    (void)snprintf(escape, sizeof escape, "\\u%04x", c);
    add_text(text, escape);
  }
  add_text(text, "\"");
}

/* For a query: all but unreserved characters is escaped. */
static void add_escaped(struct text *text, const char *string) {
  static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  char escape[4];
  for (; *string; string++) {
    if (strchr(unreserved, *string)) {
      add(text, string, 1);
      continue;
    }
    (void)snprintf(escape, sizeof escape, "%%%02X", (unsigned char)*string);
    add_text(text, escape);
  }
}

void grpc_enum_prefix(const ProtobufCEnumDescriptor *descriptor, char ret[GRPC_ENUM_PREFIX]) {
  size_t len = 0;
  for (const char *at = descriptor->short_name; *at && len < GRPC_ENUM_PREFIX - 3; at++) {
    bool upper = *at >= 'A' && *at <= 'Z';
    if (upper && len > 0)
      ret[len++] = '_';
    ret[len++] = (char)(upper || *at < 'a' ? *at : *at - 'a' + 'A');
  }
  ret[len++] = '_';
  ret[len] = '\0';
}

/* REST writes names of this enum in lower case. */
static void lower(const ProtobufCEnumDescriptor *descriptor, char *text) {
  if (descriptor == &orderbus__v1__payment_when__descriptor)
    for (; *text; text++)
      *text = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
}

/* A number without a name is written as it is: the decoder says which names are allowed. */
static void name_enum(const ProtobufCEnumDescriptor *descriptor, int number, char ret[GRPC_ENUM_PREFIX]) {
  char prefix[GRPC_ENUM_PREFIX];
  const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, number);
  grpc_enum_prefix(descriptor, prefix);
  if (value)
    (void)snprintf(ret, GRPC_ENUM_PREFIX, "%s", value->name + strlen(prefix));
  else
    (void)snprintf(ret, GRPC_ENUM_PREFIX, "%d", number);
  lower(descriptor, ret);
}

static void print_number(const ProtobufCFieldDescriptor *field, const void *at, char ret[24]) {
  int64_t number = field->type == PROTOBUF_C_TYPE_INT32 ? *(const int32_t *)at : *(const int64_t *)at;
  (void)snprintf(ret, 24, "%" PRId64, number);
}

static void add_message(struct text *text, const ProtobufCMessage *message, const char *const *skipped);

static void add_value(struct text *text, const ProtobufCFieldDescriptor *field, const void *at) {
  char name[GRPC_ENUM_PREFIX];
  switch (field->type) {
  case PROTOBUF_C_TYPE_INT32:
  case PROTOBUF_C_TYPE_INT64:
    print_number(field, at, name);
    add_text(text, name);
    break;
  case PROTOBUF_C_TYPE_BOOL:
    add_text(text, *(const protobuf_c_boolean *)at ? "true" : "false");
    break;
  case PROTOBUF_C_TYPE_ENUM:
    name_enum(field->descriptor, *(const int *)at, name);
    add_string(text, name);
    break;
  case PROTOBUF_C_TYPE_STRING:
    add_string(text, *(const char *const *)at);
    break;
  case PROTOBUF_C_TYPE_MESSAGE:
    add_message(text, *(const ProtobufCMessage *const *)at, NULL);
    break;
  default: /* requests have no other kind; a test writes all of them */
    text->failed = true;
    break;
  }
}

/* ---- fields ---- */

static const char *at_of(const ProtobufCMessage *message, size_t offset) {
  return (const char *)message + offset;
}

static bool is_default(const ProtobufCFieldDescriptor *field, const void *at) {
  switch (field->type) {
  case PROTOBUF_C_TYPE_INT64:
    return *(const int64_t *)at == 0;
  case PROTOBUF_C_TYPE_BOOL:
    return !*(const protobuf_c_boolean *)at;
  case PROTOBUF_C_TYPE_STRING:
    return *(const char *const *)at == NULL || **(const char *const *)at == '\0';
  case PROTOBUF_C_TYPE_MESSAGE:
    return *(const ProtobufCMessage *const *)at == NULL;
  default:
    return *(const int32_t *)at == 0;
  }
}

static bool is_there(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                     const char *const *skipped) {
  if (skipped && bus_str_is_one_of(bus_str(field->name), skipped))
    return false;
  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    return *(const size_t *)(const void *)at_of(message, field->quantifier_offset) > 0;
  return !is_default(field, at_of(message, field->offset));
}

/* Items are messages: requests have no other list. */
static void add_list(struct text *text, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  size_t count = *(const size_t *)(const void *)at_of(message, field->quantifier_offset);
  const ProtobufCMessage *const *items =
      *(const ProtobufCMessage *const *const *)(const void *)at_of(message, field->offset);
  add_text(text, "[");
  for (size_t i = 0; i < count; i++) {
    add_text(text, i > 0 ? "," : "");
    add_message(text, items[i], NULL);
  }
  add_text(text, "]");
}

static void add_message(struct text *text, const ProtobufCMessage *message, const char *const *skipped) {
  const char *separator = "";
  add_text(text, "{");
  for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    if (!is_there(message, field, skipped))
      continue;
    add_text(text, separator);
    add_string(text, field->name);
    add_text(text, ":");
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
      add_list(text, message, field);
    else
      add_value(text, field, at_of(message, field->offset));
    separator = ",";
  }
  add_text(text, "}");
}

struct bus_str grpc_write_json(const ProtobufCMessage *message, const char *const *skipped, struct bus_arena *arena) {
  struct text text = {.arena = arena};
  add_message(&text, message, skipped);
  return end(&text);
}

static void add_parameter(struct text *text, const ProtobufCFieldDescriptor *field, const void *at) {
  char value[GRPC_ENUM_PREFIX];
  add_text(text, field->name);
  add_text(text, "=");
  if (field->type == PROTOBUF_C_TYPE_STRING) {
    add_escaped(text, *(const char *const *)at);
    return;
  }
  if (field->type == PROTOBUF_C_TYPE_ENUM)
    name_enum(field->descriptor, *(const int *)at, value);
  else
    print_number(field, at, value);
  add_text(text, value);
}

struct bus_str grpc_write_query(const ProtobufCMessage *message, const char *const *skipped, struct bus_arena *arena) {
  struct text text = {.arena = arena};
  const char *separator = "";
  for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    if (!is_there(message, field, skipped))
      continue;
    add_text(&text, separator);
    add_parameter(&text, field, at_of(message, field->offset));
    separator = "&";
  }
  return end(&text);
}
