/* Decoding of single values: what each kind takes, and the sentence that says so. */
#include "field_value.h"

#include <bus/timefmt.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "ascii.h"
#include "json_write.h"
#include "utf8.h"

/* A number or boolean alone: a string may be personal, or a secret. */
static void note_value(struct bus_problems *problems, const cJSON *value) {
  size_t n = problems->count - 1;
  if (value == NULL || n >= BUS_PROBLEMS_MAX)
    return;
  struct bus_problem *problem = &problems->items[n];
  if (cJSON_IsNumber(value) && isfinite(value->valuedouble))
    snprintf(problem->value, sizeof problem->value, "%lld", (long long)value->valuedouble);
  else if (cJSON_IsBool(value))
    snprintf(problem->value, sizeof problem->value, "%s", cJSON_IsTrue(value) ? "true" : "false");
}

void bus_field_problem(struct bus_field_sink *sink, const char *format, ...) {
  sink->failed = true;
  if (sink->problems == NULL)
    return;
  va_list args;
  va_start(args, format);
  bus_problem_add_args(sink->problems, bus_path_text(&sink->path), format, args);
  va_end(args);
  note_value(sink->problems, sink->value);
}

void bus_field_no_memory(struct bus_field_sink *sink) {
  if (!sink->no_memory)
    bus_problem_add_no_memory(sink->problems);
  sink->failed = true;
  sink->no_memory = true;
}

void *bus_field_alloc(struct bus_field_sink *sink, size_t count, size_t size) {
  void *memory = bus_arena_array(sink->arena, count, size);
  if (memory == NULL)
    bus_field_no_memory(sink);
  return memory;
}

void bus_field_set_absent(const struct bus_field *field, void *record) {
  void *slot = (char *)record + field->offset;
  switch (field->kind) {
  case BUS_KIND_STRING:
  case BUS_KIND_JSON:
    *(struct bus_str *)slot = bus_str(field->fallback);
    break;
  case BUS_KIND_INT64:
  case BUS_KIND_SET:
  case BUS_KIND_TIME:
    *(int64_t *)slot = field->fallback ? strtoll(field->fallback, NULL, 10) : BUS_NO_INT64;
    break;
  case BUS_KIND_BOOL:
    *(bool *)slot = false;
    break;
  case BUS_KIND_ENUM:
    *(int *)slot = -1;
    break;
  case BUS_KIND_UUID:
    *(struct bus_uuid *)slot = (struct bus_uuid){{0}};
    break;
  case BUS_KIND_ARRAY:
    *(size_t *)(void *)((char *)record + field->count_offset) = 0;
    memset(slot, 0, sizeof(void *));
    break;
  case BUS_KIND_OBJECT:
    memset(slot, 0, sizeof(void *));
    break;
  case BUS_KIND_EMBED:
    bus_set_absent(field->item, slot);
    break;
  }
}

void bus_set_absent(const struct bus_schema *schema, void *record) {
  for (size_t i = 0; i < schema->field_count; i++)
    bus_field_set_absent(&schema->fields[i], record);
}

