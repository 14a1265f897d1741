/* Exports a program's spans to an OpenTelemetry collector: OTLP/HTTP with JSON, POST <endpoint>/v1/traces. A thread of
 * its own takes spans from a tracer of 2,048 and sends them, up to 256 in a request, at most a second after they ended.
 *
 * A request is sent once. Without a 2xx within 5 s its spans are dropped and counted; the next request follows after
 * a rest of a second, which doubles up to 30 s while requests fail. The log says once that the collector is away, and
 * once that it is back. */
#pragma once

#include <bus/trace_options.h>
#include <bus/tracer.h>

BUS_C_BEGIN

struct bus_otlp;

/* Texts of options and resource are kept, not copied. With an empty endpoint *ret is NULL and nothing is started. A
 * collector that is away is no failure. Signals should be blocked by the caller before. */
bool bus_otlp_start(const struct bus_trace_options *options, const struct bus_span_resource *resource,
                    struct bus_otlp **ret, struct bus_error *err) BUS_MUST_CHECK;
/* The tracer that records spans for this exporter, and lives as long. NULL for NULL: tracing is off. */
struct bus_tracer *bus_otlp_tracer(struct bus_otlp *otlp);
/* After the last record: sends the rest for at most flush_ms and 0.1 s; counts as dropped what is left. Accepts NULL.
 */
void bus_otlp_stop(struct bus_otlp *otlp, int64_t flush_ms);

BUS_C_END
