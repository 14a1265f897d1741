/* From a request's path, query, body and idempotency key to the one struct that its handler gets. */
#include <bus/form.h>
#include <bus/hash.h>
#include <bus/route.h>

#include "field_value.h"

enum { QUERY_FIELDS_MAX = 16 };

static void *slot_of(const struct bus_field *field, void *request) {
  return (char *)request + field->offset;
}

/* False: the path names nothing, or there is no memory, which is a problem. */
static bool decode_path(const struct bus_http_input *input, const struct bus_str *segments, struct bus_field_sink *sink,
                        void *request) {
  struct bus_field_sink quiet = {.arena = sink->arena};
  for (size_t i = 0; input->path && i < input->path->field_count; i++)
    bus_field_decode_text(&quiet, &input->path->fields[i], segments[i], slot_of(&input->path->fields[i], request));
  if (quiet.no_memory)
    bus_field_no_memory(sink);
  return !quiet.failed;
}

static void decode_json(const struct bus_http_input *input, const struct bus_http_given *given, struct bus_decoding *d,
                        void *request) {
  const struct bus_str empty = BUS_STR("{}");
  d->needed = given->key.data ? NULL : input->key;
  bus_decode_members(d, input->body, given->body.len == 0 && input->body_may_be_empty ? empty : given->body, request);
}

static void decode_parameter(struct bus_str query, const struct bus_field *field, struct bus_field_sink *sink,
                             void *request) {
  struct bus_str value;
  size_t back = bus_path_enter(&sink->path, field->name);
  bus_field_set_absent(field, request);
  if (!bus_form_find(query, field->name, sink->arena, &value))
    bus_field_problem(sink, "is malformed or stands more than once");
  else if (value.data)
    bus_field_decode_text(sink, field, value, slot_of(field, request));
  bus_path_leave(&sink->path, back);
}

static void decode_parameters(const struct bus_schema *table, struct bus_str query, struct bus_field_sink *sink,
                              void *request) {
  for (size_t i = 0; i < table->field_count; i++)
    decode_parameter(query, &table->fields[i], sink, request);
}

static void decode_query(const struct bus_schema *table, struct bus_str query, struct bus_field_sink *sink,
                         void *request) {
  const char *names[QUERY_FIELDS_MAX + 1] = {NULL};
  decode_parameters(table, query, sink, request);
  for (size_t i = 0; i < table->field_count; i++)
    names[i] = table->fields[i].name;
  if (bus_form_unknown(query, names, sink->arena).data)
    bus_field_problem(sink, "has an unknown query parameter");
}

/* ---- the key ---- */

/* A quoted string of RFC 8941, as the IETF's draft of the header has it, is what stands between the quotes; the bare
 * form stays as it is. False where the quotes or escapes are malformed. */
static bool unquote(struct bus_str given, struct bus_arena *arena, struct bus_str *ret) {
  *ret = given;
  if (given.len == 0 || given.data[0] != '"')
    return true;
  char *text = bus_arena_alloc(arena, given.len);
  size_t len = 0, i = 1;
  if (!text)
    return false;
  for (; i < given.len && given.data[i] != '"'; i++) {
    bool escaped = given.data[i] == '\\' && i + 1 < given.len;
    if (escaped && strchr("\\\"", given.data[i + 1]) == NULL)
      return false;
    text[len++] = given.data[escaped ? ++i : i];
  }
  *ret = (struct bus_str){text, len};
  return i + 1 == given.len; /* the closing quote is the last character */
}

static bool is_key(const struct bus_field *field, struct bus_str key) {
  for (size_t i = 0; i < key.len; i++)
    if (key.data[i] < 0x21 || key.data[i] > 0x7E)
      return false;
  return (int64_t)key.len >= field->min && (int64_t)key.len <= field->max;
}

static void decode_key(const struct bus_field *field, struct bus_str *key, struct bus_field_sink *sink) {
  if (key->data == NULL || (unquote(*key, sink->arena, key) && is_key(field, *key)))
    return;
  size_t back = bus_path_enter(&sink->path, "Idempotency-Key");
  bus_field_problem(sink, "must be %d to %d visible ASCII characters, bare or in quotation marks", (int)field->min,
                    (int)field->max);
  bus_path_leave(&sink->path, back);
}

/* Decodes the header for a table whose body has no key. */
static void decode_header_key(const struct bus_field *field, struct bus_str given, struct bus_field_sink *sink,
                              void *request) {
  struct bus_str *key = slot_of(field, request);
  *key = given;
  decode_key(field, key, sink);
}

