/* HTTP client: libcurl's multi interface inside a worker's poll set, never blocking it. It is in target bus_curl, so
 * that only programs with outgoing calls link libcurl; bus_curl_late is the same client for programs that seldom need
 * it, and opens libcurl with the first client. One client for each thread. It verifies certificates and host
 * names, refuses redirects and proxies, and caps responses. A client of URLs that strangers choose also asks which
 * addresses it may connect to. curl may send a request again by itself, so callers give an
 * idempotency key. */
#pragma once

#include <bus/base.h>
#include <bus/error.h>
#include <bus/network.h>
#include <bus/poll.h>
#include <bus/tracer.h>

BUS_C_BEGIN

struct bus_http_client;

struct bus_http_client_settings {
  int64_t connect_timeout_ms; /* 2000 */
  int64_t read_timeout_ms;    /* 5000 without a byte */
  int64_t total_timeout_ms;   /* 7000 */
  int max_connections;        /* 32: to all hosts together; further calls wait for one */
  size_t max_response;        /* 65536 bytes */
  bool cut_response;          /* of a longer response the first bytes are the body; else it is refused */
  const char *user_agent;
  const char *ca_file;       /* NULL: the system's */
  struct bus_tracer *tracer; /* each call of a sampled trace is a span of kind CLIENT; NULL: none is */
  bool allow_plain;          /* http:// as well as https:// */
  /* May the client connect to this address? It is asked at each connect, about the address that the name was resolved
   * to, so that a name that is resolved to another one later reaches it no more than the first. NULL: to all. */
  bool (*may_connect)(void *context, const struct bus_address *address);
  void *context;   /* of may_connect */
  bool quick_exit; /* an abort does not wait for a name to be resolved: a thread of the resolver may outlive the client;
                      for a client that is freed when the process ends */
};

struct bus_http_call {
  const char *method; /* "GET", "POST" */
  const char *url;
  struct bus_str body;           /* copied; absent: none */
  const char *const *headers;    /* "Name: value", NULL-terminated; copied; CR or LF is refused */
  const struct bus_trace *trace; /* goes on as traceparent and tracestate, which `headers` must not hold; NULL or not
                                    set: none does */
  const char *route;             /* for the span: the path without ids ("/v1/refunds/{id}"); a literal, or NULL */
  int64_t resend;                /* for the span: how often this was sent before */
};

/* NOT_SENT: no byte of the request arrived (resolve, connect). UNKNOWN: the server may have carried it out (time-out,
 * cut link, response over the cap): send it again with the same idempotency key. ANSWERED: status and body are the
 * server's. */
enum bus_http_outcome { BUS_HTTP_ANSWERED, BUS_HTTP_NOT_SENT, BUS_HTTP_UNKNOWN };

struct bus_http_result {
  enum bus_http_outcome outcome;
  int status;            /* ANSWERED */
  struct bus_str body;   /* ANSWERED; valid inside the callback */
  int64_t retry_after_s; /* from Retry-After in seconds; -1 without */
  const char *error;     /* else: curl's text */
  int64_t duration;      /* microseconds */
};

/* Makes a client for one thread. False: the settings are refused, or out of memory. */
bool bus_http_client_new(const struct bus_http_client_settings *settings, struct bus_http_client **ret,
                         struct bus_error *err) BUS_MUST_CHECK;
/* Aborts calls under way; their callbacks are not called. Accepts NULL. */
void bus_http_client_free(struct bus_http_client *client);

/* Starts a call; done is called once, from dispatch, never from here. */
bool bus_http_client_start(struct bus_http_client *client, const struct bus_http_call *call,
                           void (*done)(void *context, const struct bus_http_result *result), void *context,
                           struct bus_error *err) BUS_MUST_CHECK;
/* Calls that are under way. */
size_t bus_http_client_pending(const struct bus_http_client *client);
/* Blocks until no call is under way: for a thread that has nothing else to poll. */
void bus_http_client_finish(struct bus_http_client *client);

/* Valid as long as the client. */
struct bus_poll_source bus_http_client_source(struct bus_http_client *client);

BUS_C_END
