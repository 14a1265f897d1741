/* The OpenAPI 3.1 document of a table of routes: paths and operations from the rows, schemas from the field tables. */
#include <bus/route.h>

#include "json_schema.h"

#define PROBLEM "'$r':'#/components/responses/problem'"

/* ---- bodies ---- */

static void write_content(struct bus_json_writer *writer, const char *media_type, const struct bus_schema *schema,
                          bool is_request) {
  bus_json_put(writer, "$s:{'schema':{", media_type);
  bus_json_schema_object(writer, schema, (struct bus_schema_use){.strict = is_request, .nullable = true});
  bus_json_put(writer, "}");
  if (is_request && bus_json_schema_has_example(schema)) {
    bus_json_put(writer, ",'example':");
    bus_json_schema_example(writer, schema);
  }
  bus_json_put(writer, "}");
}

/* ---- parameters ---- */

static void begin_parameter(struct bus_json_writer *writer, struct bus_str name, const char *place, bool *more) {
  bus_json_put(writer, "$r{'name':$v,'in':$s,", *more ? "," : "\"parameters\":[", name, place);
  *more = true;
}

static void write_parameter(struct bus_json_writer *writer, const struct bus_field *field, struct bus_str name,
                            const char *place, bool *more) {
  begin_parameter(writer, name, place, more);
  bus_json_put(writer, "'required':$r,'description':$s,'schema':", field->presence == BUS_REQUIRED ? "true" : "false",
               field->description);
  bus_json_schema_field(writer, field, (struct bus_schema_use){.nullable = false});
  bus_json_put(writer, "}");
}

/* The name of the next {segment}; *path then stands behind it. */
static struct bus_str next_segment(const char **path) {
  const char *begin = strchr(*path, '{') + 1, *end = strchr(begin, '}');
  *path = end + 1;
  return (struct bus_str){begin, (size_t)(end - begin)};
}

static void write_input(struct bus_json_writer *writer, const struct bus_http_route *route, bool *more) {
  const struct bus_http_input *input = route->input;
  const struct bus_schema *query = input->query;
  const char *path = route->path;
  for (size_t i = 0; input->path && i < input->path->field_count; i++)
    write_parameter(writer, &input->path->fields[i], next_segment(&path), "path", more);
  for (size_t i = 0; query && i < query->field_count; i++)
    write_parameter(writer, &query->fields[i], bus_str(query->fields[i].name), "query", more);
  const struct bus_field *key = input->key ? input->key : input->header_key;
  if (key)
    write_parameter(writer, key, BUS_STR("Idempotency-Key"), "header", more);
}

/* Values without bounds: a long one is a head that is too large. */
static void write_header(struct bus_json_writer *writer, const struct bus_http_told_header *header, bool *more) {
  static const char any_value[] = "^[\\x20-\\x7E\\x80-\\xFF]*$"; /* civetweb refuses tabs */
  begin_parameter(writer, bus_str(header->name), "header", more);
  bus_json_put(writer, "'required':false,'description':$s,'schema':{'type':'string','pattern':$s,", header->description,
               header->pattern ? header->pattern : any_value);
  if (header->example)
    bus_json_put(writer, "'examples':[$s],", header->example);
  bus_json_put(writer, "'description':$s}}", header->description);
}

/* A malformed condition of a request that writes holds for no entity tag: 412. */
static const struct bus_http_told_header if_match = {"If-Match", "only if this is the entity tag; *: if there is one",
                                                     "^(\\*|\"[!#-~]{1,64}\")$", NULL};
static const struct bus_http_told_header if_none = {"If-None-Match", "*: only if there is none", "^\\*$", NULL};
static const struct bus_http_told_header if_changed = {"If-None-Match", "304 without a body if this is the entity tag",
                                                       NULL, NULL};

static bool has_answer(const struct bus_http_answer *answers, int status) {
  while (answers->status != 0 && answers->status != status)
    answers++;
  return answers->status == status;
}

static void write_headers(struct bus_json_writer *writer, const struct bus_http_route *route, bool *more) {
  if (route->conditional) {
    write_header(writer, &if_match, more);
    write_header(writer, &if_none, more);
  }
  if (route->answers && has_answer(route->answers, 304))
    write_header(writer, &if_changed, more);
  for (const struct bus_http_told_header *header = route->headers; header && header->name; header++)
    write_header(writer, header, more);
}

