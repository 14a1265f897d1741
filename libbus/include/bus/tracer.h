/* Finished spans on their way to an exporter: a bounded ring that never blocks who records, and the metrics of both
 * ends:
 *   bus_spans_exported_total          spans that the collector took
 *   bus_spans_dropped_total{cause}    full: the ring was; unreachable: no answer of the collector; refused: an answer
 *                                     other than 2xx; rejected: by an answer of 2xx (partialSuccess); no_memory;
 * stopped: not sent within the time of the stop
 *
 * Thread-safe: any number of threads record, one takes. A NULL tracer is one that is off: it samples and records
 * nothing. */
#pragma once

#include <bus/error.h>
#include <bus/span.h>

BUS_C_BEGIN

struct bus_tracer;

struct bus_tracer_settings {
  size_t room;        /* spans that the ring holds, about 700 bytes each; allocated at the start */
  size_t batch;       /* so many are taken without waiting for more; at most `room` */
  int64_t gather_ms;  /* how long a span waits for others until then */
  int64_t sample_ppm; /* see bus_trace_sample */
};

/* Makes the ring of spans. settings are copied, their texts are not. False: out of memory. */
bool bus_tracer_new(const struct bus_tracer_settings *settings, struct bus_tracer **ret,
                    struct bus_error *err) BUS_MUST_CHECK;
/* After the last record and take. Accepts NULL. */
void bus_tracer_free(struct bus_tracer *tracer);

/* Decides whether a new trace is sampled; a NULL tracer leaves its flag. */
void bus_tracer_sample(const struct bus_tracer *tracer, struct bus_trace *trace);
/* False: a span of this trace need not be made. */
bool bus_tracer_wants(const struct bus_tracer *tracer, const struct bus_trace *trace);
/* Copies the span into the ring, under a lock that is held for the copy alone; counts it as dropped if the ring is
 * full. */
void bus_tracer_record(struct bus_tracer *tracer, const struct bus_span *span);

/* ---- for the exporter ---- */
/* Waits for a batch, or until the oldest span has waited for gather_ms, or for the close. ret: room for `batch` spans.
 * Returns how many; 0: it is closed and empty. */
size_t bus_tracer_take(struct bus_tracer *tracer, struct bus_span *ret);
/* Waits until bus_monotonic is `until` or it is closed. */
void bus_tracer_pause(struct bus_tracer *tracer, int64_t until);
/* Spans that are recorded later may never be taken. */
void bus_tracer_close(struct bus_tracer *tracer);

enum bus_span_loss {
  BUS_SPAN_LOST_FULL,
  BUS_SPAN_LOST_UNREACHABLE,
  BUS_SPAN_LOST_REFUSED,
  BUS_SPAN_LOST_REJECTED,
  BUS_SPAN_LOST_NO_MEMORY,
  BUS_SPAN_LOST_STOPPED
};
/* Registers the counters, for bus_metrics_print_list. */
void bus_tracer_metrics_register(void);
/* Counts spans that the collector took, for the metrics. */
void bus_tracer_count_exported(struct bus_tracer *tracer, size_t count);
/* Counts spans that were lost for that cause, for the metrics. */
void bus_tracer_count_lost(struct bus_tracer *tracer, enum bus_span_loss cause, size_t count);

BUS_C_END
