/* A span of a distributed trace as a record of fixed size, and the JSON of many as OTLP/HTTP takes it. Pure.
 *
 * A span holds names, numbers and ids alone: no customer data, no keys, no bodies, no tokens, no query strings. */
#pragma once

#include <bus/arena.h>
#include <bus/base.h>
#include <bus/trace.h>

BUS_C_BEGIN

enum {
  BUS_SPAN_NAME_MAX = 96,       /* bytes */
  BUS_SPAN_ATTRIBUTES_MAX = 12, /* further ones are counted and left out */
  BUS_SPAN_LINKS_MAX = 8,       /* further ones are counted and left out */
  BUS_SPAN_VALUE_MAX = 128,     /* bytes of one text */
  BUS_SPAN_TEXT_MAX = 320,      /* bytes of all texts together */
};

/* The numbers of OTLP's SpanKind and StatusCode. */
enum bus_span_kind {
  BUS_SPAN_INTERNAL = 1,
  BUS_SPAN_SERVER = 2,
  BUS_SPAN_CLIENT = 3,
  BUS_SPAN_PRODUCER = 4,
  BUS_SPAN_CONSUMER = 5
};
enum bus_span_status { BUS_SPAN_UNSET = 0, BUS_SPAN_OK = 1, BUS_SPAN_ERROR = 2 };

enum bus_attribute_kind { BUS_ATTRIBUTE_TEXT, BUS_ATTRIBUTE_INT, BUS_ATTRIBUTE_BOOL };

struct bus_span_attribute {
  const char *key; /* a literal */
  enum bus_attribute_kind kind;
  uint16_t at, len; /* TEXT: its place in the span's text */
  int64_t number;   /* INT; BOOL: 0 or 1 */
};

/* Another span that this one belongs to, perhaps of another trace. */
struct bus_span_link {
  uint8_t trace_id[16], span_id[8];
};

/* Filled by the functions below; copied as it is. */
struct bus_span {
  uint8_t trace_id[16], span_id[8];
  uint8_t parent_id[8]; /* all zero: a root */
  enum bus_span_kind kind;
  enum bus_span_status status;
  bus_time began, ended; /* CLOCK_REALTIME */
  uint16_t name_len, text_len;
  uint8_t attribute_count, link_count;
  uint32_t dropped_attributes, dropped_links;
  struct bus_span_attribute attributes[BUS_SPAN_ATTRIBUTES_MAX];
  struct bus_span_link links[BUS_SPAN_LINKS_MAX];
  char name[BUS_SPAN_NAME_MAX];
  char text[BUS_SPAN_TEXT_MAX];
};

/* An unnamed span with the ids of `trace`. parent_id: 8 bytes; NULL or all zero: a root. */
void bus_span_init(struct bus_span *span, enum bus_span_kind kind, const struct bus_trace *trace,
                   const uint8_t *parent_id);
/* Texts that are too long are cut at the end of a character. */
void bus_span_set_name(struct bus_span *span, const char *format, ...) BUS_PRINTF(2, 3);
/* An absent value adds no attribute. */
void bus_span_add_text(struct bus_span *span, const char *key, struct bus_str value);
/* Adds an attribute that is a number; key as for bus_span_add_text. */
void bus_span_add_int(struct bus_span *span, const char *key, int64_t value);
/* Adds an attribute that is true or false; key as for bus_span_add_text. */
void bus_span_add_bool(struct bus_span *span, const char *key, bool value);
/* The span's status is ERROR, and its error.type this text. */
void bus_span_fail(struct bus_span *span, struct bus_str type);
/* The first `count` of `total` links. */
void bus_span_add_links(struct bus_span *span, const struct bus_span_link *links, size_t count, size_t total);

/* The process that the spans are of: the attributes service.name, service.instance.id and service.version. */
struct bus_span_resource {
  const char *service, *instance, *version;
};

/* An ExportTraceServiceRequest of opentelemetry-proto in proto3's JSON mapping, in the arena. False when out of
 * memory. */
bool bus_spans_encode(const struct bus_span_resource *resource, const struct bus_span *spans, size_t count,
                      struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;

/* Spans that a collector rejected of `sent`, as its ExportTraceServiceResponse says in partialSuccess; 0 where it says
 * nothing that can be read. The arena is for reading. */
size_t bus_spans_rejected(struct bus_str answer, size_t sent, struct bus_arena *arena);

BUS_C_END
