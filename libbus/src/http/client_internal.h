/* Shared by the two halves of the client: the poll set around curl's multi handle, and one call's easy handle. */
#pragma once

#include <bus/http_client.h>

#include <curl/curl.h>

typedef void http_call_done(void *context, const struct bus_http_result *result);

struct http_call {
  struct http_call *next, **link; /* in the client's list */
  CURL *easy;
  struct curl_slist *headers;
  char *text; /* the answer's body, with room for a NUL */
  size_t len, size, limit;
  bool is_too_large;
  bool has_head; /* the empty line after the head has come */
  int64_t started, last_byte;
  char error[CURL_ERROR_SIZE];
  http_call_done *done;
  void *context;
};

/* An easy handle with every option set; NULL with err. */
struct http_call *http_call_new(const struct bus_http_client_settings *settings, const struct bus_http_call *spec,
                                struct bus_error *err);
/* Accepts NULL and the half-built. The easy handle must be out of the multi handle. */
void http_call_free(struct http_call *call);
/* The outcome of the call. */
struct bus_http_result http_call_result(struct http_call *call, CURLcode code);
