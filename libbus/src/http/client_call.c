/* One call: its options, the bytes that come back, and what they mean. */
#include "client_internal.h"

#include <bus/clock.h>
#include <bus/failpoint.h>

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../core/ascii.h"
#include "../core/heap.h"

enum { FIRST_SIZE = 1024 };

/* ---- bytes ---- */
/* Returning less than it got makes curl end the transfer: MAXFILESIZE alone does not bound an answer without length. */
static size_t on_body(char *data, size_t size, size_t count, void *context) {
  struct http_call *call = context;
  size_t len = size * count, room = call->limit - call->len;
  call->last_byte = bus_monotonic();
  call->is_too_large = len > room;
  if (BUS_ERROR_POINT("http-client.body"))
    return 0;
  if (call->is_too_large && !call->cuts)
    return 0;
  size_t kept = call->is_too_large ? room : len;
  char *text = heap_grow(call->text, call->len + kept + 1, FIRST_SIZE, &call->size);
  if (text == NULL)
    return 0;
  memcpy(text + call->len, data, kept);
  call->text = text;
  call->len += kept;
  return kept;
}

/* curl takes a head that the server cut off in its middle for a whole one. */
static size_t on_header(char *data, size_t size, size_t count, void *context) {
  struct http_call *call = context;
  size_t len = size * count;
  call->last_byte = bus_monotonic();
  if (BUS_ERROR_POINT("http-client.head"))
    return 0;
  if (len > 0 && len <= 2 && data[len - 1] == '\n')
    call->has_head = true;
  else if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
    call->has_head = false; /* another head after a 1xx; trailers leave it as it is */
  return len;
}

/* ---- options ---- */
bool http_has_line_break(const char *text) {
  return strpbrk(text, "\r\n") != NULL;
}

static bool spec_check(const struct bus_http_call *spec, struct bus_error *err) {
  if (http_has_line_break(spec->method) || http_has_line_break(spec->url))
    return bus_fail(err, BUS_E_INVALID, "HTTP call: line break in the method or URL");
  for (const char *const *header = spec->headers; header && *header; header++)
    if (http_has_line_break(*header))
      return bus_fail(err, BUS_E_INVALID, "HTTP call: line break in a header");
  return true;
}

static bool append_header(struct http_call *call, const char *line) {
  struct curl_slist *headers = curl_slist_append(call->headers, line);
  if (headers == NULL)
    return false;
  call->headers = headers;
  return true;
}

static bool append_trace(struct http_call *call, const struct bus_trace *trace) {
  char line[sizeof "traceparent: " + BUS_TRACESTATE_MAX + 1], text[BUS_TRACEPARENT_TEXT];
  bus_trace_format(trace, text);
  (void)snprintf(line, sizeof line, "traceparent: %s", text);
  if (!append_header(call, line))
    return false;
  (void)snprintf(line, sizeof line, "tracestate: %.*s", (int)trace->state.len, trace->state.data);
  return trace->state.len == 0 || append_header(call, line);
}

static bool set_headers(struct http_call *call, const struct bus_http_call *spec, const struct bus_trace *trace) {
  bool set = append_header(call, "Expect:"); /* no waiting for 100 Continue */
  if (set && bus_trace_is_set(trace))
    set = append_trace(call, trace);
  for (const char *const *header = spec->headers; set && header && *header; header++)
    set = append_header(call, *header);
  return set && curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers) == CURLE_OK;
}

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

static bool set_method(CURL *easy, const struct bus_http_call *spec) {
  bool has_body = spec->body.data != NULL || strcmp(spec->method, "POST") == 0;
  if (strcmp(spec->method, "GET") == 0 && !has_body)
    return SET(CURLOPT_HTTPGET, 1L);
  if (has_body && !(SET(CURLOPT_POST, 1L) && SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)spec->body.len) &&
                    SET(CURLOPT_COPYPOSTFIELDS, spec->body.data ? spec->body.data : "")))
    return false;
  return SET(CURLOPT_CUSTOMREQUEST, spec->method);
}

/* ---- addresses ---- */

/* False: of another family. */
static bool address_of(const struct curl_sockaddr *peer, struct bus_address *ret) {
  static const uint8_t v4_prefix[] = {[10] = 0xFF, [11] = 0xFF};
  if (peer->family == AF_INET) {
    struct sockaddr_in v4;
    memcpy(&v4, &peer->addr, sizeof v4);
    memcpy(ret->bytes, v4_prefix, sizeof v4_prefix);
    memcpy(ret->bytes + sizeof v4_prefix, &v4.sin_addr, sizeof v4.sin_addr);
  } else if (peer->family == AF_INET6 && peer->addrlen >= sizeof(struct sockaddr_in6)) {
    /* curl gives the address in memory of its own length, which is larger than struct sockaddr. */
    memcpy(ret->bytes, (const char *)&peer->addr + offsetof(struct sockaddr_in6, sin6_addr), sizeof ret->bytes);
  }
  return peer->family == AF_INET || peer->family == AF_INET6;
}

