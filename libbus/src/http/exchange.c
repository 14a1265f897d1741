/* One request: gate, route, host, media type, body, handler. Whatever is refused before the handler ends the
 * connection. */
#include "internal.h"

#include <stdlib.h>

/* ---- refusals ---- */
static int answer_refusal(struct bus_http_exchange *exchange, int status, const char *reason) {
  exchange->closes = true;
  if (!bus_trace_is_set(&exchange->trace))
    http_identify(exchange, false);
  if (status == 405)
    bus_http_add_header(exchange, "Allow", bus_str(exchange->match.allow));
  if (status == 415)
    bus_http_add_header(exchange, "Accept-Encoding", BUS_STR("identity"));
  if (status == 503)
    bus_http_add_header(exchange, "Retry-After", BUS_STR("1"));
  bus_http_problem(exchange, status, "%s", reason);
  return exchange->status;
}

/* ---- the head ---- */
static bool is_listed(struct bus_str value, const char *token) {
  while (value.len > 0)
    if (http_text_is(http_list_next(&value), token))
      return true;
  return false;
}

/* The engine decides likewise: it closes the connection in any case where this says so. */
static bool wants_close(const struct bus_http_exchange *exchange) {
  bool seen = false, keep = strcmp(exchange->version, "1.1") == 0;
  for (size_t i = 0; i < exchange->header_count; i++) {
    if (!http_text_is(exchange->headers[i].name, "connection"))
      continue;
    keep = !seen && is_listed(exchange->headers[i].value, "keep-alive");
    seen = true;
  }
  return !keep;
}

static void read_head(struct bus_http_exchange *exchange) {
  struct bus_str length = bus_http_header(exchange, "content-length");
  http_identify(exchange, true);
  http_peer_follow(exchange);
  if (length.data == NULL || !http_content_length(length, &exchange->content_length))
    exchange->content_length = 0;
  exchange->is_chunked = bus_http_header(exchange, "transfer-encoding").data != NULL; /* the gate knows one coding */
  if (exchange->is_chunked)
    exchange->content_length = -1;
  exchange->is_head = strcmp(exchange->method, "HEAD") == 0;
  exchange->closes = exchange->is_chunked || wants_close(exchange);
}

/* ---- the route ---- */
static bool is_host_allowed(const struct bus_http_exchange *exchange) {
  const char *const *hosts = exchange->server->settings.hosts;
  struct bus_str name;
  if (hosts == NULL)
    return true;
  if (!http_host_name(bus_http_header(exchange, "host"), &name))
    return false;
  for (; *hosts; hosts++)
    if (http_text_is(name, *hosts))
      return true;
  return false;
}

static bool starts_with(struct bus_str text, const char *start) {
  size_t len = strlen(start);
  return text.len >= len && http_text_is((struct bus_str){text.data, len}, start);
}

/* Exactly the route's type; the one parameter that may follow is charset=utf-8. */
static bool is_media_type(const struct bus_http_exchange *exchange) {
  const char *wanted = exchange->match.route->media_type ? exchange->match.route->media_type : "application/json";
  struct bus_str given = bus_http_header(exchange, "content-type");
  if (given.data == NULL || !starts_with(given, wanted))
    return false;
  size_t len = strlen(wanted);
  struct bus_str rest = {given.data + len, given.len - len};
  return rest.len == 0 || http_text_is(rest, ";charset=utf-8") || http_text_is(rest, "; charset=utf-8") ||
         http_text_is(rest, ";charset=\"utf-8\"") || http_text_is(rest, "; charset=\"utf-8\"");
}

/* Every Content-Encoding that there is must be identity. */
static bool is_plain(const struct bus_http_exchange *exchange) {
  for (size_t i = 0; i < exchange->header_count; i++)
    if (http_text_is(exchange->headers[i].name, "content-encoding") &&
        !http_text_is(exchange->headers[i].value, "identity"))
      return false;
  return true;
}

/* A command is sent without the state that such a condition names, so the condition cannot be kept; carrying out the
 * request would break it (RFC 9110, 13.1). If-None-Match and the dates of a GET or HEAD only allow a shorter response.
 */
