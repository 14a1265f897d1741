/* JSON Schema (2020-12) of field tables. */
#include "json_schema.h"

#include <stdarg.h>

void bus_json_put(struct bus_json_writer *writer, const char *format, ...) {
  va_list args;
  va_start(args, format);
  for (; *format; format++) {
    if (*format != '$')
      bus_json_char(writer, (char)(*format == '\'' ? '"' : *format));
    else if (*++format == 's')
      bus_json_string(writer, bus_str(va_arg(args, const char *)));
    else if (*format == 'v')
      bus_json_string(writer, va_arg(args, struct bus_str));
    else if (*format == 'r')
      bus_json_raw(writer, bus_str(va_arg(args, const char *)));
    else
      bus_json_int64(writer, va_arg(args, long long));
  }
  va_end(args);
}

const char *bus_json_comma(bool due) {
  return due ? "," : "";
}

/* The words of JSON Schema for each kind. */
static const struct words {
  const char *type, *min, *max, *format;
} words[] = {
    [BUS_KIND_STRING] = {"string", "minLength", "maxLength", NULL},
    [BUS_KIND_INT64] = {"integer", "minimum", "maximum", NULL},
    [BUS_KIND_BOOL] = {"boolean", NULL, NULL, NULL},
    [BUS_KIND_ENUM] = {"string", NULL, NULL, NULL},
    [BUS_KIND_SET] = {"array", "minItems", "maxItems", NULL},
    [BUS_KIND_UUID] = {"string", NULL, NULL, "uuid"},
    [BUS_KIND_TIME] = {"string", NULL, NULL, "date-time"},
    [BUS_KIND_OBJECT] = {"object", NULL, NULL, NULL},
    [BUS_KIND_ARRAY] = {"array", "minItems", "maxItems", NULL},
    [BUS_KIND_JSON] = {NULL, NULL, NULL, NULL},
    [BUS_KIND_EMBED] = {NULL, NULL, NULL, NULL},
};

#define CONTROLS "\\x00-\\x1F\\x7F-\\x9F"
static const char *const patterns[] = {
    [BUS_TEXT] = "^[^" CONTROLS "]*$",
    [BUS_PLAIN] = "^[^" CONTROLS "\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069]*$",
    [BUS_VISIBLE] = "^[\\x21-\\x7E]*$",
    [BUS_TOKEN] = "^[A-Za-z0-9._:-]*$",
    [BUS_ID] = "^(?!\\.{1,2}$)[A-Za-z0-9._:-]*$",
};

/* A table bounds the bytes of a text, JSON Schema its characters: x-maxBytes has the exact bound of a text that may
 * hold characters of several bytes. */
static void write_string_words(struct bus_json_writer *writer, const struct bus_field *field) {
  if (field->charset == BUS_TEXT || field->charset == BUS_PLAIN)
    bus_json_put(writer, "'x-maxBytes':$d,", (long long)field->max);
  bus_json_put(writer, "'pattern':$s,", field->pattern ? field->pattern : patterns[field->charset]);
}

static void write_bounds(struct bus_json_writer *writer, const struct bus_field *field) {
  const struct words *word = &words[field->kind];
  if (word->min)
    bus_json_put(writer, "$s:$d,$s:$d,", word->min, (long long)field->min, word->max, (long long)field->max);
  if (word->format)
    bus_json_put(writer, "'format':$s,", word->format);
  if (field->kind == BUS_KIND_STRING)
    write_string_words(writer, field);
}

static void write_names(struct bus_json_writer *writer, const char *const *names, bool nullable) {
  bus_json_put(writer, "'enum':[");
  for (size_t i = 0; names[i]; i++)
    bus_json_put(writer, "$r$s", bus_json_comma(i > 0), names[i]);
  bus_json_put(writer, nullable ? ",null]," : "],");
}

static void write_set(struct bus_json_writer *writer, const char *const *names) {
  bus_json_put(writer, "'uniqueItems':true,'items':{");
  write_names(writer, names, false);
  bus_json_put(writer, "'type':'string'},");
}

static void write_members(struct bus_json_writer *writer, const struct bus_schema *schema, struct bus_schema_use use);

static void write_inner(struct bus_json_writer *writer, const struct bus_field *field, struct bus_schema_use use) {
  bool is_list = field->kind == BUS_KIND_ARRAY;
  if (is_list)
    bus_json_put(writer, "'items':{'type':'object',");
  write_members(writer, field->item, use);
  bus_json_put(writer, is_list ? "}," : ",");
}

