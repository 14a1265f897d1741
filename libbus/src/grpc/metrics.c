/* Metrics of calls, by the names that gRPC's middlewares use. */
#include "internal.h"

static const char *const code_names[BUS_GRPC_CODE_COUNT] = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};

const char *bus_grpc_code_name(int code) {
  return code_names[code >= 0 && code < BUS_GRPC_CODE_COUNT ? code : BUS_GRPC_UNKNOWN];
}

static const double bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
static const struct bus_metric_spec handled = BUS_COUNTER_SPEC(
    "grpc_server_handled_total", "Calls that have ended, by their code.", .labels = {"method", "code"});
static const struct bus_metric_spec duration = BUS_HISTOGRAM_SPEC(
    "grpc_server_handling_seconds", bounds, "From the head of a call to its end.", .labels = {"method"}, .scale = 1e-6);
static const struct bus_metric_spec connections = BUS_GAUGE_SPEC("grpc_connections", "Open connections.");
static const struct bus_metric_spec calls = BUS_GAUGE_SPEC("grpc_calls", "Calls in progress.");

void grpc_metrics_open(struct grpc_metrics *metrics) {
  *metrics = (struct grpc_metrics){
      .handled = bus_metric_register(&handled),
      .duration = bus_metric_register(&duration),
      .connections = bus_metric_series(bus_metric_register(&connections), NULL),
      .calls = bus_metric_series(bus_metric_register(&calls), NULL),
  };
}

void bus_grpc_metrics_register(void) {
  struct grpc_metrics unused;
  grpc_metrics_open(&unused);
}

void grpc_metrics_count(const struct bus_grpc_call *call, enum bus_grpc_code code, int64_t now) {
  const struct grpc_metrics *metrics = &call->server->metrics;
  const char *method = call->method ? call->method->path + 1 : "other", *name = bus_grpc_code_name((int)code);
  bus_series_add(bus_metric_series(metrics->handled, (const char *const[]){method, name}), 1);
  bus_series_observe(bus_metric_series(metrics->duration, &method), now - call->began);
}
