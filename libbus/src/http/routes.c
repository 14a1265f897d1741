/* Finds the route of a request: path first, then method, so that 404 and 405 are told apart. */
#include "routes.h"

#include <stdio.h>

static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

const char *http_method_label(const char *method) {
  for (size_t i = 0; i < BUS_COUNT(methods); i++)
    if (strcmp(methods[i], method) == 0)
      return methods[i];
  return "other";
}

/* Cuts the segment that starts at *text (behind a slash) off; *text then starts at the next slash. */
static struct bus_str take_segment(struct bus_str *text) {
  const char *slash = text->len > 0 ? memchr(text->data, '/', text->len) : NULL;
  size_t len = slash ? (size_t)(slash - text->data) : text->len;
  struct bus_str segment = {text->data, len};
  *text = (struct bus_str){text->data + len, text->len - len};
  return segment;
}

static bool take_slash(struct bus_str *text) {
  if (text->len == 0 || text->data[0] != '/')
    return false;
  *text = (struct bus_str){text->data + 1, text->len - 1};
  return true;
}

static bool is_parameter(struct bus_str segment) {
  return segment.len > 2 && segment.data[0] == '{' && segment.data[segment.len - 1] == '}';
}

static bool fits(struct bus_str pattern, struct bus_str path, struct http_match *ret) {
  ret->segment_count = 0;
  while (pattern.len > 0) {
    if (!take_slash(&pattern) || !take_slash(&path))
      return false;
    struct bus_str wanted = take_segment(&pattern);
    struct bus_str given = take_segment(&path);
    if (!is_parameter(wanted)) {
      if (!bus_str_equal(wanted, given))
        return false;
    } else if (given.len == 0 || ret->segment_count == HTTP_SEGMENTS) {
      return false;
    } else {
      ret->segments[ret->segment_count++] = given;
    }
  }
  return path.len == 0;
}

static bool answers(const struct bus_http_route *route, const char *method) {
  return strcmp(route->method, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static void allow_add(char *allow, const char *method) {
  size_t len = strlen(allow);
  if (strstr(allow, method) == NULL)
    snprintf(allow + len, HTTP_ALLOW_TEXT - len, "%s%s", len > 0 ? ", " : "", method);
}

/* A path without parameters wins, whatever its methods are (OpenAPI 3.1, Paths Object): of /item/{id} and /item/update
 * the second one alone is the path /item/update. */
static bool has_literal(const struct bus_http_route *routes, size_t count, struct bus_str path) {
  for (size_t i = 0; i < count; i++)
    if (bus_str_is(path, routes[i].path))
      return true;
  return false;
}

enum http_match_result http_match(const struct bus_http_route *routes, size_t count, const char *method,
                                  struct bus_str path, struct http_match *ret) {
  enum http_match_result result = HTTP_NO_PATH;
  struct http_match match = {0};
  bool is_literal = has_literal(routes, count, path);
  for (size_t i = 0; i < count; i++) {
    if (!fits(bus_str(routes[i].path), path, &match) || (is_literal && match.segment_count > 0))
      continue;
    if (answers(&routes[i], method)) {
      match.route = &routes[i];
      *ret = match;
      return HTTP_MATCHED;
    }
    result = HTTP_NO_METHOD;
    allow_add(match.allow, routes[i].method);
    if (strcmp(routes[i].method, "GET") == 0)
      allow_add(match.allow, "HEAD");
  }
  match.segment_count = 0;
  *ret = match;
  return result;
}

static bool route_check(const struct bus_http_route *route, struct bus_error *err) {
  struct bus_str path = bus_str(route->path);
  size_t parameters = 0;
  if (route->handler == NULL || strcmp(http_method_label(route->method), "other") == 0)
    return bus_fail(err, BUS_E_CONFIG, "route %s %s: no handler, or a method that is not known", route->method,
                    route->path);
  while (path.len > 0) {
    if (!take_slash(&path))
      return bus_fail(err, BUS_E_CONFIG, "route %s: must start with a slash", route->path);
    parameters += is_parameter(take_segment(&path));
  }
  if (parameters > HTTP_SEGMENTS || route->path[0] == '\0')
    return bus_fail(err, BUS_E_CONFIG, "route %s: empty, or more than %d parameters", route->path, HTTP_SEGMENTS);
  return bus_http_input_check(route, err);
}

bool http_routes_check(const struct bus_http_route *routes, size_t count, struct bus_error *err) {
  for (size_t i = 0; i < count; i++)
    if (!route_check(&routes[i], err))
      return false;
  return true;
}
