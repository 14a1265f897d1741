/* Health and metrics: a listener of its own, and the same handlers for another server's route table. */
#include <bus/clock.h>
#include <bus/metrics.h>
#include <bus/service.h>
#include <bus/timefmt.h>
#include <bus/tls.h>

#include <stdio.h>
#include <stdlib.h>

enum { ADMIN_THREADS = 4, CHECKS_MAX = 32, PROBE_MS = 2000, PAGE_FIRST = 16384 };

struct bus_admin {
  struct bus_admin_settings settings;
  struct bus_health_check checks[CHECKS_MAX];
  struct bus_http_server *server;
};

void bus_admin_live(void *admin, struct bus_http_exchange *exchange) {
  (void)admin;
  bus_http_reply(exchange, 200, "application/json", BUS_STR("{\"status\":\"UP\"}"));
}

void bus_admin_ready(void *context, struct bus_http_exchange *exchange) {
  const struct bus_admin *admin = context;
  if (admin->settings.is_ready(admin->settings.context))
    bus_http_reply(exchange, 200, "application/json", BUS_STR("{\"status\":\"UP\"}"));
  else
    bus_http_reply(exchange, 503, "application/json", BUS_STR("{\"status\":\"DOWN\"}"));
}

struct report {
  bool up;
  struct bus_str services, causes; /* "name":"UP","name":"DOWN"; data is NULL when out of memory */
};

/* ,"name":"text"; both are our own literals, and need no escapes. */
static struct bus_str add_member(struct bus_str list, const char *name, struct bus_str text, struct bus_arena *arena) {
  if (!list.data || !text.data)
    return BUS_NO_STR;
  return bus_arena_printf(arena, "%.*s%s\"%s\":\"%.*s\"", (int)list.len, list.data, list.len ? "," : "", name,
                          (int)text.len, text.data);
}

static struct report run_checks(const struct bus_admin *admin, struct bus_arena *arena) {
  struct report report = {.up = true, .services = BUS_STR(""), .causes = BUS_STR("")};
  for (size_t i = 0; i < admin->settings.check_count; i++) {
    const struct bus_health_check *check = &admin->checks[i];
    void *context = check->context ? check->context : admin->settings.context;
    bool up = check->is_up(context, PROBE_MS);
    report.up = report.up && up;
    report.services = add_member(report.services, check->name, up ? BUS_STR("UP") : BUS_STR("DOWN"), arena);
    if (!up && check->why)
      report.causes = add_member(report.causes, check->name, check->why(context, arena), arena);
  }
  return report;
}

static struct bus_str write_report(const struct report *report, struct bus_arena *arena) {
  char now[BUS_TIME_TEXT];
  bus_time_format(bus_wall_clock(), now);
  if (!report->services.data || !report->causes.data)
    return BUS_NO_STR;
  bool causes = report->causes.len > 0;
  return bus_arena_printf(arena, "{\"status\":\"%s\",\"services\":{%.*s}%s%.*s%s,\"timestamp\":\"%s\"}",
                          report->up ? "UP" : "DOWN", (int)report->services.len, report->services.data,
                          causes ? ",\"causes\":{" : "", (int)report->causes.len, report->causes.data,
                          causes ? "}" : "", now);
}

void bus_admin_health(void *context, struct bus_http_exchange *exchange) {
  struct bus_arena *arena = bus_http_arena(exchange);
  struct report report = run_checks(context, arena);
  struct bus_str body = write_report(&report, arena);
  if (body.data)
    bus_http_reply(exchange, report.up ? 200 : 503, "application/json", body);
  else
    bus_http_problem(exchange, 500, "out of memory");
}

struct text {
  struct bus_arena *arena;
  char *data;
  size_t len, room;
  bool failed;
};

static void append_page(void *context, struct bus_str piece) {
  struct text *text = context;
  if (text->failed || piece.len == 0)
    return;
  char *data = bus_arena_grow(text->arena, text->data, text->len, text->len + piece.len, PAGE_FIRST, &text->room);
  text->failed = !data;
  if (!data)
    return;
  memcpy(data + text->len, piece.data, piece.len);
  text->data = data;
  text->len += piece.len;
}

void bus_admin_metrics(void *context, struct bus_http_exchange *exchange) {
  struct text text = {.arena = bus_http_arena(exchange)};
  (void)context;
  bool open = bus_http_prefers(exchange, "application/openmetrics-text", "text/plain");
  enum bus_metrics_format format = open ? BUS_METRICS_OPENMETRICS : BUS_METRICS_TEXT;
  bus_http_add_header(exchange, "Vary", BUS_STR("Accept"));
  bus_metrics_print(format, append_page, &text);
  if (text.failed)
    bus_http_problem(exchange, 500, "out of memory for the metrics");
  else
    bus_http_reply(exchange, 200, bus_metrics_media_type(format), (struct bus_str){text.data, text.len});
}

static void print_text(void *context, const char *text) {
  (void)context;
  (void)fputs(text, stdout);
}

int bus_admin_print_metrics(void) {
  bus_http_metrics_register();
  bus_tls_metrics_register();
  bus_tracer_metrics_register();
  bus_metrics_register_process();
  bus_metrics_print_list(print_text, NULL);
  return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const struct bus_http_route routes[] = {
    {.method = "GET", .path = "/health/live", .handler = bus_admin_live, .is_probe = true, .any_host = true},
    {.method = "GET", .path = "/health/ready", .handler = bus_admin_ready, .is_probe = true, .any_host = true},
    {.method = "GET", .path = "/healthz", .handler = bus_admin_live, .is_probe = true, .any_host = true},
    {.method = "GET", .path = "/ready", .handler = bus_admin_ready, .is_probe = true, .any_host = true},
    {.method = "GET", .path = "/health", .handler = bus_admin_health, .is_probe = true, .any_host = true},
    {.method = "GET", .path = "/metrics", .handler = bus_admin_metrics, .is_probe = true},
};

bool bus_admin_start(const struct bus_admin_settings *settings, struct bus_admin **ret, struct bus_error *err) {
  if (settings->check_count > CHECKS_MAX)
    return bus_fail(err, BUS_E_CONFIG, "at most %d health checks", CHECKS_MAX);
  struct bus_admin *admin = calloc(1, sizeof *admin);
  if (!admin)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for the admin listener");
  admin->settings = *settings;
  memcpy(admin->checks, settings->checks, settings->check_count * sizeof *settings->checks);
  bus_metrics_register_process();
  const struct bus_http_settings http = {.bind = settings->bind,
                                         .port = settings->port,
                                         .tls = settings->tls,
                                         .threads = ADMIN_THREADS,
                                         .metrics_name = "admin",
                                         .access_log = settings->access_log};
  if (!bus_http_server_start(&http, routes, BUS_COUNT(routes), admin, &admin->server, err)) {
    free(admin);
    return false;
  }
  *ret = admin;
  return true;
}

void bus_admin_stop(struct bus_admin *admin) {
  if (!admin)
    return;
  bus_http_server_stop(admin->server);
  free(admin);
}