static void agree_on_key(const struct bus_field *field, struct bus_str in_header, void *request,
                         struct bus_problems *problems) {
  struct bus_str *in_body = slot_of(field, request);
  if (in_body->data && in_header.data && !bus_str_equal(*in_body, in_header))
    bus_problem_add(problems, field->name, "differs from the header Idempotency-Key");
  if (in_body->data == NULL)
    *in_body = in_header;
}

/* ---- the whole ---- */

static void hash_body(const struct bus_http_input *input, struct bus_arena *arena, char *request,
                      struct bus_problems *problems) {
  struct bus_str none = BUS_NO_STR, *key = input->key ? slot_of(input->key, request) : &none;
  struct bus_str given = *key, canonical, *ret = (void *)(request + input->hash);
  char text[BUS_SHA256_TEXT];
  *key = BUS_NO_STR;
  *ret = BUS_NO_STR;
  if (bus_encode(input->body, request, arena, &canonical)) {
    bus_sha256_hex(canonical, text);
    *ret = bus_arena_copy(arena, bus_str(text));
  }
  *key = given;
  if (ret->data == NULL)
    bus_problem_add_no_memory(problems);
}

static bool decode_request(const struct bus_http_input *input, struct bus_http_given given, struct bus_decoding *d,
                           void *request) {
  struct bus_problems *problems = d->sink.problems;
  memset(request, 0, input->size);
  if (!decode_path(input, given.segments, &d->sink, request))
    return false;
  if (input->body && input->body_is_form)
    decode_parameters(input->body, given.body, &d->sink, request);
  else if (input->body)
    decode_json(input, &given, d, request);
  if (input->key)
    decode_key(input->key, &given.key, &d->sink);
  if (input->header_key)
    decode_header_key(input->header_key, given.key, &d->sink, request);
  bool is_body_right = problems->count == 0;
  if (input->query)
    decode_query(input->query, given.query, &d->sink, request);
  if (is_body_right && input->key)
    agree_on_key(input->key, given.key, request, problems);
  if (is_body_right && input->check)
    input->check(request, problems);
  if (problems->count == 0 && input->hash > 0)
    hash_body(input, d->sink.arena, request, problems);
  return problems->count == 0;
}

void *bus_http_decode(const struct bus_http_input *input, const struct bus_http_given *given, struct bus_arena *arena,
                      struct bus_problems *problems) {
  struct bus_decoding d = {.sink = {.arena = arena, .problems = problems}, .unknown = BUS_REFUSE_UNKNOWN};
  problems->count = 0;
  void *request = bus_field_alloc(&d.sink, 1, input->size);
  return request && decode_request(input, *given, &d, request) ? request : NULL;
}

/* ---- rows ---- */

static bool can_be_text(const struct bus_schema *table) {
  for (size_t i = 0; table && i < table->field_count; i++)
    if (table->fields[i].item || table->fields[i].kind == BUS_KIND_JSON)
      return false;
  return true;
}

static size_t count_parameters(const char *path) {
  size_t count = 0;
  for (; *path; path++)
    count += *path == '{';
  return count;
}

static bool is_whole(const struct bus_schema *table, const struct bus_http_input *input) {
  return table == NULL || table->size <= input->size;
}

bool bus_http_input_check(const struct bus_http_route *route, struct bus_error *err) {
  const struct bus_http_input *input = route->input;
  const char *wrong = NULL;
  if (input == NULL)
    return true;
  if (!is_whole(input->path, input) || !is_whole(input->query, input) || !is_whole(input->body, input))
    wrong = "a table of another struct";
  else if (count_parameters(route->path) != (input->path ? input->path->field_count : 0))
    wrong = "not one field for each {segment}";
  else if (!can_be_text(input->path) || !can_be_text(input->query) ||
           (input->body_is_form && !can_be_text(input->body)))
    wrong = "a list, an object or JSON in the path, query or form";
  else if (input->query && input->query->field_count > QUERY_FIELDS_MAX)
    wrong = "too many query parameters";
  else if ((input->body != NULL) != (route->body_limit > 0) || (input->key && input->body == NULL))
    wrong = "a body without body_limit, or the reverse, or a key without a body";
  return wrong == NULL || bus_fail(err, BUS_E_CONFIG, "route %s %s: %s", route->method, route->path, wrong);
}