static void write_parameters(struct bus_json_writer *writer, const struct bus_http_route *route) {
  bool more = false;
  if (route->input)
    write_input(writer, route, &more);
  write_headers(writer, route, &more);
  bus_json_put(writer, more ? "]," : "");
}

/* ---- responses ---- */

/* The server's own refusals, which every route shares (bus/http_server.h). */
static const struct refusal {
  int status;
  enum { OF_ANY, OF_BODY, OF_TOKEN, OF_LIMITED } of; /* every route; one with a body, with a token, that is no probe */
  const char *description;
} refusals[] = {
    {400, OF_ANY, "the request is malformed, or its Host is not served here"},
    {401, OF_TOKEN, "no valid bearer token (WWW-Authenticate)"},
    {403, OF_TOKEN, "the token's role or scope does not allow this"},
    {408, OF_BODY, "the body did not come in time"},
    {411, OF_ANY, "a Transfer-Encoding other than chunked"},
    {412, OF_ANY, "a condition that cannot be met, such as If-Match"},
    {413, OF_ANY, "the body is larger than this path takes"},
    {415, OF_ANY, "the body's media type or Content-Encoding is not taken here (Accept-Encoding)"},
    {429, OF_LIMITED, "too many requests of this customer or address (Retry-After)"},
    {431, OF_ANY, "too many header fields, or too large ones"},
    {503, OF_ANY, "cannot be served now; repeating is safe (Retry-After)"},
};

static bool may_refuse(const struct bus_http_route *route, const struct refusal *refusal) {
  switch (refusal->of) {
  case OF_BODY:
    return route->body_limit > 0;
  case OF_TOKEN:
    return route->access != BUS_ROUTE_PUBLIC;
  case OF_LIMITED:
    return !route->is_probe;
  case OF_ANY:
    break;
  }
  return true;
}

static void write_refusal(struct bus_json_writer *writer, int status, const char *description) {
  bus_json_put(writer, "'$d':{" PROBLEM ",'description':$s}", (long long)status, "$ref", description);
}

/* A body that no table describes. Readers differ on whether the schema of a stream is that of the whole or of an event.
 */
static void write_other_content(struct bus_json_writer *writer, const char *media_type) {
  const char *schema = strcmp(media_type, "application/json") == 0    ? "{'type':'object'}"
                       : strcmp(media_type, "text/event-stream") == 0 ? "{}"
                                                                      : "{'type':'string'}";
  bus_json_put(writer, ",'content':{$s:{'schema':", media_type);
  bus_json_put(writer, schema);
  bus_json_put(writer, "}}");
}

static bool has_body(int status) {
  return status != 204 && status < 300;
}

static void write_answer(struct bus_json_writer *writer, const struct bus_http_route *route,
                         const struct bus_http_answer *answer) {
  if (answer->schema == NULL && answer->status >= 400) {
    write_refusal(writer, answer->status, answer->description);
    return;
  }
  bus_json_put(writer, "'$d':{'description':$s", (long long)answer->status, answer->description);
  if (answer->schema == NULL && route->produces && has_body(answer->status))
    write_other_content(writer, route->produces);
  if (answer->schema) {
    bus_json_put(writer, ",'content':{");
    write_content(writer, "application/json", answer->schema, false);
    if (answer->status >= 400) /* the server's own refusal has the same status */
      bus_json_put(writer, ",'application/problem+json':{'schema':{'$r':'#/components/schemas/problem'}}", "$ref");
    bus_json_put(writer, "}");
  }
  bus_json_put(writer, "}");
}

static void write_answers(struct bus_json_writer *writer, const struct bus_http_route *route) {
  static const struct bus_http_answer plain[] = {{200, "as it says", NULL}, {0, NULL, NULL}};
  const struct bus_http_answer *answers = route->answers ? route->answers : plain;
  bus_json_put(writer, "'responses':{");
  for (const struct bus_http_answer *answer = answers; answer->status; answer++) {
    bus_json_put(writer, bus_json_comma(answer > answers));
    write_answer(writer, route, answer);
  }
  for (size_t i = 0; i < BUS_COUNT(refusals); i++) {
    if (has_answer(answers, refusals[i].status) || !may_refuse(route, &refusals[i]))
      continue;
    bus_json_put(writer, ",");
    write_refusal(writer, refusals[i].status, refusals[i].description);
  }
  bus_json_put(writer, "}");
}

/* ---- operations ---- */

static bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* post_api_orders_id_cancel: the method, and the path's words. */
static void write_operation_id(struct bus_json_writer *writer, const struct bus_http_route *route) {
  if (route->operation) {
    bus_json_put(writer, "'operationId':$s,", route->operation);
    return;
  }
  bus_json_put(writer, "'operationId':'");
  for (const char *c = route->method; *c; c++)
    bus_json_char(writer, (char)(*c | 0x20));
  for (const char *c = route->path; *c; c++) {
    if (!is_letter_or_digit(*c))
      continue;
    if (c > route->path && !is_letter_or_digit(c[-1]))
      bus_json_char(writer, '_');
    bus_json_char(writer, *c);
  }
  bus_json_put(writer, "',");
}

static void write_request_body(struct bus_json_writer *writer, const struct bus_http_route *route) {
  const struct bus_http_input *input = route->input;
  const char *media_type = route->media_type ? route->media_type : "application/json";
  bus_json_put(writer, "'requestBody':{'required':$r,'content':{",
               input && input->body_may_be_empty ? "false" : "true");
  if (input)
    write_content(writer, media_type, input->body, true);
  else /* the handler reads it */
    bus_json_put(writer, "$s:{'schema':{'type':'object'}}", media_type);
  bus_json_put(writer, "}},");
}

static void write_security(struct bus_json_writer *writer, enum bus_route_access access) {
  static const char *const roles[] = {"", "customer", "operator", "admin"};
  if (access != BUS_ROUTE_PUBLIC)
    bus_json_put(writer, "'security':[{'bearer':[$s]}],", roles[access]);
}

static bool needs_token(const struct bus_openapi *document) {
  for (size_t i = 0; i < document->route_count; i++)
    if (document->routes[i].access != BUS_ROUTE_PUBLIC)
      return true;
  return false;
}

static void write_operation(struct bus_json_writer *writer, const struct bus_http_route *route) {
  bus_json_put(writer, "'");
  for (const char *c = route->method; *c; c++)
    bus_json_char(writer, (char)(*c | 0x20));
  bus_json_put(writer, "':{'summary':$s,", route->summary ? route->summary : "");
  write_operation_id(writer, route);
  write_security(writer, route->access);
  write_parameters(writer, route);
  if (route->input ? route->input->body != NULL : route->body_limit > 0)
    write_request_body(writer, route);
  write_answers(writer, route);
  bus_json_put(writer, "}");
}

static bool stands_before(const struct bus_openapi *document, size_t index) {
  for (size_t i = 0; i < index; i++)
    if (strcmp(document->routes[i].path, document->routes[index].path) == 0)
      return true;
  return false;
}

static void write_path(struct bus_json_writer *writer, const struct bus_openapi *document, size_t index) {
  const char *path = document->routes[index].path;
  bus_json_put(writer, "$r$s:{", bus_json_comma(index > 0), path);
  for (size_t i = index; i < document->route_count; i++) {
    if (strcmp(document->routes[i].path, path) != 0)
      continue;
    bus_json_put(writer, bus_json_comma(i > index));
    write_operation(writer, &document->routes[i]);
  }
  bus_json_put(writer, "}");
}

static void write_document(struct bus_json_writer *writer, const void *context) {
  const struct bus_openapi *document = context;
  bus_json_put(writer, "{'openapi':'3.1.0','info':{'title':$s,'version':$s,'description':$s},'paths':{",
               document->title, document->version, document->description);
  for (size_t i = 0; i < document->route_count; i++)
    if (!stands_before(document, i))
      write_path(writer, document, i);
  bus_json_put(writer, "},'components':{");
  if (needs_token(document))
    bus_json_put(writer, "'securitySchemes':{'bearer':{'type':'http','scheme':'bearer','bearerFormat':'JWT'}},");
  bus_json_put(writer, "'schemas':{'problem':{");
  bus_json_schema_object(writer, document->problem, (struct bus_schema_use){.nullable = true});
  bus_json_put(writer, "}},'responses':{'problem':{'description':'a problem (RFC 9457)','content':{");
  bus_json_put(writer, "'application/problem+json':{'schema':{'$r':'#/components/schemas/problem'}}}}}}}", "$ref");
}

bool bus_openapi_encode(const struct bus_openapi *document, struct bus_arena *arena, struct bus_str *ret) {
  return bus_json_build(arena, write_document, document, ret);
}
