/* The route table: exact, case-sensitive, on raw bytes. Pure. */
#pragma once

#include <bus/http_server.h>

enum { HTTP_SEGMENTS = 8, HTTP_ALLOW_TEXT = 64 };

enum http_match_result { HTTP_MATCHED, HTTP_NO_PATH, HTTP_NO_METHOD };

struct http_match {
  const struct bus_http_route *route; /* MATCHED */
  struct bus_str segments[HTTP_SEGMENTS];
  size_t segment_count;
  char allow[HTTP_ALLOW_TEXT]; /* NO_METHOD: the methods that the path has, "GET, HEAD, POST" */
};

/* The first route of the table that fits; a GET route answers HEAD as well. */
enum http_match_result http_match(const struct bus_http_route *routes, size_t count, const char *method,
                                  struct bus_str path, struct http_match *ret);

/* The method as a metric's label: itself where it is a usual one, else "other". */
const char *http_method_label(const char *method);

/* Says which entry of a table can never work. */
bool http_routes_check(const struct bus_http_route *routes, size_t count, struct bus_error *err) BUS_MUST_CHECK;
