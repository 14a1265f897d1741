/* Requests that came by another protocol than HTTP/1.1, such as gRPC: the same routes, guard, limits, decoding and
 * handlers answer them as those of the server's own connections, and they stand in the same metrics, access log and
 * traces. The gate of heads does not see them: whoever carries a request has made its path and query. */
#pragma once

#include <bus/http_server.h>

BUS_C_BEGIN

/* Receivers of the answer; all run on the thread of bus_http_carry. */
struct bus_http_carrier {
  /* The whole answer: body is in the exchange's arena, a problem of bus_http_problem_schema from 400 on. */
  void (*answer)(void *context, struct bus_http_exchange *exchange, int status, struct bus_str body);
  /* A piece of a stream. False: the client is gone. */
  bool (*write)(void *context, struct bus_str piece);
  /* As bus_http_wait_ready. */
  enum bus_http_wait (*wait)(void *context, int fd, int64_t timeout_ms);
};

struct bus_http_carried {
  const char *listener; /* label of metrics and the access log: "grpc" */
  const char *method;
  struct bus_str path, query;                 /* well-formed; the query may be absent */
  const struct bus_http_header_view *headers; /* names in any case */
  size_t header_count;
  struct bus_str body; /* NUL-terminated, or absent */
  const char *peer;    /* address of the connection's peer as text */
  const struct bus_http_carrier *carrier;
  void *context;
};

/* Blocks until the handler has returned. False: there was no memory for an exchange, and no answer. */
bool bus_http_carry(struct bus_http_server *server, const struct bus_http_carried *carried) BUS_MUST_CHECK;
/* The carrier's context of the exchange; NULL: it came by the server's own connections. */
void *bus_http_carrier_context(const struct bus_http_exchange *exchange);
/* The value of a header that the handler has added; absent: it has not. */
struct bus_str bus_http_added_header(const struct bus_http_exchange *exchange, const char *name);

/* An error's body, decoded by bus_http_problem_schema. */
struct bus_http_problem_item {
  struct bus_str field, message, value, allowed;
};
struct bus_http_problem_body {
  struct bus_str type, title, detail, trace_id;
  int64_t status;
  struct bus_http_problem_item *errors;
  size_t error_count;
};

BUS_C_END
