/* The OpenAPI document of a small table of routes, byte for byte. */
#include <bus/route.h>

#include "test.h"

struct text {
  struct bus_str text;
};
static const struct bus_field text_fields[] = {
    BUS_FIELD_STRING(struct text, text, BUS_TEXT, 1, 8, BUS_REQUIRED, "a \"text\"", .example = "e"),
};
static const struct bus_schema text_schema = BUS_SCHEMA("text", struct text, text_fields);
struct thing {
  struct bus_str id;
  int64_t limit;
  int state;
  struct bus_str idempotency_key;
  struct text text;
};
static const char *const states[] = {"on", "off", NULL};
static const struct bus_field path[] = {BUS_FIELD_STRING(struct thing, id, BUS_ID, 1, 64, BUS_REQUIRED, "the thing")};
static const struct bus_field query[] = {
    BUS_FIELD_INT64(struct thing, limit, 1, 100, BUS_OPTIONAL, "how many", .fallback = "20"),
    BUS_FIELD_ENUM(struct thing, state, states, BUS_OPTIONAL, "which"),
};
static const struct bus_field body[] = {
    BUS_FIELD_STRING(struct thing, idempotency_key, BUS_VISIBLE, 1, 9, BUS_OPTIONAL, "the key"),
    BUS_FIELD_EMBED(struct thing, text, struct text, &text_schema),
};
static const struct bus_schema body_schema = BUS_SCHEMA("thing", struct thing, body);
static const struct bus_http_input reads = {.size = sizeof(struct thing), .query = BUS_TABLE(struct thing, query)};
static const struct bus_http_input writes = {
    .size = sizeof(struct thing), .path = BUS_TABLE(struct thing, path), .body = &body_schema, .key = &body[0]};
static const struct bus_http_route routes[] = {
    {.method = "GET", .path = "/things", .input = &reads, .summary = "Things"},
    {.method = "POST",
     .path = "/things/{name}",
     .input = &writes,
     .summary = "Changes one",
     .answers = (const struct bus_http_answer[]){{201, "changed", &body_schema}, {409, "too late", NULL}, {0}}},
    {.method = "GET", .path = "/things/{name}", .summary = "One"},
};

#define REFUSALS                                                                                                       \
  "\"400\":{\"$ref\":\"#/components/responses/problem\",\"description\":\"the request is malformed, or its H"          \
  "ost is not served here\"},\"411\":{\"$ref\":\"#/components/responses/problem\",\"description\":\"a Transf"          \
  "er-Encoding other than chunked\"},\"412\":{\"$ref\":\"#/components/responses/problem\",\"description\":\""          \
  "a condition that cannot be met, such as If-Match\"},\"413\":{\"$ref\":\"#/components/responses/problem\","          \
  "\"description\":\"the body is larger than this path takes\"},\"415\":{\"$ref\":\"#/components/responses/p"          \
  "roblem\",\"description\":\"the body's media type or Content-Encoding is not taken here (Accept-Encoding)"           \
  "\"},\"429\":{\"$ref\":\"#/components/responses/problem\",\"description\":\"too many requests of this c"             \
  "ustomer or address (Retry-After)"                                                                                   \
  "\"},\"431\":{\"$ref\":\"#/components/responses/problem\",\"description\":\"too many header fields, or too"          \
  " large ones\"},\"503\":{\"$ref\":\"#/components/responses/problem\",\"description\":\"cannot be served no"          \
  "w; repeating is safe (Retry-After)\"}"
#define TEXT_MEMBER                                                                                                    \
  "\"text\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":8,\"x-maxBytes\":8,\"pattern\":\"^[^\\\\x00-"           \
  "\\\\x1F\\\\x7F-\\\\x9F]*$\",\"examples\":[\"e\"],\"description\":\"a \\\"text\\\"\"}"
#define THING                                                                                                          \
  "\"title\":\"thing\",\"type\":\"object\",\"required\":[\"text\"],\"properties\":{\"idempotency_key\":{\"ty"          \
  "pe\":[\"string\",\"null\"],\"minLength\":1,\"maxLength\":9,\"pattern\":\"^[\\\\x21-\\\\x7E]*$\",\"descrip"          \
  "tion\":\"the key\"},"

