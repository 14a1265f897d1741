/* W3C Trace Context, level 1: the `traceparent` and `tracestate` that go from a REST request through every message and
 * outbox row. */
#pragma once

#include <bus/base.h>
#include <bus/uuid.h>

BUS_C_BEGIN

enum { BUS_TRACESTATE_MAX = 512, BUS_TRACESTATE_MEMBERS = 32 };

struct bus_trace {
  uint8_t trace_id[16]; /* all zero: no trace */
  uint8_t span_id[8];
  uint8_t flags;        /* bit 0: sampled */
  struct bus_str state; /* tracestate as it came, or absent */
};

#define BUS_TRACEPARENT_TEXT 56 /* 00-<32>-<16>-<2> and NUL */
#define BUS_TRACE_ID_TEXT 33

/* Is there a trace? */
bool bus_trace_is_set(const struct bus_trace *trace);
/* Version 00, and higher versions by their first four fields; all-zero ids, upper case and other lengths are refused.
 */
bool bus_trace_parse(struct bus_str traceparent, struct bus_trace *ret) BUS_MUST_CHECK;
/* Sets a trace's state to that text, which is not copied. One that is malformed, longer than BUS_TRACESTATE_MAX
 * characters or of more than BUS_TRACESTATE_MEMBERS members is dropped whole, as is one without a trace. */
void bus_trace_set_state(struct bus_trace *trace, struct bus_str tracestate);
/* Writes the traceparent, with a NUL. */
void bus_trace_format(const struct bus_trace *trace, char text[BUS_TRACEPARENT_TEXT]);
/* Writes the trace id in lower-case hexadecimal digits, with a NUL. */
void bus_trace_id_format(const struct bus_trace *trace, char text[BUS_TRACE_ID_TEXT]);
/* Is the sampled flag set? */
bool bus_trace_is_sampled(const struct bus_trace *trace);
/* Sets the sampled flag of a new trace in that many cases of a million, 0 to 1,000,000. The trace id alone decides, so
 * that every process decides likewise. */
void bus_trace_sample(struct bus_trace *trace, int64_t of_a_million);
/* A new trace, sampled. */
void bus_trace_start(struct bus_uuid_source *source, struct bus_trace *ret);
/* The same trace, and its state, with a span of its own; a new trace where parent is NULL or not set. */
void bus_trace_child(const struct bus_trace *parent, struct bus_uuid_source *source, struct bus_trace *ret);
/* The span in which a queue's reader processes a message. Message and queue alone decide: whoever processes it, and
 * however often it is tried, messages that it causes name the same parent. */
void bus_trace_process(struct bus_trace *trace, const struct bus_uuid *message_id, const char *queue);

BUS_C_END