static bool has_precondition(const struct bus_http_exchange *exchange) {
  static const char *const conditions[] = {"if-unmodified-since", "if-match", "if-none-match"};
  bool reads = strcmp(exchange->method, "GET") == 0 || exchange->is_head;
  size_t counts[BUS_COUNT(conditions)] = {0};
  for (size_t i = 0; i < exchange->header_count; i++)
    for (size_t j = 0; j < BUS_COUNT(conditions); j++)
      counts[j] += http_text_is(exchange->headers[i].name, conditions[j]);
  if (reads)
    return counts[1] > 0;
  size_t kept = exchange->match.route->conditional ? 1 : 0;
  return counts[0] > 0 || counts[1] > kept || counts[2] > kept;
}

static int check_body(struct bus_http_exchange *exchange, const char **ret_reason) {
  size_t limit = exchange->match.route->body_limit;
  bool has_body = exchange->content_length != 0;
  *ret_reason = "conditions on an entity tag or a date are not supported here; send the request without them";
  if (has_precondition(exchange))
    return 412;
  *ret_reason = "the body is larger than this path takes";
  if (exchange->is_chunked ? limit == 0 : (uint64_t)exchange->content_length > limit)
    return 413;
  *ret_reason = "the body's media type is not the one that this path takes";
  if (has_body && !is_media_type(exchange))
    return 415;
  *ret_reason = "the body's Content-Encoding is not identity";
  return is_plain(exchange) ? 0 : 415;
}

/* Routes are matched on raw bytes. A parameter is decoded once; the gate has checked it. */
static bool decode_segments(struct bus_http_exchange *exchange) {
  for (size_t i = 0; i < exchange->match.segment_count; i++) {
    struct bus_str rest = exchange->match.segments[i];
    size_t len = 0;
    if (memchr(rest.data, '%', rest.len) == NULL)
      continue;
    char *text = bus_arena_alloc(exchange->scratch->arena, rest.len + 1);
    if (text == NULL)
      return false;
    while (rest.len > 0 && http_path_next(&rest, &text[len]))
      len++;
    text[len] = '\0';
    exchange->match.segments[i] = (struct bus_str){text, len};
  }
  return true;
}

/* A path that no route has may be one without its prefix. The segments lie in the arena then. */
static enum http_match_result find_route(struct bus_http_exchange *exchange) {
  const struct bus_http_server *server = exchange->server;
  const char *prefix = server->settings.default_prefix;
  struct bus_str path = exchange->path;
  enum http_match_result result =
      http_match(server->routes, server->route_count, exchange->method, path, &exchange->match);
  if (result != HTTP_NO_PATH || prefix == NULL)
    return result;
  path = bus_arena_printf(exchange->scratch->arena, "%s%.*s", prefix, (int)path.len, path.data);
  if (path.data == NULL)
    return result;
  return http_match(server->routes, server->route_count, exchange->method, path, &exchange->match);
}

static int check_route(struct bus_http_exchange *exchange, const char **ret_reason) {
  const struct http_match *match = &exchange->match;
  enum http_match_result result = find_route(exchange);
  *ret_reason = "this host is not served here";
  if (!(result == HTTP_MATCHED && match->route->any_host) && !is_host_allowed(exchange))
    return 400;
  *ret_reason = "nothing is here";
  switch (result) {
  case HTTP_NO_PATH:
    return 404;
  case HTTP_NO_METHOD:
    if (http_cors_preflight(exchange))
      return 204;
    *ret_reason = "this path does not answer that method";
    return 405;
  case HTTP_MATCHED:
    break;
  }
  *ret_reason = "out of memory";
  if (!decode_segments(exchange))
    return 503;
  return check_body(exchange, ret_reason);
}

/* ---- the input ---- */

/* A UUID of the path stands in the access log, whatever else is wrong with the request. */
static void note_path(struct bus_http_exchange *exchange, const struct bus_schema *path) {
  char text[BUS_UUID_TEXT];
  struct bus_uuid id;
  for (size_t i = 0; path && i < path->field_count; i++) {
    if (path->fields[i].kind != BUS_KIND_UUID || !bus_uuid_parse(exchange->match.segments[i], &id))
      continue;
    bus_uuid_format(&id, text);
    bus_http_note(exchange, path->fields[i].name, bus_str(text));
  }
}

