/* The OpenAPI 3.1 document of a table of routes: paths and operations from the rows, schemas from the field tables. */
#include <bus/route.h>

#include <stdarg.h>

#include "json_write.h"

/* Writes the format with its single quotes as double ones; $s is a string to be quoted and escaped, $v a view of one,
 * $r text as it is, $d a long long. */
static void json_put(struct bus_json_writer *writer, const char *format, ...) {
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

static const char *comma(bool due) {
  return due ? "," : "";
}

/* ---- schemas ---- */

/* The words of JSON Schema for each kind. */
static const struct words {
  const char *type, *min, *max, *format;
} words[] = {
    [BUS_KIND_STRING] = {"string", "minLength", "maxLength", NULL},
    [BUS_KIND_INT64] = {"integer", "minimum", "maximum", NULL},
    [BUS_KIND_BOOL] = {"boolean", NULL, NULL, NULL},
    [BUS_KIND_ENUM] = {"string", NULL, NULL, NULL},
    [BUS_KIND_UUID] = {"string", NULL, NULL, "uuid"},
    [BUS_KIND_TIME] = {"string", NULL, NULL, "date-time"},
    [BUS_KIND_OBJECT] = {"object", NULL, NULL, NULL},
    [BUS_KIND_ARRAY] = {"array", "minItems", "maxItems", NULL},
    [BUS_KIND_JSON] = {NULL, NULL, NULL, NULL},
    [BUS_KIND_EMBED] = {NULL, NULL, NULL, NULL},
};

/* BUS_TEXT and BUS_PLAIN count bytes, JSON Schema characters: its bounds are the wider ones. */
static const char *const patterns[] = {
    [BUS_TEXT] = NULL,
    [BUS_PLAIN] = NULL,
    [BUS_VISIBLE] = "^[\\x21-\\x7E]*$",
    [BUS_TOKEN] = "^[A-Za-z0-9._:-]*$",
    [BUS_ID] = "^(?!\\.{1,2}$)[A-Za-z0-9._:-]*$",
};

/* Requests refuse unknown members, and no parameter can be null. */
struct use {
  bool strict, nullable;
};

static void write_members(struct bus_json_writer *writer, const struct bus_schema *schema, struct use use);

static void write_bounds(struct bus_json_writer *writer, const struct bus_field *field) {
  const struct words *word = &words[field->kind];
  if (word->min)
    json_put(writer, "$s:$d,$s:$d,", word->min, (long long)field->min, word->max, (long long)field->max);
  if (word->format)
    json_put(writer, "'format':$s,", word->format);
  if (field->kind == BUS_KIND_STRING && patterns[field->charset])
    json_put(writer, "'pattern':$s,", patterns[field->charset]);
}

static void write_names(struct bus_json_writer *writer, const char *const *names, bool nullable) {
  json_put(writer, "'enum':[");
  for (size_t i = 0; names[i]; i++)
    json_put(writer, "$r$s", comma(i > 0), names[i]);
  json_put(writer, nullable ? ",null]," : "],");
}

static void write_field(struct bus_json_writer *writer, const struct bus_field *field, struct use use) {
  bool nullable = use.nullable && field->presence == BUS_OPTIONAL;
  const char *type = words[field->kind].type;
  json_put(writer, "{");
  if (type)
    json_put(writer, nullable ? "'type':[$s,'null']," : "'type':$s,", type);
  write_bounds(writer, field);
  if (field->kind == BUS_KIND_ENUM)
    write_names(writer, field->names, nullable);
  if (field->kind == BUS_KIND_ARRAY)
    json_put(writer, "'items':{'type':'object',");
  if (field->item)
    write_members(writer, field->item, use);
  if (field->item)
    json_put(writer, field->kind == BUS_KIND_ARRAY ? "}," : ",");
  if (field->fallback)
    json_put(writer, field->kind == BUS_KIND_INT64 ? "'default':$r," : "'default':$s,", field->fallback);
  json_put(writer, "'description':$s}", field->description);
}

/* The members of an embedded struct are members of the object. */
static void write_required(struct bus_json_writer *writer, const struct bus_schema *schema, bool *more) {
  for (size_t i = 0; i < schema->field_count; i++) {
    const struct bus_field *field = &schema->fields[i];
    if (field->kind == BUS_KIND_EMBED)
      write_required(writer, field->item, more);
    if (field->presence == BUS_OPTIONAL)
      continue;
    json_put(writer, "$r$s", comma(*more), field->name);
    *more = true;
  }
}

static void write_properties(struct bus_json_writer *writer, const struct bus_schema *schema, struct use use,
                             bool *more) {
  for (size_t i = 0; i < schema->field_count; i++) {
    const struct bus_field *field = &schema->fields[i];
    if (field->kind == BUS_KIND_EMBED) {
      write_properties(writer, field->item, use, more);
      continue;
    }
    json_put(writer, "$r$s:", comma(*more), field->name);
    write_field(writer, field, use);
    *more = true;
  }
}

static void write_members(struct bus_json_writer *writer, const struct bus_schema *schema, struct use use) {
  bool more = false;
  json_put(writer, "'required':[");
  write_required(writer, schema, &more);
  json_put(writer, "],'properties':{");
  more = false;
  write_properties(writer, schema, use, &more);
  json_put(writer, use.strict ? "},'additionalProperties':false" : "}");
}

static void write_content(struct bus_json_writer *writer, const char *media_type, const struct bus_schema *schema,
                          bool strict) {
  json_put(writer, "'content':{$s:{'schema':{'title':$s,'type':'object',", media_type, schema->name);
  write_members(writer, schema, (struct use){.strict = strict, .nullable = true});
  json_put(writer, "}}}");
}

/* ---- operations ---- */

static void write_parameter(struct bus_json_writer *writer, const struct bus_field *field, struct bus_str name,
                            const char *place, bool is_first) {
  json_put(writer, "$r{'name':$v,'in':$s,'required':$r,'description':$s,'schema':", comma(!is_first), name, place,
           field->presence == BUS_REQUIRED ? "true" : "false", field->description);
  write_field(writer, field, (struct use){.nullable = false});
  json_put(writer, "}");
}

/* The name of the next {segment}; *path then stands behind it. */
static struct bus_str next_segment(const char **path) {
  const char *begin = strchr(*path, '{') + 1, *end = strchr(begin, '}');
  *path = end + 1;
  return (struct bus_str){begin, (size_t)(end - begin)};
}

static void write_parameters(struct bus_json_writer *writer, const struct bus_http_route *route) {
  const struct bus_http_input *input = route->input;
  const struct bus_schema *query = input->query;
  const char *path = route->path;
  size_t written = 0;
  json_put(writer, "'parameters':[");
  for (size_t i = 0; input->path && i < input->path->field_count; i++)
    write_parameter(writer, &input->path->fields[i], next_segment(&path), "path", written++ == 0);
  for (size_t i = 0; query && i < query->field_count; i++)
    write_parameter(writer, &query->fields[i], bus_str(query->fields[i].name), "query", written++ == 0);
  if (input->key)
    write_parameter(writer, input->key, BUS_STR("Idempotency-Key"), "header", written == 0);
  json_put(writer, "],");
}

#define PROBLEM "'$r':'#/components/responses/problem'"

static void write_answer(struct bus_json_writer *writer, const struct bus_http_answer *answer) {
  json_put(writer, "'$d':{", (long long)answer->status);
  if (answer->schema == NULL && answer->status >= 400)
    json_put(writer, PROBLEM ",", "$ref");
  json_put(writer, "'description':$s", answer->description);
  if (answer->schema) {
    json_put(writer, ",");
    write_content(writer, "application/json", answer->schema, false);
  }
  json_put(writer, "},");
}

static void write_operation(struct bus_json_writer *writer, const struct bus_http_route *route) {
  static const struct bus_http_answer plain[] = {{200, "as it says", NULL}, {0, NULL, NULL}};
  const struct bus_http_answer *answer = route->answers ? route->answers : plain;
  json_put(writer, "'");
  for (const char *c = route->method; *c; c++)
    bus_json_char(writer, (char)(*c | 0x20));
  json_put(writer, "':{'summary':$s,", route->summary ? route->summary : "");
  if (route->input)
    write_parameters(writer, route);
  if (route->input && route->input->body) {
    json_put(writer, "'requestBody':{'required':$r,", route->input->body_may_be_empty ? "false" : "true");
    write_content(writer, route->media_type ? route->media_type : "application/json", route->input->body, true);
    json_put(writer, "},");
  }
  json_put(writer, "'responses':{");
  for (; answer->status; answer++)
    write_answer(writer, answer);
  json_put(writer, "'default':{" PROBLEM "}}}", "$ref");
}

static bool stands_before(const struct bus_openapi *document, size_t index) {
  for (size_t i = 0; i < index; i++)
    if (strcmp(document->routes[i].path, document->routes[index].path) == 0)
      return true;
  return false;
}

static void write_path(struct bus_json_writer *writer, const struct bus_openapi *document, size_t index) {
  const char *path = document->routes[index].path;
  json_put(writer, "$r$s:{", comma(index > 0), path);
  for (size_t i = index; i < document->route_count; i++) {
    if (strcmp(document->routes[i].path, path) != 0)
      continue;
    json_put(writer, comma(i > index));
    write_operation(writer, &document->routes[i]);
  }
  json_put(writer, "}");
}

static void write_document(struct bus_json_writer *writer, const void *context) {
  const struct bus_openapi *document = context;
  json_put(writer, "{'openapi':'3.1.0','info':{'title':$s,'version':$s,'description':$s},'paths':{", document->title,
           document->version, document->description);
  for (size_t i = 0; i < document->route_count; i++)
    if (!stands_before(document, i))
      write_path(writer, document, i);
  json_put(writer, "},'components':{'responses':{'problem':{'description':'a problem (RFC 9457)',");
  write_content(writer, "application/problem+json", document->problem, false);
  json_put(writer, "}}}}");
}

bool bus_openapi_encode(const struct bus_openapi *document, struct bus_arena *arena, struct bus_str *ret) {
  return bus_json_build(arena, write_document, document, ret);
}
