/* From a struct and its field table to canonical JSON. */
#include <bus/field.h>
#include <bus/timefmt.h>

#include "json_write.h"

struct encoding {
  const struct bus_schema *schema;
  const void *value;
  bool nulls;
};

static const void *member(const void *value, size_t offset) {
  return (const char *)value + offset;
}

static const void *pointer_at(const void *slot) {
  const void *pointer;
  memcpy(&pointer, slot, sizeof pointer); /* the table knows no type of it */
  return pointer;
}

/* NULL where the index is not in the table. */
static const char *enum_name(const struct bus_field *field, int index) {
  for (int i = 0; i <= index && field->names[i]; i++)
    if (i == index)
      return field->names[i];
  return NULL;
}

static bool is_absent(const struct bus_field *field, const void *slot) {
  switch (field->kind) {
  case BUS_KIND_STRING:
  case BUS_KIND_JSON:
    return ((const struct bus_str *)slot)->data == NULL;
  case BUS_KIND_INT64:
  case BUS_KIND_SET:
  case BUS_KIND_TIME:
    return *(const int64_t *)slot == BUS_NO_INT64;
  case BUS_KIND_BOOL:
    return false;
  case BUS_KIND_ENUM:
    return enum_name(field, *(const int *)slot) == NULL;
  case BUS_KIND_UUID:
    return bus_uuid_is_nil(slot);
  case BUS_KIND_OBJECT:
    return pointer_at(slot) == NULL;
  case BUS_KIND_ARRAY: /* a required list without items may have no memory */
    return pointer_at(slot) == NULL && field->presence == BUS_OPTIONAL;
  case BUS_KIND_EMBED:
    return false;
  }
  return true;
}

static void write_struct(struct bus_json_writer *writer, const struct bus_schema *schema, const void *value,
                         bool nulls);

static void write_uuid(struct bus_json_writer *writer, const struct bus_uuid *uuid) {
  char text[BUS_UUID_TEXT];
  bus_uuid_format(uuid, text);
  bus_json_string(writer, bus_str(text));
}

static void write_time(struct bus_json_writer *writer, bus_time time) {
  char text[BUS_TIME_TEXT];
  bus_time_format(time, text);
  bus_json_string(writer, bus_str(text));
}

static void write_set(struct bus_json_writer *writer, const struct bus_field *field, int64_t set) {
  char separator = '[';
  for (int i = 0; field->names[i]; i++) {
    if ((set >> i & 1) == 0)
      continue;
    bus_json_char(writer, separator);
    bus_json_string(writer, bus_str(field->names[i]));
    separator = ',';
  }
  if (separator == '[')
    bus_json_char(writer, '[');
  bus_json_char(writer, ']');
}

static void write_array(struct bus_json_writer *writer, const struct bus_field *field, const void *value, bool nulls) {
  const char *items = pointer_at(member(value, field->offset));
  size_t count = items ? *(const size_t *)member(value, field->count_offset) : 0;
  bus_json_char(writer, '[');
  for (size_t i = 0; i < count; i++) {
    if (i > 0)
      bus_json_char(writer, ',');
    write_struct(writer, field->item, items + i * field->item->size, nulls);
  }
  bus_json_char(writer, ']');
}

static void write_value(struct bus_json_writer *writer, const struct bus_field *field, const void *value, bool nulls) {
  const void *slot = member(value, field->offset);
  switch (field->kind) {
  case BUS_KIND_STRING:
    bus_json_string(writer, *(const struct bus_str *)slot);
    break;
  case BUS_KIND_JSON:
    bus_json_raw(writer, *(const struct bus_str *)slot);
    break;
  case BUS_KIND_INT64:
    bus_json_int64(writer, *(const int64_t *)slot);
    break;
  case BUS_KIND_BOOL:
    bus_json_raw(writer, *(const bool *)slot ? BUS_STR("true") : BUS_STR("false"));
    break;
  case BUS_KIND_ENUM:
    bus_json_string(writer, bus_str(enum_name(field, *(const int *)slot)));
    break;
  case BUS_KIND_SET:
    write_set(writer, field, *(const int64_t *)slot);
    break;
  case BUS_KIND_UUID:
    write_uuid(writer, slot);
    break;
  case BUS_KIND_TIME:
    write_time(writer, *(const bus_time *)slot);
    break;
  case BUS_KIND_OBJECT:
    write_struct(writer, field->item, pointer_at(slot), nulls);
    break;
  case BUS_KIND_ARRAY:
    write_array(writer, field, value, nulls);
    break;
  case BUS_KIND_EMBED:
    break;
  }
}

/* A required member that is absent, which only a mistake of the caller's brings about, shows as null. Returns what
 * comes before the next member. */
static char write_members(struct bus_json_writer *writer, const struct bus_schema *schema, const void *value,
                          bool nulls, char separator) {
  for (size_t i = 0; i < schema->field_count; i++) {
    const struct bus_field *field = &schema->fields[i];
    bool absent = is_absent(field, member(value, field->offset));
    if (field->kind == BUS_KIND_EMBED)
      separator = write_members(writer, field->item, member(value, field->offset), nulls, separator);
    if (field->kind == BUS_KIND_EMBED || (absent && !nulls && field->presence == BUS_OPTIONAL))
      continue;
    bus_json_char(writer, separator);
    separator = ',';
    bus_json_string(writer, bus_str(field->name));
    bus_json_char(writer, ':');
    if (absent)
      bus_json_raw(writer, BUS_STR("null"));
    else
      write_value(writer, field, value, nulls);
  }
  return separator;
}

static void write_struct(struct bus_json_writer *writer, const struct bus_schema *schema, const void *value,
                         bool nulls) {
  if (write_members(writer, schema, value, nulls, '{') == '{')
    bus_json_char(writer, '{');
  bus_json_char(writer, '}');
}

static void write_document(struct bus_json_writer *writer, const void *context) {
  const struct encoding *encoding = context;
  write_struct(writer, encoding->schema, encoding->value, encoding->nulls);
}

bool bus_encode(const struct bus_schema *schema, const void *value, struct bus_arena *arena, struct bus_str *ret) {
  return bus_json_build(arena, write_document, &(struct encoding){schema, value, false}, ret);
}

bool bus_encode_nulls(const struct bus_schema *schema, const void *value, struct bus_arena *arena,
                      struct bus_str *ret) {
  return bus_json_build(arena, write_document, &(struct encoding){schema, value, true}, ret);
}