/* The example of a set is one of its names. */
static void write_value(struct bus_json_writer *writer, const struct bus_field *field, const char *text) {
  bool is_raw = field->kind == BUS_KIND_INT64 || field->kind == BUS_KIND_BOOL;
  bus_json_put(writer, field->kind == BUS_KIND_SET ? "[$s]" : is_raw ? "$r" : "$s", text);
}

void bus_json_schema_field(struct bus_json_writer *writer, const struct bus_field *field, struct bus_schema_use use) {
  bool nullable = use.nullable && field->presence == BUS_OPTIONAL;
  const char *type = words[field->kind].type;
  bus_json_put(writer, "{");
  if (type)
    bus_json_put(writer, nullable ? "'type':[$s,'null']," : "'type':$s,", type);
  write_bounds(writer, field);
  if (field->kind == BUS_KIND_ENUM)
    write_names(writer, field->names, nullable);
  if (field->kind == BUS_KIND_SET)
    write_set(writer, field->names);
  if (field->item)
    write_inner(writer, field, use);
  if (field->fallback) {
    bus_json_put(writer, "'default':");
    write_value(writer, field, field->fallback);
    bus_json_char(writer, ',');
  }
  if (field->example) {
    bus_json_put(writer, "'examples':[");
    write_value(writer, field, field->example);
    bus_json_put(writer, "],");
  }
  bus_json_put(writer, "'description':$s}", field->description);
}

/* The members of an embedded struct are members of the object. */
static void write_required(struct bus_json_writer *writer, const struct bus_schema *schema, bool *more) {
  for (size_t i = 0; i < schema->field_count; i++) {
    const struct bus_field *field = &schema->fields[i];
    if (field->kind == BUS_KIND_EMBED)
      write_required(writer, field->item, more);
    if (field->presence == BUS_OPTIONAL)
      continue;
    bus_json_put(writer, "$r$s", bus_json_comma(*more), field->name);
    *more = true;
  }
}

static void write_properties(struct bus_json_writer *writer, const struct bus_schema *schema, struct bus_schema_use use,
                             bool *more) {
  for (size_t i = 0; i < schema->field_count; i++) {
    const struct bus_field *field = &schema->fields[i];
    if (field->kind == BUS_KIND_EMBED) {
      write_properties(writer, field->item, use, more);
      continue;
    }
    bus_json_put(writer, "$r$s:", bus_json_comma(*more), field->name);
    bus_json_schema_field(writer, field, use);
    *more = true;
  }
}

static void write_members(struct bus_json_writer *writer, const struct bus_schema *schema, struct bus_schema_use use) {
  bool more = false;
  bus_json_put(writer, "'required':[");
  write_required(writer, schema, &more);
  bus_json_put(writer, "],'properties':{");
  more = false;
  write_properties(writer, schema, use, &more);
  bus_json_put(writer, use.strict ? "},'additionalProperties':false" : "}");
}

void bus_json_schema_object(struct bus_json_writer *writer, const struct bus_schema *schema,
                            struct bus_schema_use use) {
  bus_json_put(writer, "'title':$s,'type':'object',", schema->name);
  write_members(writer, schema, use);
}

/* ---- examples ---- */

bool bus_json_schema_has_example(const struct bus_schema *schema) {
  for (size_t i = 0; schema && i < schema->field_count; i++)
    if (schema->fields[i].example || bus_json_schema_has_example(schema->fields[i].item))
      return true;
  return false;
}

static void write_example_members(struct bus_json_writer *writer, const struct bus_schema *schema, bool *more) {
  for (size_t i = 0; i < schema->field_count; i++) {
    const struct bus_field *field = &schema->fields[i];
    if (!field->example && !bus_json_schema_has_example(field->item))
      continue;
    if (field->kind == BUS_KIND_EMBED) {
      write_example_members(writer, field->item, more);
      continue;
    }
    bus_json_put(writer, "$r$s:", bus_json_comma(*more), field->name);
    *more = true;
    if (field->example) {
      write_value(writer, field, field->example);
      continue;
    }
    bus_json_put(writer, field->kind == BUS_KIND_ARRAY ? "[" : "");
    bus_json_schema_example(writer, field->item);
    bus_json_put(writer, field->kind == BUS_KIND_ARRAY ? "]" : "");
  }
}

void bus_json_schema_example(struct bus_json_writer *writer, const struct bus_schema *schema) {
  bool more = false;
  bus_json_char(writer, '{');
  write_example_members(writer, schema, &more);
  bus_json_char(writer, '}');
}
