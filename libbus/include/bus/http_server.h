/*
 * An HTTP/1.1 server over civetweb with a gate of its own in front: an exact route table, strict framing, bodies read
 * under one deadline, problem+json for every error. The edge, the admin listener and the PSP sandbox are route tables
 * on it. Handlers run on the server's threads, several at once; each gets an arena of its own that lives for the
 * request.
 *
 * A connection holds a thread for as long as it lives. At most half of the threads hold kept connections and at most a
 * quarter hold requests that take their time because of their client (bus_http_hold, streams, answers that are read
 * slowly); the rest serves one request a connection. An answer says "Connection: close" where its connection would be
 * one too many, or while others wait for a thread: all take turns. An idle connection is not closed before idle_ms. A
 * connection that sends nothing takes no thread for about a minute. While less than a quarter of the threads is free, a
 * request that is not complete 100 ms after its first byte loses its connection (408 if its head is complete), the
 * oldest first.
 *
 * A body comes with a Content-Length, or chunked (HTTP/1.1, exactly `Transfer-Encoding: chunked`, no Content-Length);
 * both under the same limit and deadline. A chunked one may take twice its limit on the wire, and its connection is
 * closed with the answer.
 *
 * Refused before any handler runs, and the connection closed: any other Transfer-Encoding (411), chunks with
 * extensions, trailers or sizes of more than 8 digits (400), a Content-Encoding other than identity (415), a condition
 * that cannot be kept: If-Match, and If-None-Match or If-Unmodified-Since of a method that writes, or twice on a route
 * that is `conditional` and keeps the first two (412), more than one
 * or a malformed Content-Length (400), Content-Type, Authorization or Idempotency-Key twice (400), a line of the head
 * that is not exactly as RFC 9112 writes it (400), a body over the route's limit (413), 41 headers or more, or a header
 * block over 8 KiB (431; over 16 KiB 400), no Host or two (400), a path with any byte outside [A-Za-z0-9/_.-], "//" or
 * ".." (400), an unknown path (404), a method that the path has not (405 with Allow), a body with another media type
 * (415), a body that takes longer than the deadline (408). The path is matched on raw bytes, case-sensitively.
 *
 * CORS (the Fetch standard): a request with an Origin of the list gets Access-Control-Allow-Origin, a preflight of one
 * 204 with the methods of the path. Every other OPTIONS is 405. Credentials (cookies) are never allowed.
 *
 * With a tracer each request of a sampled trace is a span (bus/span.h) of kind SERVER, by OpenTelemetry's conventions
 * for HTTP: its name is method and route. It has no url.path and no address of the client, because both may be personal
 * data.
 *
 * Every answer carries `traceparent` and `X-Request-Id`: the client's own where it is 1 to 64 of [A-Za-z0-9._~:+/=-],
 * else a new one. Both, and the trace_id of a problem, stand in the request's line of the access log:
 *   {…,"msg":"request","listener","method","route","status","duration_us","bytes","trace_id","request_id","client",
 *    notes…}
 * with the route as its template, the client's address as a keyed hash, and no byte of the client's path, query,
 * headers or address.
 */
#pragma once

#include <bus/arena.h>
#include <bus/base.h>
#include <bus/error.h>
#include <bus/field.h>
#include <bus/log.h>
#include <bus/network.h>
#include <bus/route.h>
#include <bus/tls.h>
#include <bus/trace.h>
#include <bus/tracer.h>

BUS_C_BEGIN

struct bus_http_server;
struct bus_http_exchange; /* one request and its answer; valid inside the handler only */