static bool is_token_char(uint32_t code) {
  return (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z') || (code >= '0' && code <= '9') || code == '.' ||
         code == '_' || code == ':' || code == '-';
}

static bool is_in_charset(enum bus_charset charset, uint32_t code) {
  switch (charset) {
  case BUS_TEXT:
    return !bus_utf8_is_control(code);
  case BUS_PLAIN:
    return !bus_utf8_is_control(code) && !bus_utf8_is_bidi_control(code);
  case BUS_VISIBLE:
    return code > 0x20 && code < 0x7F;
  case BUS_TOKEN:
  case BUS_ID:
    return is_token_char(code);
  }
  return false;
}

bool bus_text_is_of(enum bus_charset charset, struct bus_str text) {
  uint32_t code;
  if (charset == BUS_ID && (bus_str_is(text, ".") || bus_str_is(text, "..")))
    return false;
  for (size_t at = 0, count; at < text.len; at += count) {
    count = bus_utf8_next(text.data + at, text.len - at, &code);
    if (count == 0 || !is_in_charset(charset, code))
      return false;
  }
  return true;
}

bool bus_id_is_valid(struct bus_str text) {
  return text.len > 0 && text.len <= BUS_ID_MAX && bus_text_is_of(BUS_ID, text);
}

static void refuse_string(struct bus_field_sink *sink, const struct bus_field *field, bool is_string) {
  static const char *const of[] = {
      [BUS_TEXT] = "bytes of text without control characters",
      [BUS_PLAIN] = "bytes of text without control characters and bidirectional controls",
      [BUS_VISIBLE] = "visible ASCII characters",
      [BUS_TOKEN] = "characters of A-Z a-z 0-9 . _ : -",
      [BUS_ID] = "characters of A-Z a-z 0-9 . _ : -, and not \".\" or \"..\"",
  };
  char bounds[48];
  if (field->min == field->max)
    snprintf(bounds, sizeof bounds, "%lld", (long long)field->min);
  else
    snprintf(bounds, sizeof bounds, "%lld to %lld", (long long)field->min, (long long)field->max);
  bus_field_problem(sink, "must be %s%s %s", is_string ? "" : "a string of ", bounds, of[field->charset]);
}

static void keep_copy(struct bus_field_sink *sink, struct bus_str text, struct bus_str *ret) {
  struct bus_str copy = bus_arena_copy(sink->arena, text);
  if (copy.data)
    *ret = copy;
  else
    bus_field_no_memory(sink);
}

static void decode_string(struct bus_field_sink *sink, const struct bus_field *field, const cJSON *value, void *slot) {
  struct bus_str text = bus_str(cJSON_GetStringValue(value));
  if (text.data == NULL || (int64_t)text.len < field->min || (int64_t)text.len > field->max ||
      !bus_text_is_of(field->charset, text))
    refuse_string(sink, field, text.data != NULL);
  else
    keep_copy(sink, text, slot);
}

static void decode_int64(struct bus_field_sink *sink, const struct bus_field *field, const cJSON *value, void *slot) {
  int64_t least = field->min > -BUS_JSON_INT_MAX ? field->min : -BUS_JSON_INT_MAX;
  int64_t most = field->max < BUS_JSON_INT_MAX ? field->max : BUS_JSON_INT_MAX;
  bool exact = cJSON_IsNumber(value) && isfinite(value->valuedouble);
  int64_t number = exact ? (int64_t)value->valuedouble : 0; /* the scan has bounded it by 10^12 */
  if (!exact || number < least || number > most)
    bus_field_problem(sink, "must be an integer from %lld to %lld", (long long)least, (long long)most);
  else
    *(int64_t *)slot = number;
}

static void decode_bool(struct bus_field_sink *sink, const cJSON *value, void *slot) {
  if (cJSON_IsBool(value))
    *(bool *)slot = cJSON_IsTrue(value);
  else
    bus_field_problem(sink, "must be true or false");
}

/* The names as a list for a sentence, cut where they do not fit. */
static const char *list_names(const struct bus_field *field, char names[128]) {
  names[0] = '\0';
  for (size_t i = 0, len = 0; field->names[i] && len < 127; i++, len = strlen(names))
    snprintf(names + len, 128 - len, "%s%s", i > 0 ? ", " : "", field->names[i]);
  return names;
}

/* -1: none of the names. */
static int find_name(const struct bus_field *field, const cJSON *value) {
  const char *text = cJSON_GetStringValue(value);
  for (int i = 0; text && field->names[i]; i++)
    if (strcmp(field->names[i], text) == 0)
      return i;
  return -1;
}

static void decode_enum(struct bus_field_sink *sink, const struct bus_field *field, const cJSON *value, void *slot) {
  char names[128];
  int found = find_name(field, value);
  if (found >= 0)
    *(int *)slot = found;
  else
    bus_field_problem(sink, "must be one of %s", list_names(field, names));
}

static void decode_set(struct bus_field_sink *sink, const struct bus_field *field, const cJSON *value, void *slot) {
  char names[128];
  int64_t set = 0, count = cJSON_IsArray(value) ? cJSON_GetArraySize(value) : -1;
  bool good = count >= field->min && count <= field->max;
  for (const cJSON *item = good ? value->child : NULL; item; item = item->next) {
    int found = find_name(field, item);
    good = good && found >= 0 && (set >> found & 1) == 0;
    set |= found >= 0 ? INT64_C(1) << found : 0;
  }
  if (good)
    *(int64_t *)slot = set;
  else
    bus_field_problem(sink, "must be a list of %lld to %lld of %s, each once", (long long)field->min,
                      (long long)field->max, list_names(field, names));
}

/* The nil UUID stands for "absent" in the struct, so it is no value. */
static void decode_uuid(struct bus_field_sink *sink, const cJSON *value, void *slot) {
  struct bus_uuid uuid;
  if (bus_uuid_parse(bus_str(cJSON_GetStringValue(value)), &uuid) && !bus_uuid_is_nil(&uuid))
    *(struct bus_uuid *)slot = uuid;
  else
    bus_field_problem(sink, "must be a UUID, and not the nil one");
}

static void decode_time(struct bus_field_sink *sink, const cJSON *value, void *slot) {
  bus_time time;
  if (bus_time_parse(bus_str(cJSON_GetStringValue(value)), &time))
    *(bus_time *)slot = time;
  else
    bus_field_problem(sink, "must be a time such as 2026-03-01T12:00:00.000Z");
}

static bool has_inexact_number(const cJSON *value) {
  if (cJSON_IsNumber(value))
    return !isfinite(value->valuedouble);
  const cJSON *child;
  cJSON_ArrayForEach(child, value) {
    if (has_inexact_number(child))
      return true;
  }
  return false;
}

static void print_tree(struct bus_json_writer *writer, const void *context) {
  const cJSON *value = context;
  if (cJSON_IsString(value))
    bus_json_string(writer, bus_str(value->valuestring));
  else if (cJSON_IsNumber(value))
    bus_json_int64(writer, (int64_t)value->valuedouble);
  else if (cJSON_IsBool(value))
    bus_json_raw(writer, cJSON_IsTrue(value) ? BUS_STR("true") : BUS_STR("false"));
  else if (cJSON_IsNull(value))
    bus_json_raw(writer, BUS_STR("null"));
  else {
    bus_json_char(writer, cJSON_IsObject(value) ? '{' : '[');
    for (const cJSON *child = value->child; child; child = child->next) {
      if (child->string) {
        bus_json_string(writer, bus_str(child->string));
        bus_json_char(writer, ':');
      }
      print_tree(writer, child);
      if (child->next)
        bus_json_char(writer, ',');
    }
    bus_json_char(writer, cJSON_IsObject(value) ? '}' : ']');
  }
}

static void decode_json(struct bus_field_sink *sink, const struct bus_field *field, const cJSON *value, void *slot) {
  struct bus_str text;
  if (has_inexact_number(value))
    bus_field_problem(sink, "must hold no numbers but integers from -%lld to %lld", (long long)BUS_JSON_INT_MAX,
                      (long long)BUS_JSON_INT_MAX);
  else if (!bus_json_build(sink->arena, print_tree, value, &text))
    bus_field_no_memory(sink);
  else if ((int64_t)text.len > field->max)
    bus_field_problem(sink, "must be at most %lld bytes of JSON", (long long)field->max);
  else
    *(struct bus_str *)slot = text;
}

void bus_field_decode_value(struct bus_field_sink *sink, const struct bus_field *field, const struct cJSON *value,
                            void *slot) {
  sink->value = value;
  switch (field->kind) {
  case BUS_KIND_STRING:
    decode_string(sink, field, value, slot);
    break;
  case BUS_KIND_INT64:
    decode_int64(sink, field, value, slot);
    break;
  case BUS_KIND_BOOL:
    decode_bool(sink, value, slot);
    break;
  case BUS_KIND_ENUM:
    decode_enum(sink, field, value, slot);
    break;
  case BUS_KIND_SET:
    decode_set(sink, field, value, slot);
    break;
  case BUS_KIND_UUID:
    decode_uuid(sink, value, slot);
    break;
  case BUS_KIND_TIME:
    decode_time(sink, value, slot);
    break;
  case BUS_KIND_JSON:
    decode_json(sink, field, value, slot);
    break;
  case BUS_KIND_OBJECT:
  case BUS_KIND_ARRAY:
  case BUS_KIND_EMBED:
    break;
  }
  sink->value = NULL;
}

enum { NUMBER_DIGITS_MAX = 13 }; /* enough for BUS_JSON_INT_MAX */

/* A text that is not of the field's kind stays a string, which the field's decoder refuses. */
static struct cJSON node_of(const struct bus_field *field, struct bus_str text, char *copy) {
  int64_t number;
  if (field->kind == BUS_KIND_INT64 && bus_str_number(text, NUMBER_DIGITS_MAX, &number))
    return (struct cJSON){.type = cJSON_Number, .valuedouble = (double)number};
  if (field->kind == BUS_KIND_BOOL && bus_str_is(text, "true"))
    return (struct cJSON){.type = cJSON_True};
  if (field->kind == BUS_KIND_BOOL && bus_str_is(text, "false"))
    return (struct cJSON){.type = cJSON_False};
  return (struct cJSON){.type = cJSON_String, .valuestring = copy};
}

void bus_field_decode_text(struct bus_field_sink *sink, const struct bus_field *field, struct bus_str text,
                           void *slot) {
  struct bus_field_sink quiet = {.arena = sink->arena};
  char *copy = bus_field_alloc(sink, text.len + 1, 1);
  if (copy == NULL)
    return;
  memcpy(copy, text.data, text.len);
  copy[text.len] = '\0';
  const struct cJSON node = node_of(field, text, copy);
  bus_field_decode_value(field->opaque ? &quiet : sink, field, &node, slot);
  if (quiet.no_memory)
    bus_field_no_memory(sink);
  else if (quiet.failed)
    bus_field_problem(sink, "must be %s", field->description);
}