/* The problems lie on the heap: a frame on each of hundreds of stacks would stay touched. */
static bool read_input(struct bus_http_exchange *exchange, const struct bus_http_input *input) {
  struct bus_problems *problems = malloc(sizeof *problems);
  const struct bus_http_given given = {.segments = exchange->match.segments,
                                       .query = exchange->query,
                                       .body = bus_http_body(exchange),
                                       .key = bus_http_header(exchange, "Idempotency-Key")};
  note_path(exchange, input->path);
  if (problems == NULL) {
    http_reply_no_memory(exchange);
    return false;
  }
  exchange->request = bus_http_decode(input, &given, exchange->scratch->arena, problems);
  if (problems->count > 0)
    bus_http_problems(exchange, problems);
  else if (exchange->request == NULL)
    bus_http_problem(exchange, 404, "%s", input->no_such);
  free(problems);
  return exchange->request != NULL;
}

/* ---- the caller ---- */

static bool is_admitted(struct bus_http_exchange *exchange) {
  const struct bus_http_server *server = exchange->server;
  return exchange->match.route->is_probe || server->settings.guard == NULL ||
         server->settings.guard(server->context, exchange);
}

/* ---- the whole ---- */

/* The request is complete. */
static void serve(struct bus_http_exchange *exchange) {
  const struct bus_http_route *route = exchange->match.route;
  if (http_work_begin(exchange) && is_admitted(exchange) &&
      (route->input == NULL || read_input(exchange, route->input)))
    route->handler(exchange->server->context, exchange);
  http_reply_finish(exchange);
}

/* 0, or the status to refuse with. */
static int check(struct bus_http_exchange *exchange, const char **ret_reason) {
  int status = http_head_read(exchange, ret_reason);
  if (status == 0)
    status = bus_http_gate(exchange->method, exchange->path, exchange->version, exchange->headers,
                           exchange->header_count, ret_reason);
  if (status != 0)
    return status;
  read_head(exchange);
  http_cors_allow(exchange);
  return check_route(exchange, ret_reason);
}

/* Lingers where a body is on its way or may be. */
int http_exchange_refuse(struct bus_http_exchange *exchange, int status, const char *reason) {
  answer_refusal(exchange, status, reason);
  if (exchange->content_length != 0)
    http_connection_linger(&exchange->connection);
  return exchange->status;
}

static const char *why_no_body(int status) {
  switch (status) {
  case 400:
    return "malformed chunk; extensions and trailers are not accepted";
  case 408:
    return "the body did not come in time";
  case 411:
    return "chunked bodies cannot be read here; send Content-Length";
  case 413:
    return "the body is larger than this path takes, or its chunks take twice that on the wire";
  default:
    return "the body does not fit into memory";
  }
}

/* No byte of its body is waited for: the input is shut. */
static int refuse_crowd(struct bus_http_exchange *exchange) {
  exchange->content_length = 0;
  return http_exchange_refuse(exchange, 503, "too many connections of this address");
}

int http_exchange_run(struct bus_http_exchange *exchange) {
  const struct http_seat *seat = http_connection_seat(&exchange->connection);
  const char *reason;
  http_slow_begin(exchange);
  int status = check(exchange, &reason);
  if (exchange->status != 0) /* a preflight */
    return exchange->status;
  if (status == 0 && seat && seat->over && !exchange->match.route->is_probe)
    return refuse_crowd(exchange);
  if (status != 0)
    return http_exchange_refuse(exchange, status, reason);
  status = http_body_read(exchange);
  if (status < 0) {
    http_connection_end(&exchange->connection);
    return 499; /* for the count: the client went away */
  }
  if (status > 0)
    return http_exchange_refuse(exchange, status, why_no_body(status));
  http_slow_end(exchange);
  serve(exchange);
  return exchange->status;
}

void http_exchange_serve_carried(struct bus_http_exchange *exchange) {
  if (find_route(exchange) != HTTP_MATCHED)
    bus_http_problem(exchange, 404, "nothing is here");
  else if (!decode_segments(exchange))
    http_reply_no_memory(exchange);
  else
    serve(exchange);
}

void http_exchange_end(struct bus_http_exchange *exchange, int status, int64_t duration) {
  http_work_end(exchange);
  http_places_release(exchange);
  http_access_done(exchange, status, duration);
  http_scratch_give(&exchange->server->pool, exchange->scratch);
}
