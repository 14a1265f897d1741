/* By which ids a request is found again in logs: its trace, and the id that the client or a proxy gave it. */
#include "internal.h"

#include <bus/clock.h>

#include "../core/ascii.h"

enum { REQUEST_ID_MAX = 64 };

/* Formats that common proxies and platforms write: UUIDs, ULIDs, hexadecimal, base64,
 * 1-67891233-abcdef012345678912345678. */
static bool is_request_id(struct bus_str text) {
  static const char others[] = "-._~:+/=";
  for (size_t i = 0; i < text.len; i++) {
    char c = text.data[i];
    if (!ascii_is_alphanumeric(c) && memchr(others, c, sizeof others - 1) == NULL)
      return false;
  }
  return text.len >= 1 && text.len <= REQUEST_ID_MAX;
}

static struct bus_str new_request_id(const struct bus_http_exchange *exchange) {
  struct bus_uuid uuid;
  char text[BUS_UUID_TEXT];
  bus_uuid_v7(&exchange->scratch->ids, bus_wall_clock(), &uuid);
  bus_uuid_format(&uuid, text);
  return bus_arena_copy(exchange->scratch->arena, bus_str(text));
}

/* Several tracestate headers are one list, in their order. It is left out where there is no memory for it. */
static void read_trace_state(const struct bus_http_exchange *exchange, struct bus_trace *trace) {
  char text[BUS_TRACESTATE_MAX + 1];
  size_t len = 0;
  for (size_t i = 0; i < exchange->header_count; i++) {
    struct bus_str value = exchange->headers[i].value;
    if (!http_text_is(exchange->headers[i].name, "tracestate"))
      continue;
    if (len + value.len + 1 > sizeof text)
      return; /* too long: dropped whole */
    if (len > 0)
      text[len++] = ',';
    memcpy(text + len, value.data, value.len);
    len += value.len;
  }
  if (len > 0)
    bus_trace_set_state(trace, bus_arena_copy(exchange->scratch->arena, (struct bus_str){text, len}));
}

void http_identify(struct bus_http_exchange *exchange, bool is_head_right) {
  struct bus_trace parent = {0};
  struct bus_str traceparent = is_head_right ? bus_http_header(exchange, "traceparent") : BUS_NO_STR;
  struct bus_str request_id = is_head_right ? bus_http_header(exchange, "x-request-id") : BUS_NO_STR;
  if (traceparent.data == NULL || !bus_trace_parse(traceparent, &parent))
    parent = (struct bus_trace){0};
  read_trace_state(exchange, &parent);
  bus_trace_child(&parent, &exchange->scratch->ids, &exchange->trace);
  if (bus_trace_is_set(&parent))
    memcpy(exchange->parent_span, parent.span_id, sizeof exchange->parent_span);
  else
    bus_tracer_sample(exchange->server->settings.tracer, &exchange->trace);
  exchange->request_id = is_request_id(request_id) ? request_id : new_request_id(exchange);
}