struct bus_http_settings {
  const char *bind; /* address: "127.0.0.1"; IPv6 in brackets */
  int port;
  struct bus_tls *tls; /* HTTPS alone, and Strict-Transport-Security in each answer; NULL: plain HTTP */
  int threads;
  int64_t body_deadline_ms;    /* whole body, default 5000 */
  int64_t idle_ms;             /* keep-alive; default 75000 */
  int requests_per_connection; /* default 100000 */
  int address_connections;     /* so many connections of one address have a thread at a time, trusted proxies aside; */
                               /* further ones are closed, or answered 503 if they come with a request; 0: any number */
  int64_t work_max;            /* so many requests in progress, probes and waiting ones (bus_http_hold) aside, */
  int64_t work_age_ms;         /* with a mean age beyond this: new ones are answered 503 at once. work_max 0: never */
  const char *const *hosts;    /* allowlist of Host names without port, NULL-terminated; NULL: any well-formed one */
  const char *default_prefix;  /* "/api": a path that no route has is looked for behind it; NULL: none */
  const char *const *origins;  /* CORS: NULL-terminated list of origins whose pages may read responses, "*" for any;
                                  NULL: none */
  const char *metrics_name;    /* label "listener" of http_requests_total; NULL: not counted */
  enum bus_access_log access_log;
  const struct bus_networks *trusted_proxies; /* whose X-Forwarded-For counts; NULL: nobody's */
  struct bus_tracer *tracer; /* where the spans of requests are recorded, those of probes aside; NULL: none are */
  const char *span_note;     /* a note (bus_http_note) that the span has as an attribute, too; NULL: none */
  const uint8_t *client_key; /* 32 bytes: the access log has the client's address as a hash with this key; NULL: not */
  /* Runs before the input of a route that is no probe is decoded, with the context of the handlers. False: it has
   * answered. NULL: every route is public. */
  bool (*guard)(void *context, struct bus_http_exchange *exchange);
};

/* Routes are kept, not copied; context goes to every handler. Signals should be blocked by the caller before. The
 * error names BIND/PORT and the address when it is taken. */
bool bus_http_server_start(const struct bus_http_settings *settings, const struct bus_http_route *routes,
                           size_t route_count, void *context, struct bus_http_server **ret,
                           struct bus_error *err) BUS_MUST_CHECK;
/* Registers the metrics of a server, for bus_metrics_print_list. */
void bus_http_metrics_register(void);
/* The port that it listens on: the kernel's choice where settings said 0. */
int bus_http_server_port(const struct bus_http_server *server);
/* Drains before a stop, without errors for clients. For serve_ms all requests are served, each response with
 * "Connection: close"; after that, up to kept_ms in all, each kept connection still gets one response. kept_ms should
 * exceed the time for which a proxy keeps an idle connection, because a request that meets the close of its connection
 * is lost. Then new connections are ignored. Blocks the caller; call only stop afterwards. */
void bus_http_server_drain(struct bus_http_server *server, int64_t serve_ms, int64_t kept_ms);
/* Closes idle connections, answers requests that have arrived, and lets handlers finish, for at most 10 s. Accepts
 * NULL. */
void bus_http_server_stop(struct bus_http_server *server);

/* ---- the request ---- */
/* The arena of this request, which is freed once the response is sent. */
struct bus_arena *bus_http_arena(struct bus_http_exchange *exchange);
/* The index-th {segment} of the route's path, from 0, with its percent escapes undone: letters, digits and the
 * characters "._:-" alone, and neither "." nor "..". */
struct bus_str bus_http_path_segment(const struct bus_http_exchange *exchange, size_t index);
/* The value of a header, by its name in any case; absent when it is not there or stands twice. */
struct bus_str bus_http_header(const struct bus_http_exchange *exchange, const char *name);
/* True: Accept names `type`, and not with a lower weight than `usual`. Ranges with wildcards name neither. Types are
 * "text/plain", without parameters. */
bool bus_http_prefers(const struct bus_http_exchange *exchange, const char *type, const char *usual);
/* The query as it came, for bus_form_find; absent where there is none. */
struct bus_str bus_http_query(const struct bus_http_exchange *exchange);
/* The struct of the route's input, decoded; NULL where the route has none. A request that is wrong does not reach its
 * handler: 400 with every wrong field of query and body, or 404 where the path names nothing. */
const void *bus_http_request(const struct bus_http_exchange *exchange);
/* The row that the request came by. */
const struct bus_http_route *bus_http_route(const struct bus_http_exchange *exchange);
/* Set by the guard: who calls, as the guard found out. It lives as long as the request's arena; NULL: nobody in
 * particular. */
void bus_http_set_caller(struct bus_http_exchange *exchange, const void *caller);
/* The caller that bus_http_set_caller set; NULL: none. */
const void *bus_http_caller(const struct bus_http_exchange *exchange);
/* The whole body, already read; NUL-terminated; empty where there is none. */
struct bus_str bus_http_body(const struct bus_http_exchange *exchange);
/* Adds a field to the request's line in the access log, at most four. name is a literal; value is copied. No personal
 * data and no secrets. */
