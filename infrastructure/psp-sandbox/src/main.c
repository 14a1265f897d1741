/* psp-sandbox: a payment provider for tests, in Stripe's shapes, with a ledger that tells what was really captured. */
#include <bus/clock.h>
#include <bus/log.h>
#include <bus/metrics.h>
#include <bus/otlp.h>
#include <bus/probe.h>
#include <bus/process.h>

#include <stdlib.h>

#include "sandbox.h"

enum { IDLE_MS = 15000, FLUSH_SPANS_MS = 1000 };

static int serve(struct psp_sandbox *sandbox, struct bus_tls *tls, struct bus_tracer *tracer) {
  const struct psp_settings *settings = sandbox->settings;
  const struct bus_http_settings http = {.bind = settings->bind,
                                         .port = (int)settings->port,
                                         .tls = tls,
                                         .threads = (int)settings->threads,
                                         .idle_ms = IDLE_MS,
                                         .metrics_name = "psp-sandbox",
                                         .tracer = tracer,
                                         .access_log = (enum bus_access_log)settings->access_log};
  struct bus_http_server *server;
  struct bus_error err;
  if (!bus_http_server_start(&http, psp_routes, psp_route_count, sandbox, &server, &err)) {
    bus_log(BUS_ERROR, "start refused", BUS_F_STR("error", err.text));
    return EXIT_FAILURE;
  }
  bus_tls_follow_hangup(tls);
  bus_log(BUS_INFO, "ready", BUS_F_STR("bind", settings->bind), BUS_F_INT("port", settings->port));
  bus_log(BUS_INFO, "stopping", BUS_F_INT("signal", bus_process_wait(0)));
  bus_http_server_stop(server);
  return EXIT_SUCCESS;
}

/* Only its callers' traces are sampled: it begins none. */
static bool start_tracing(struct psp_sandbox *sandbox, struct bus_otlp **ret, struct bus_error *err) {
  static char instance[BUS_UUID_TEXT];
  static const struct bus_span_resource resource = {
      .service = "psp-sandbox", .instance = instance, .version = ORDERBUS_VERSION};
  struct bus_uuid id;
  bus_uuid_v7(&sandbox->ids, bus_wall_clock(), &id);
  bus_uuid_format(&id, instance);
  return bus_otlp_start(&sandbox->settings->tracing, &resource, ret, err);
}

static int run(struct psp_sandbox *sandbox) {
  struct bus_otlp *otlp = NULL;
  struct bus_tls *tls = NULL;
  struct bus_error err;
  int status = EXIT_FAILURE;
  if (start_tracing(sandbox, &otlp, &err) && bus_tls_new(&sandbox->settings->tls, &tls, &err))
    status = serve(sandbox, tls, bus_otlp_tracer(otlp));
  else
    bus_log(BUS_ERROR, "start refused", BUS_F_STR("error", err.text));
  bus_tls_free(tls);
  bus_otlp_stop(otlp, FLUSH_SPANS_MS);
  return status;
}

int main(int argc, char **argv) {
  static struct psp_settings settings;
  const struct bus_option_table tables[] = {{psp_options, psp_option_count, &settings}};
  struct psp_sandbox sandbox;
  struct bus_error err;
  int flag;
  bus_process_init();
  int status =
      bus_config_main(argc, argv, "psp-sandbox", ORDERBUS_VERSION, "A payment provider for tests, in Stripe's shapes.",
                      tables, BUS_COUNT(tables), (const char *const[]){BUS_FLAG_HEALTH, NULL}, &flag);
  if (status >= 0)
    return status;
  if (flag >= 0)
    return bus_probe_main("psp-sandbox", settings.bind, settings.port, bus_tls_path(settings.tls.cert) != NULL,
                          "/health");
  bus_log_init("psp-sandbox", (enum bus_level)settings.log_level);
  bus_metrics_register_process();
  if (!psp_sandbox_open(&sandbox, &settings, &err)) {
    bus_log(BUS_ERROR, "start refused", BUS_F_STR("error", err.text));
    return EXIT_FAILURE;
  }
  status = run(&sandbox);
  psp_sandbox_close(&sandbox);
  bus_config_done(tables, BUS_COUNT(tables));
  return status;
}
