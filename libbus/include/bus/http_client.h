/* Calls out by HTTP: libcurl's multi interface inside a worker's poll set, never blocking it. In target bus_curl, so
 * that only programs which call out link libcurl. One client a thread. Certificates and host names are verified,
 * redirects and proxies refused, answers capped; curl's own re-send is harmless only with the same idempotency key, so
 * callers give one. */
#ifndef BUS_HTTP_CLIENT_H
#define BUS_HTTP_CLIENT_H

#include <bus/base.h>
#include <bus/error.h>
#include <bus/poll.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bus_http_client;

struct bus_http_client_settings {
  int64_t connect_timeout_ms; /* 2000 */
  int64_t read_timeout_ms;    /* 5000 without a byte */
  int64_t total_timeout_ms;   /* 7000 */
  int max_connections;        /* 32: to all hosts together; further calls wait for one */
  size_t max_response;        /* 65536 bytes */
  const char *user_agent;
  const char *ca_file; /* NULL: the system's */
  bool allow_plain;    /* http:// as well as https:// */
};

struct bus_http_call {
  const char *method; /* "GET", "POST" */
  const char *url;
  struct bus_str body;        /* copied; absent: none */
  const char *const *headers; /* "Name: value", NULL-terminated; copied; CR or LF is refused */
};

/* NOT_SENT: certainly no byte of the request arrived (resolve, connect). UNKNOWN: it may have been carried out
 * (time-out, cut link, answer over the cap): ask again with the same idempotency key. ANSWERED: status and body are the
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

bool bus_http_client_new(const struct bus_http_client_settings *settings, struct bus_http_client **ret,
                         struct bus_error *err) BUS_MUST_CHECK;
/* Cuts what is under way; callbacks are not called. Accepts NULL. */
void bus_http_client_free(struct bus_http_client *client);

/* Starts a call; done is called once, from dispatch, never from here. */
bool bus_http_client_start(struct bus_http_client *client, const struct bus_http_call *call,
                           void (*done)(void *context, const struct bus_http_result *result), void *context,
                           struct bus_error *err) BUS_MUST_CHECK;
size_t bus_http_client_pending(const struct bus_http_client *client);

/* Valid as long as the client. */
struct bus_poll_source bus_http_client_source(struct bus_http_client *client);

#ifdef __cplusplus
}
#endif
#endif