/* At each connect: a name that is resolved again, and to another address, is asked about again. */
static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *peer) {
  struct http_call *call = context;
  struct bus_address address;
  (void)purpose;
  call->is_refused = !address_of(peer, &address) || !call->may_connect(call->may_connect_context, &address);
  return call->is_refused ? CURL_SOCKET_BAD : socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

bool http_call_set_limits(CURL *easy, const struct bus_http_client_settings *settings) {
  return SET(CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout_ms) &&
         SET(CURLOPT_TIMEOUT_MS, (long)settings->total_timeout_ms) && SET(CURLOPT_NOSIGNAL, 1L) &&
         SET(CURLOPT_QUICK_EXIT, settings->quick_exit ? 1L : 0L) &&
         (settings->cut_response || SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)settings->max_response));
}

/* Environment and redirects must not lead a call elsewhere. */
bool http_call_set_trust(CURL *easy, const struct bus_http_client_settings *settings, const char *protocols) {
  return SET(CURLOPT_PROTOCOLS_STR, protocols) && SET(CURLOPT_PROXY, "") && SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
         SET(CURLOPT_SSL_VERIFYHOST, 2L) && SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
         (settings->ca_file == NULL || SET(CURLOPT_CAINFO, settings->ca_file));
}

static bool set_security(CURL *easy, const struct bus_http_client_settings *settings) {
  return http_call_set_trust(easy, settings, settings->allow_plain ? "http,https" : "https") &&
         SET(CURLOPT_REDIR_PROTOCOLS_STR, "https") && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
         SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

static bool set_callbacks(CURL *easy, struct http_call *call) {
  return SET(CURLOPT_WRITEFUNCTION, on_body) && SET(CURLOPT_WRITEDATA, call) &&
         SET(CURLOPT_HEADERFUNCTION, on_header) && SET(CURLOPT_HEADERDATA, call) &&
         SET(CURLOPT_ERRORBUFFER, call->error) && SET(CURLOPT_PRIVATE, call) &&
         (call->may_connect == NULL || (SET(CURLOPT_OPENSOCKETFUNCTION, on_open) && SET(CURLOPT_OPENSOCKETDATA, call)));
}

static bool set_options(struct http_call *call, const struct bus_http_client_settings *settings,
                        const struct bus_http_call *spec, const struct bus_trace *trace) {
  CURL *easy = call->easy;
  return SET(CURLOPT_URL, spec->url) && set_method(easy, spec) && http_call_set_limits(easy, settings) &&
         set_security(easy, settings) && set_callbacks(easy, call) && set_headers(call, spec, trace) &&
         (settings->user_agent == NULL || SET(CURLOPT_USERAGENT, settings->user_agent));
}

struct http_call *http_call_new(const struct bus_http_client_settings *settings, const struct bus_http_call *spec,
                                struct bus_uuid_source *ids, struct bus_error *err) {
  struct bus_trace trace = {.flags = 0};
  if (!spec_check(spec, err))
    return NULL;
  struct http_call *call = calloc(1, sizeof *call);
  if (call) {
    call->cuts = settings->cut_response;
    call->may_connect = settings->may_connect;
    call->may_connect_context = settings->context;
    call->easy = curl_easy_init();
    http_call_begin_span(call, settings, spec, ids, &trace);
  }
  if (call == NULL || call->easy == NULL || !set_options(call, settings, spec, &trace)) {
    http_call_free(call);
    bus_fail(err, BUS_E_NOMEM, "HTTP call to %s", spec->url);
    return NULL;
  }
  call->limit = settings->max_response;
  call->started = call->last_byte = bus_monotonic();
  return call;
}

void http_call_free(struct http_call *call) {
  if (call == NULL)
    return;
  curl_easy_cleanup(call->easy);
  curl_slist_free_all(call->headers);
  free(call->span);
  free(call->text);
  free(call);
}

/* ---- the result ---- */
/* Seconds; -1 without, and for the form with a date. */
static int64_t retry_after(CURL *easy) {
  struct curl_header *header;
  int64_t seconds;
  bool given = curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK;
  return given && bus_str_number(bus_str(header->value), 9, &seconds) ? seconds : -1;
}

/* curl counts the bytes of every attempt, also of attempts that it repeated by itself on another connection. */
static bool was_sent(CURL *easy) {
  long bytes = 1;
  return curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes) != CURLE_OK || bytes > 0;
}

static const char *error_text(struct http_call *call, CURLcode code) {
  if (call->is_refused && code == CURLE_COULDNT_CONNECT)
    return "the address may not be connected to";
  if (call->is_too_large || code == CURLE_FILESIZE_EXCEEDED)
    return "the answer is larger than allowed";
  if (code == CURLE_OK)
    return "the answer's head was cut off";
  return call->error[0] != '\0' ? call->error : curl_easy_strerror(code);
}

struct bus_http_result http_call_result(struct http_call *call, CURLcode code) {
  struct bus_http_result result = {.retry_after_s = -1, .duration = bus_monotonic() - call->started};
  long status = 0;
  curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
  bool is_cut = call->cuts && call->is_too_large && code == CURLE_WRITE_ERROR;
  if ((code != CURLE_OK && !is_cut) || !call->has_head) {
    result.outcome = was_sent(call->easy) ? BUS_HTTP_UNKNOWN : BUS_HTTP_NOT_SENT;
    result.error = error_text(call, code);
    return result;
  }
  if (call->text)
    call->text[call->len] = '\0';
  result.outcome = BUS_HTTP_ANSWERED;
  result.status = (int)status;
  result.body = (struct bus_str){call->text ? call->text : "", call->len};
  result.retry_after_s = retry_after(call->easy);
  return result;
}
