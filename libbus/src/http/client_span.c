/* The span of a call, by OpenTelemetry's conventions for HTTP clients. */
#include "client_internal.h"

#include <bus/clock.h>

#include <stdio.h>
#include <stdlib.h>

/* The host and the port of a URL, without a user. */
static void add_server(struct bus_span *span, struct bus_str url) {
  bool is_plain = bus_str_cut_start(&url, "http://");
  int64_t port = is_plain ? 80 : 443;
  if (!is_plain && !bus_str_cut_start(&url, "https://"))
    return;
  size_t len = 0, colon = 0;
  for (; len < url.len && strchr("/?#", url.data[len]) == NULL; len++)
    if (url.data[len] == '@')
      return;
    else if (url.data[len] == ':')
      colon = len;
    else if (url.data[len] == ']')
      colon = 0; /* those of an IPv6 address */
  struct bus_str digits = {url.data + colon + 1, len - colon - 1};
  if (colon > 0 && !bus_str_number(digits, 5, &port))
    return;
  bus_span_add_text(span, "server.address", (struct bus_str){url.data, colon > 0 ? colon : len});
  bus_span_add_int(span, "server.port", port);
}

void http_call_begin_span(struct http_call *call, const struct bus_http_client_settings *settings,
                          const struct bus_http_call *spec, struct bus_uuid_source *ids, struct bus_trace *trace) {
  if (!bus_trace_is_set(spec->trace))
    return;
  *trace = *spec->trace;
  if (bus_tracer_wants(settings->tracer, trace))
    call->span = malloc(sizeof *call->span); /* without memory the call has no span */
  if (call->span == NULL)
    return;
  bus_trace_child(spec->trace, ids, trace);
  bus_span_init(call->span, BUS_SPAN_CLIENT, trace, spec->trace->span_id);
  bus_span_set_name(call->span, "%s%s%s", spec->method, spec->route ? " " : "", spec->route ? spec->route : "");
  bus_span_add_text(call->span, "http.request.method", bus_str(spec->method));
  bus_span_add_text(call->span, "url.template", bus_str(spec->route));
  add_server(call->span, bus_str(spec->url));
  if (spec->resend > 0)
    bus_span_add_int(call->span, "http.request.resend_count", spec->resend);
}

void http_call_end_span(const struct http_call *call, struct bus_tracer *tracer, const struct bus_http_result *result) {
  struct bus_span *span = call->span;
  char code[12];
  if (span == NULL)
    return;
  span->ended = bus_wall_clock();
  span->began = span->ended - result->duration;
  (void)snprintf(code, sizeof code, "%d", result->status);
  if (result->outcome == BUS_HTTP_ANSWERED)
    bus_span_add_int(span, "http.response.status_code", result->status);
  if (result->outcome != BUS_HTTP_ANSWERED)
    bus_span_fail(span, result->outcome == BUS_HTTP_NOT_SENT ? BUS_STR("not_sent") : BUS_STR("unknown"));
  else if (result->status >= 400)
    bus_span_fail(span, bus_str(code));
  bus_tracer_record(tracer, span);
}
