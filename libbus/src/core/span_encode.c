/* Spans as the JSON of OTLP/HTTP: ids in hexadecimal, 64-bit numbers as strings. */
#include <bus/span.h>

#include "hex.h"
#include "json_write.h"

struct request {
  const struct bus_span_resource *resource;
  const struct bus_span *spans;
  size_t count;
};

static void put(struct bus_json_writer *writer, const char *text) {
  bus_json_raw(writer, bus_str(text));
}

static void put_id(struct bus_json_writer *writer, const char *key, const uint8_t *id, size_t size) {
  char text[32];
  bus_hex_write(text, id, size);
  put(writer, key);
  bus_json_raw(writer, (struct bus_str){text, 2 * size});
  bus_json_char(writer, '"');
}

static void put_time(struct bus_json_writer *writer, const char *key, bus_time time) {
  put(writer, key);
  bus_json_int64(writer, time);
  put(writer, "000\""); /* nanoseconds */
}

static void put_attribute(struct bus_json_writer *writer, const struct bus_span *span,
                          const struct bus_span_attribute *attribute) {
  put(writer, "{\"key\":");
  bus_json_string(writer, bus_str(attribute->key));
  switch (attribute->kind) {
  case BUS_ATTRIBUTE_TEXT:
    put(writer, ",\"value\":{\"stringValue\":");
    bus_json_string(writer, (struct bus_str){span->text + attribute->at, attribute->len});
    break;
  case BUS_ATTRIBUTE_INT:
    put(writer, ",\"value\":{\"intValue\":\"");
    bus_json_int64(writer, attribute->number);
    bus_json_char(writer, '"');
    break;
  case BUS_ATTRIBUTE_BOOL:
    put(writer, ",\"value\":{\"boolValue\":");
    put(writer, attribute->number ? "true" : "false");
    break;
  }
  put(writer, "}}");
}

static bool has_parent(const struct bus_span *span) {
  static const uint8_t none[sizeof span->parent_id];
  return memcmp(span->parent_id, none, sizeof none) != 0;
}

static void put_links(struct bus_json_writer *writer, const struct bus_span *span) {
  for (size_t i = 0; i < span->link_count; i++) {
    put_id(writer, i > 0 ? ",{\"traceId\":\"" : ",\"links\":[{\"traceId\":\"", span->links[i].trace_id,
           sizeof span->links[i].trace_id);
    put_id(writer, ",\"spanId\":\"", span->links[i].span_id, sizeof span->links[i].span_id);
    put(writer, i + 1 < span->link_count ? "}" : "}]");
  }
  if (span->dropped_links > 0) {
    put(writer, ",\"droppedLinksCount\":");
    bus_json_int64(writer, span->dropped_links);
  }
}

static void put_span(struct bus_json_writer *writer, const struct bus_span *span) {
  put_id(writer, "{\"traceId\":\"", span->trace_id, sizeof span->trace_id);
  put_id(writer, ",\"spanId\":\"", span->span_id, sizeof span->span_id);
  if (has_parent(span))
    put_id(writer, ",\"parentSpanId\":\"", span->parent_id, sizeof span->parent_id);
  put(writer, ",\"name\":");
  bus_json_string(writer, (struct bus_str){span->name, span->name_len});
  put(writer, ",\"kind\":");
  bus_json_int64(writer, span->kind);
  put_time(writer, ",\"startTimeUnixNano\":\"", span->began);
  put_time(writer, ",\"endTimeUnixNano\":\"", span->ended);
  put(writer, ",\"attributes\":[");
  for (size_t i = 0; i < span->attribute_count; i++) {
    if (i > 0)
      bus_json_char(writer, ',');
    put_attribute(writer, span, &span->attributes[i]);
  }
  put(writer, "],\"droppedAttributesCount\":");
  bus_json_int64(writer, span->dropped_attributes);
  put_links(writer, span);
  put(writer, ",\"status\":{\"code\":");
  bus_json_int64(writer, span->status);
  put(writer, "}}");
}

static void put_resource(struct bus_json_writer *writer, const struct bus_span_resource *resource) {
  const struct {
    const char *key, *value;
  } attributes[] = {{"service.name", resource->service},
                    {"service.instance.id", resource->instance},
                    {"service.version", resource->version}};
  put(writer, "{\"attributes\":[");
  for (size_t i = 0; i < BUS_COUNT(attributes); i++) {
    put(writer, i > 0 ? ",{\"key\":\"" : "{\"key\":\"");
    put(writer, attributes[i].key);
    put(writer, "\",\"value\":{\"stringValue\":");
    bus_json_string(writer, bus_str(attributes[i].value));
    put(writer, "}}");
  }
  put(writer, "]}");
}

static void put_request(struct bus_json_writer *writer, const void *context) {
  const struct request *request = context;
  put(writer, "{\"resourceSpans\":[{\"resource\":");
  put_resource(writer, request->resource);
  put(writer, ",\"scopeSpans\":[{\"scope\":{\"name\":\"libbus\"},\"spans\":[");
  for (size_t i = 0; i < request->count; i++) {
    if (i > 0)
      bus_json_char(writer, ',');
    put_span(writer, &request->spans[i]);
  }
  put(writer, "]}]}]}");
}

bool bus_spans_encode(const struct bus_span_resource *resource, const struct bus_span *spans, size_t count,
                      struct bus_arena *arena, struct bus_str *ret) {
  const struct request request = {resource, spans, count};
  return bus_json_build(arena, put_request, &request, ret);
}