TEST(rows_become_paths_operations_and_schemas)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_str text;
  const struct bus_openapi document = {"things", "1", "all of them", routes, BUS_COUNT(routes), &text_schema};
  assert_true(bus_openapi_encode(&document, arena, &text));
  assert_string_equal(
      text.data,
      "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"things\",\"version\":\"1\",\"description\":\"all of them\"},"
      "\"paths\":{\"/things\":{\"get\":{\"summary\":\"Things\",\"operationId\":\"get_things\",\"parameters\":[{"
      "\"name\":\"limit\",\"in\":\"query\",\"required\":false,\"description\":\"how many\",\"schema\":{\"type\":"
      "\"integer\",\"minimum\":1,\"maximum\":100,\"default\":20,\"description\":\"how many\"}},{\"name\":\"state"
      "\",\"in\":\"query\",\"required\":false,\"description\":\"which\",\"schema\":{\"type\":\"string\",\"enum\""
      ":[\"on\",\"off\"],\"description\":\"which\"}}],\"responses\":{\"200\":{\"description\":\"as it says\"}," REFUSALS
      "}}},\"/things/{name}\":{\"post\":{\"summary\":\"Changes one\",\"operationId\":\"post_things_name\",\"para"
      "meters\":[{\"name\":\"name\",\"in\":\"path\",\"required\":true,\"description\":\"the thing\",\"schema\":{"
      "\"type\":\"string\",\"minLength\":1,\"maxLength\":64,\"pattern\":\"^(?!\\\\.{1,2}$)[A-Za-z0-9._:-]*$\",\""
      "description\":\"the thing\"}},{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"required\":false,\"descri"
      "ption\":\"the key\",\"schema\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":9,\"pattern\":\"^[\\\\x"
      "21-\\\\x7E]*$\",\"description\":\"the key\"}}],\"requestBody\":{\"required\":true,\"content\":{\"applicat"
      "ion/json\":{\"schema\":{" THING TEXT_MEMBER
      "},\"additionalProperties\":false},\"example\":{\"text\":\"e\"}}}},\"responses\":{\"201\":{\"description\""
      ":\"changed\",\"content\":{\"application/json\":{\"schema\":{" THING TEXT_MEMBER
      "}}}}},\"409\":{\"$ref\":\"#/components/responses/problem\",\"description\":\"too late\"}," REFUSALS
      "}},\"get\":{\"summary\":\"One\",\"operationId\":\"get_things_name\",\"responses\":{\"200\":{\"description"
      "\":\"as it says\"}," REFUSALS
      "}}}},\"components\":{\"schemas\":{\"problem\":{\"title\":\"text\",\"type\":\"object\",\"required\":[\"tex"
      "t\"],\"properties\":{" TEXT_MEMBER
      "}}},\"responses\":{\"problem\":{\"description\":\"a problem (RFC 9457)\",\"content\":{\"application/probl"
      "em+json\":{\"schema\":{\"$ref\":\"#/components/schemas/problem\"}}}}}}}");
  bus_arena_free(arena);
}

TEST(without_memory_there_is_no_document)
{
  struct bus_arena *arena = bus_arena_new(256);
  struct bus_str text;
  const struct bus_openapi document = {"things", "1", "all of them", routes, BUS_COUNT(routes), &body_schema};
  assert_false(bus_openapi_encode(&document, arena, &text));
  bus_arena_free(arena);
}

/* The parameters of the one operation of this row, as JSON. */
static const char *parameters_of(struct bus_arena *arena, const struct bus_http_route *route) {
  struct bus_str text;
  const struct bus_openapi document = {"things", "1", "all of them", route, 1, &text_schema};
  assert_true(bus_openapi_encode(&document, arena, &text));
  char *begin = strstr(text.data, "\"parameters\":");
  if (begin)
    begin[strcspn(begin, "]")] = '\0';
  return begin;
}

#define HEADER(name, said) "{\"name\":\"" name "\",\"in\":\"header\",\"required\":false,\"description\":\"" said "\","

TEST(headers_that_a_route_reads_are_parameters)
{
  static const struct bus_http_told_header told[] = {{"Last", "the last", "^[0-9]+$", "7"}, {0}};
  static const struct bus_http_answer unchanged[] = {{304, "as it was", NULL}, {0}};
  static const struct bus_http_route cases[] = {
      {.method = "GET", .path = "/a", .headers = told},
      {.method = "GET", .path = "/a", .answers = unchanged},
      {.method = "PUT", .path = "/a", .conditional = true},
      {.method = "PUT", .path = "/a"},
  };
  static const char *const wanted[] = {
      "\"parameters\":[" HEADER("Last", "the last") "\"schema\":{\"type\":\"string\",\"pattern\":\"^[0-9",
      "\"parameters\":[" HEADER("If-None-Match", "304 without a body if this is the entity tag"),
      "\"parameters\":[" HEADER("If-Match", "only if this is the entity tag; *: if there is one"),
      NULL,
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct bus_arena *arena = bus_arena_new(1 << 16);
    const char *found = parameters_of(arena, &cases[i]);
    if (wanted[i])
      assert_true(found && strncmp(found, wanted[i], strlen(wanted[i])) == 0);
    else
      assert_null(found);
    bus_arena_free(arena);
  }
}
