/* The OpenAPI 3.1 document of a table of routes: paths and operations from the rows, schemas from the field tables. */
#include <bus/route.h>

#include <stdio.h>

#include "json_write.h"

/* A JSON writer that knows whether a comma is due. */
struct tree {
  struct bus_json_writer *out;
  bool comma;
};

static void before_value(struct tree *tree) {
  if (tree->comma)
    bus_json_char(tree->out, ',');
  tree->comma = false;
}

static void open(struct tree *tree, char bracket) {
  before_value(tree);
  bus_json_char(tree->out, bracket);
}

static void close(struct tree *tree, char bracket) {
  bus_json_char(tree->out, bracket);
  tree->comma = true;
}

static void say_view(struct tree *tree, struct bus_str text) {
  before_value(tree);
  bus_json_string(tree->out, text);
  tree->comma = true;
}

static void say(struct tree *tree, const char *text) {
  say_view(tree, bus_str(text));
}

static void say_raw(struct tree *tree, const char *json) {
  before_value(tree);
  bus_json_raw(tree->out, bus_str(json));
  tree->comma = true;
}

static void name(struct tree *tree, const char *text) {
  say(tree, text);
  bus_json_char(tree->out, ':');
  tree->comma = false;
}

static void open_member(struct tree *tree, const char *text) {
  name(tree, text);
  open(tree, '{');
}

static void member(struct tree *tree, const char *key, const char *text) {
  name(tree, key);
  say(tree, text);
}

static void member_raw(struct tree *tree, const char *key, const char *json) {
  name(tree, key);
  say_raw(tree, json);
}

static void member_int(struct tree *tree, const char *key, int64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)value);
  member_raw(tree, key, text);
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

static void write_members(struct tree *tree, const struct bus_schema *schema, struct use use);

static void write_type(struct tree *tree, const char *type, bool nullable) {
  name(tree, "type");
  if (nullable)
    open(tree, '[');
  say(tree, type);
  if (nullable) {
    say(tree, "null");
    close(tree, ']');
  }
}

static void write_names(struct tree *tree, const char *const *names, bool nullable) {
  name(tree, "enum");
  open(tree, '[');
  for (; *names; names++)
    say(tree, *names);
  if (nullable)
    say_raw(tree, "null");
  close(tree, ']');
}

static void write_fallback(struct tree *tree, const struct bus_field *field) {
  if (field->fallback == NULL)
    return;
  name(tree, "default");
  if (field->kind == BUS_KIND_INT64)
    say_raw(tree, field->fallback);
  else
    say(tree, field->fallback);
}

static void write_bounds(struct tree *tree, const struct bus_field *field) {
  const struct words *word = &words[field->kind];
  if (word->min)
    member_int(tree, word->min, field->min);
  if (word->max)
    member_int(tree, word->max, field->max);
  if (word->format)
    member(tree, "format", word->format);
  if (field->kind == BUS_KIND_STRING && patterns[field->charset])
    member(tree, "pattern", patterns[field->charset]);
}

static void write_field(struct tree *tree, const struct bus_field *field, struct use use) {
  bool nullable = use.nullable && field->presence == BUS_OPTIONAL;
  open(tree, '{');
  if (words[field->kind].type)
    write_type(tree, words[field->kind].type, nullable);
  write_bounds(tree, field);
  if (field->kind == BUS_KIND_ENUM)
    write_names(tree, field->names, nullable);
  if (field->kind == BUS_KIND_OBJECT)
    write_members(tree, field->item, use);
  if (field->kind == BUS_KIND_ARRAY) {
    open_member(tree, "items");
    write_type(tree, "object", false);
    write_members(tree, field->item, use);
    close(tree, '}');
  }
  write_fallback(tree, field);
  member(tree, "description", field->description);
  close(tree, '}');
}

static void write_required(struct tree *tree, const struct bus_schema *schema) {
  for (size_t i = 0; i < schema->field_count; i++)
    if (schema->fields[i].kind == BUS_KIND_EMBED)
      write_required(tree, schema->fields[i].item);
    else if (schema->fields[i].presence == BUS_REQUIRED)
      say(tree, schema->fields[i].name);
}

static void write_properties(struct tree *tree, const struct bus_schema *schema, struct use use) {
  for (size_t i = 0; i < schema->field_count; i++) {
    if (schema->fields[i].kind == BUS_KIND_EMBED) {
      write_properties(tree, schema->fields[i].item, use);
      continue;
    }
    name(tree, schema->fields[i].name);
    write_field(tree, &schema->fields[i], use);
  }
}

static void write_members(struct tree *tree, const struct bus_schema *schema, struct use use) {
  name(tree, "required");
  open(tree, '[');
  write_required(tree, schema);
  close(tree, ']');
  open_member(tree, "properties");
  write_properties(tree, schema, use);
  close(tree, '}');
  if (use.strict)
    member_raw(tree, "additionalProperties", "false");
}