void bus_http_note(struct bus_http_exchange *exchange, const char *name, struct bus_str value);
/* The trace of this request: the client's traceparent continued, or a new one, with the id of the request's span. */
const struct bus_trace *bus_http_trace(const struct bus_http_exchange *exchange);
/* "GET" and so on, as the request line has it; valid inside the handler. */
const char *bus_http_method(const struct bus_http_exchange *exchange);
/* Whom limits count: the bytes of the client's IPv4 address, or the first half of an IPv6 one. The client is the
 * connection's peer; where that is a trusted proxy, it is the rightmost address of X-Forwarded-For that is none. */
struct bus_str bus_http_client(const struct bus_http_exchange *exchange);
/* For handlers that wait: waits at most that long. True: the client has disconnected or the server stops. */
bool bus_http_wait_gone(struct bus_http_exchange *exchange, int64_t timeout_ms);
/* The same, at most until fd (such as an eventfd) is readable. */
enum bus_http_wait { BUS_HTTP_WAITED, BUS_HTTP_READY, BUS_HTTP_GONE };
/* Waits at most that long, and at most until fd is readable; BUS_HTTP_GONE as bus_http_wait_gone. */
enum bus_http_wait bus_http_wait_ready(struct bus_http_exchange *exchange, int fd, int64_t timeout_ms);

/* Takes one of the places for waiting handlers, a quarter of the threads, until the handler returns. False: all places
 * are taken; respond at once. A stream takes a place by itself. */
bool bus_http_hold(struct bus_http_exchange *exchange);

/* ---- the answer: one call of the second group per request, after any number of the first ---- */
/* name is a literal; value must be visible ASCII, else the header is left out. */
void bus_http_add_header(struct bus_http_exchange *exchange, const char *name, struct bus_str value);

/* Adds the entity tag of what the response shows. → 304 is the response: If-None-Match of the GET or HEAD names that
 * tag. tag: 1 to 64 visible characters without quotation marks. */
bool bus_http_tag(struct bus_http_exchange *exchange, struct bus_str tag) BUS_MUST_CHECK;

/* Responds with that body, which is copied before the call returns. */
void bus_http_reply(struct bus_http_exchange *exchange, int status, const char *media_type, struct bus_str body);
/* Encoded with bus_encode_nulls. */
void bus_http_reply_json(struct bus_http_exchange *exchange, int status, const struct bus_schema *schema,
                         const void *value);
/* A document that caches may keep for five minutes: 200 with its entity tag, or 304 where If-None-Match names that tag.
 * tag: up to 64 visible characters, without quotation marks. */
void bus_http_reply_document(struct bus_http_exchange *exchange, const char *media_type, struct bus_str body,
                             struct bus_str tag);
/* RFC 9457: {"type":"about:blank","title":…,"status":…,"detail":…,"trace_id":…}; detail is our own text, never the
 * client's. */
void bus_http_problem(struct bus_http_exchange *exchange, int status, const char *format, ...) BUS_PRINTF(3, 4);
/* 400 with "errors":[{"field":…,"message":…,"value":…,"allowed":…}] for each; value is a wrong number or boolean, never
 * a string; allowed is there where the message says what the field must be. 503 where lack of memory is among them. */
void bus_http_problems(struct bus_http_exchange *exchange, const struct bus_problems *problems);
extern const struct bus_schema bus_http_problem_schema;

/* An answer of unknown length, written as it is made (chunked; HTTP/1.0: until the connection closes); it ends when the
 * handler returns. False: the client is gone, or there are too many streams (answered 503); further writes do nothing.
 * Instead of the calls above. */
bool bus_http_stream_start(struct bus_http_exchange *exchange, int status, const char *media_type);
/* Writes a piece of the stream. False: the client is gone. */
bool bus_http_stream_write(struct bus_http_exchange *exchange, struct bus_str text);

/* The pure gate, for tests and fuzzing: one decision over the parsed head. 0: continue; else the status of the refusal,
 * and its reason. */
struct bus_http_header_view {
  struct bus_str name, value;
};
/* Returns 0 to go on, else the status of the refusal; *ret_reason, which is static text, says why. */
int bus_http_gate(const char *method, struct bus_str raw_path, const char *http_version,
                  const struct bus_http_header_view *headers, size_t header_count, const char **ret_reason);

BUS_C_END
