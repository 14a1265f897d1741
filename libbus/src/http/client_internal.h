/* Shared by the two halves of the client: the poll set around curl's multi handle, and one call's easy handle. */
#pragma once

#include <bus/http_client.h>

#include <curl/curl.h>
#ifdef BUS_CURL_LATE
#include "curl_late.h"
#endif

typedef void http_call_done(void *context, const struct bus_http_result *result);

struct http_call {
  struct http_call *next, **link; /* in the client's list */
  CURL *easy;
  struct curl_slist *headers;
  char *text; /* the answer's body, with room for a NUL */
  size_t len, size, limit;
  bool is_too_large;
  bool cuts;                                                             /* an answer that is too large is cut */
  bool is_refused;                                                       /* may_connect refused the address */
  bool (*may_connect)(void *context, const struct bus_address *address); /* NULL: to all */
  void *may_connect_context;
  bool has_head; /* the empty line after the head has come */
  int64_t started, last_byte;
  char error[CURL_ERROR_SIZE];
  struct bus_span *span; /* NULL: none is recorded */
  http_call_done *done;
  void *context;
};

/* An easy handle with every option set; NULL with err. ids: of spans. */
struct http_call *http_call_new(const struct bus_http_client_settings *settings, const struct bus_http_call *spec,
                                struct bus_uuid_source *ids, struct bus_error *err);
/* Accepts NULL and the half-built. The easy handle must be out of the multi handle. */
void http_call_free(struct http_call *call);
/* The outcome of the call. */
struct bus_http_result http_call_result(struct http_call *call, CURLcode code);

/* Options of every call, whatever its protocol: time-outs; and whom to trust. protocols: as curl names them. */
bool http_call_set_limits(CURL *easy, const struct bus_http_client_settings *settings);
bool http_call_set_trust(CURL *easy, const struct bus_http_client_settings *settings, const char *protocols);
bool http_has_line_break(const char *text);

/* ---- client_span.c ---- */
/* *trace becomes the trace that the request carries: that of a new span, if one is to be recorded. */
void http_call_begin_span(struct http_call *call, const struct bus_http_client_settings *settings,
                          const struct bus_http_call *spec, struct bus_uuid_source *ids, struct bus_trace *trace);
void http_call_end_span(const struct http_call *call, struct bus_tracer *tracer, const struct bus_http_result *result);

#ifndef BUS_CURL_LATE
/* Is libcurl there? */
static inline bool http_curl_open(struct bus_error *err) {
  (void)err;
  return true;
}
#endif