static void write_content(struct tree *tree, const char *media_type, const struct bus_schema *schema, bool strict) {
  open_member(tree, "content");
  open_member(tree, media_type);
  open_member(tree, "schema");
  member(tree, "title", schema->name);
  write_type(tree, "object", false);
  write_members(tree, schema, (struct use){.strict = strict, .nullable = true});
  close(tree, '}');
  close(tree, '}');
  close(tree, '}');
}

/* ---- operations ---- */

static void write_parameter(struct tree *tree, const struct bus_field *field, struct bus_str text, const char *place) {
  bool required = field->presence == BUS_REQUIRED;
  open(tree, '{');
  name(tree, "name");
  say_view(tree, text);
  member(tree, "in", place);
  member_raw(tree, "required", required ? "true" : "false");
  member(tree, "description", field->description);
  name(tree, "schema");
  write_field(tree, field, (struct use){.nullable = false});
  close(tree, '}');
}

/* The name of the next {segment}; *path then stands behind it. */
static struct bus_str next_segment(const char **path) {
  const char *begin = strchr(*path, '{') + 1, *end = strchr(begin, '}');
  *path = end + 1;
  return (struct bus_str){begin, (size_t)(end - begin)};
}

static void write_parameters(struct tree *tree, const struct bus_http_route *route) {
  const struct bus_http_input *input = route->input;
  const char *path = route->path;
  name(tree, "parameters");
  open(tree, '[');
  for (size_t i = 0; input->path && i < input->path->field_count; i++)
    write_parameter(tree, &input->path->fields[i], next_segment(&path), "path");
  for (size_t i = 0; input->query && i < input->query->field_count; i++)
    write_parameter(tree, &input->query->fields[i], bus_str(input->query->fields[i].name), "query");
  if (input->key)
    write_parameter(tree, input->key, BUS_STR("Idempotency-Key"), "header");
  close(tree, ']');
}

static void write_body(struct tree *tree, const struct bus_http_route *route) {
  open_member(tree, "requestBody");
  member_raw(tree, "required", route->input->body_may_be_empty ? "false" : "true");
  write_content(tree, route->media_type ? route->media_type : "application/json", route->input->body, true);
  close(tree, '}');
}

static void write_answer(struct tree *tree, const struct bus_http_answer *answer) {
  char status[16];
  snprintf(status, sizeof status, "%d", answer->status);
  open_member(tree, status);
  if (answer->schema == NULL && answer->status >= 400)
    member(tree, "$ref", "#/components/responses/problem");
  member(tree, "description", answer->description);
  if (answer->schema)
    write_content(tree, "application/json", answer->schema, false);
  close(tree, '}');
}

static void write_operation(struct tree *tree, const struct bus_http_route *route) {
  static const struct bus_http_answer plain[] = {{200, "as it says", NULL}, {0, NULL, NULL}};
  const struct bus_http_answer *answer = route->answers ? route->answers : plain;
  char method[16];
  size_t i = 0;
  for (; route->method[i] && i < sizeof method - 1; i++)
    method[i] = (char)(route->method[i] | 0x20);
  method[i] = '\0';
  open_member(tree, method);
  if (route->summary)
    member(tree, "summary", route->summary);
  if (route->input)
    write_parameters(tree, route);
  if (route->input && route->input->body)
    write_body(tree, route);
  open_member(tree, "responses");
  for (; answer->status; answer++)
    write_answer(tree, answer);
  open_member(tree, "default");
  member(tree, "$ref", "#/components/responses/problem");
  close(tree, '}');
  close(tree, '}');
  close(tree, '}');
}

static bool stands_before(const struct bus_openapi *document, size_t index) {
  for (size_t i = 0; i < index; i++)
    if (strcmp(document->routes[i].path, document->routes[index].path) == 0)
      return true;
  return false;
}

static void write_path(struct tree *tree, const struct bus_openapi *document, size_t index) {
  const char *path = document->routes[index].path;
  open_member(tree, path);
  for (size_t i = index; i < document->route_count; i++)
    if (strcmp(document->routes[i].path, path) == 0)
      write_operation(tree, &document->routes[i]);
  close(tree, '}');
}

static void write_document(struct bus_json_writer *writer, const void *context) {
  const struct bus_openapi *document = context;
  struct tree tree = {writer, false};
  open(&tree, '{');
  member(&tree, "openapi", "3.1.0");
  open_member(&tree, "info");
  member(&tree, "title", document->title);
  member(&tree, "version", document->version);
  member(&tree, "description", document->description);
  close(&tree, '}');
  open_member(&tree, "paths");
  for (size_t i = 0; i < document->route_count; i++)
    if (!stands_before(document, i))
      write_path(&tree, document, i);
  close(&tree, '}');
  open_member(&tree, "components");
  open_member(&tree, "responses");
  open_member(&tree, "problem");
  member(&tree, "description", "a problem (RFC 9457)");
  write_content(&tree, "application/problem+json", document->problem, false);
  close(&tree, '}');
  close(&tree, '}');
  close(&tree, '}');
  close(&tree, '}');
}

bool bus_openapi_encode(const struct bus_openapi *document, struct bus_arena *arena, struct bus_str *ret) {
  return bus_json_build(arena, write_document, document, ret);
}
