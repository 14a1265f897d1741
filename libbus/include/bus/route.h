/*
 * A route is a row: method, path, what a request holds and its bounds, handler, limits and documentation. The rows
 * drive the server (bus/http_server.h), the decoding of every request, and the OpenAPI document. Pure.
 *
 *   struct page { int64_t limit; struct bus_str cursor; };
 *   static const struct bus_field page_query[] = {
 *       BUS_FIELD_INT64(struct page, limit, 1, 100, BUS_OPTIONAL, "how many at most", .fallback = "20"),
 *       BUS_FIELD_STRING(struct page, cursor, BUS_ID, 1, 64, BUS_OPTIONAL, "the next_cursor of an earlier page"),
 *   };
 *   static const struct bus_http_input page_input = {sizeof(struct page), .query = BUS_TABLE(struct page, page_query)};
 *   {.method = "GET", .path = "/things", .input = &page_input, .handler = list, .summary = "Things by id", …}
 */
#pragma once

#include <bus/field.h>

BUS_C_BEGIN

struct bus_http_exchange;
typedef void (*bus_http_handler)(void *context, struct bus_http_exchange *exchange);

/* The struct that a request is decoded into. Path, query and body are tables of its members, one each; a member that no
 * table has is zero. */
struct bus_http_input {
  size_t size;
  /* One field for each {segment}, in their order. A segment that its field refuses names nothing: 404 with no_such. */
  const struct bus_schema *path;
  const char *no_such;
  /* Optional fields of the kinds that one text can hold. NULL: the query is not looked at; else unknown names are
   * refused. */
  const struct bus_schema *query;
  const struct bus_schema *body;
  bool body_may_be_empty; /* and counts as {} then */
  /* The body is a form, whose media_type the row says. Its fields are as those of a query, but unknown names are
   * ignored, as RFC 6749 wants it. */
  bool body_is_form;
  /* The body's optional string field "idempotency_key", where a request must have a key: there or in the header
   * Idempotency-Key, bare or in quotation marks, and the same in both. It is decoded into the field. */
  const struct bus_field *key;
  /* An optional string field, not of the body, into which that header is decoded where a request may have a key. */
  const struct bus_field *header_key;
  /* Offset of a struct bus_str: the SHA-256, in hexadecimal, of the body's canonical encoding with its fallbacks and
   * without the key. 0: not wanted. */
  size_t hash;
  /* Checks beyond the tables, where body and key are right; a wrong parameter of the query is absent then. It may
   * complete the struct. NULL: none. */
  void (*check)(void *request, struct bus_problems *problems);
};

/* For the documentation: one answer of a route. */
struct bus_http_answer {
  int status; /* 0: the end of the list */
  const char *description;
  const struct bus_schema *schema; /* NULL: without a JSON body, or from 400 on a problem */
};

/* For the documentation: a header that the handler of a route reads by itself. */
struct bus_http_told_header {
  const char *name; /* NULL: the end of the list */
  const char *description;
  const char *pattern; /* of a value that is not refused; NULL: any value of a header is taken */
  const char *example; /* NULL: none */
};

/* Who may call a route, in rising order of rights. The guard of the server keeps it (bus/http_server.h). */
enum bus_route_access { BUS_ROUTE_PUBLIC, BUS_ROUTE_CUSTOMER, BUS_ROUTE_OPERATOR, BUS_ROUTE_ADMIN };

struct bus_http_route {
  const char *method; /* "GET" (answers HEAD as well), "POST", … */
  const char *path;   /* "/api/orders/{id}": a segment in braces takes any one non-empty segment, but a path that a row
                         without braces has is that row's; the label of metrics */
  bus_http_handler handler;
  const struct bus_http_input *input; /* decoded before the handler runs, see bus_http_request; NULL: nothing is */
  const void *data;                   /* the handler's own */
  size_t body_limit;                  /* bytes; 0: a body is refused (413) */
  const char *media_type;             /* of the body, exact but for charset=utf-8; NULL: application/json */
  bool conditional; /* of a method that writes: its handler keeps If-Match and If-None-Match, each given at most once */
  bool is_probe;    /* a request that is answered below 400 stands in the access log at debug alone */
  enum bus_route_access access;          /* public unless it says otherwise */
  bool any_host;                         /* answers whatever the one Host says: for probes that ask by address */
  const char *summary;                   /* documentation, as are operation, produces, the headers and the answers */
  const char *operation;                 /* its operationId; NULL: made of method and path */
  const char *produces;                  /* media type of the answers below 300 that have no schema; NULL: no body */
  const struct bus_http_answer *answers; /* NULL: 200 alone. 304 among them: the route keeps If-None-Match */
  const struct bus_http_told_header *headers; /* beside Idempotency-Key and conditions; NULL: none */
};

/* ---- pure parts of the server ---- */

/* A request as it came: percent escapes of segments are undone, those of the query are not. key: the header
 * Idempotency-Key, or absent. */
struct bus_http_given {
  const struct bus_str *segments;
  struct bus_str query, body, key;
};

/* The decoded struct, in the arena. NULL: problems names every wrong field of query and body; without any the path
 * names nothing. */
void *bus_http_decode(const struct bus_http_input *input, const struct bus_http_given *given, struct bus_arena *arena,
                      struct bus_problems *problems) BUS_MUST_CHECK;

/* Can the input's tables work on this path? */
bool bus_http_input_check(const struct bus_http_route *route, struct bus_error *err) BUS_MUST_CHECK;

/* The OpenAPI 3.1 document of the rows, as JSON. problem: the schema of problem+json. False when out of memory. */
struct bus_openapi {
  const char *title, *version, *description;
  const struct bus_http_route *routes;
  size_t route_count;
  const struct bus_schema *problem;
};
/* Writes the document into the arena. False when out of memory. */
bool bus_openapi_encode(const struct bus_openapi *document, struct bus_arena *arena,
                        struct bus_str *ret) BUS_MUST_CHECK;

BUS_C_END
