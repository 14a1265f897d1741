/*
 * The runtime of a whole program: configuration, logs, worker threads, signals, and the admin HTTP listener. A
 * service's main is one call with one table.
 *
 * First SIGTERM, SIGINT or SIGHUP: drain, within 10 s; the second: exit at once. With TLS_CERT_FILE a SIGHUP reads the
 * certificate again instead. The admin listener (BIND:PORT) serves
 *   /health/live   200 as long as the process serves
 *   /health/ready  200 when every worker is attached to its queues, else 503
 *   /health        deep: {"status":"UP","services":{"database":"UP","message_queue":"UP"},"timestamp":…}, each really
 *                  probed; 503 when one is DOWN, and "causes":{"name":"…"} for those that say why
 *   /metrics       Prometheus text format
 */
#pragma once

#include <bus/column.h>
#include <bus/config.h>
#include <bus/http_server.h>
#include <bus/process.h>
#include <bus/saga.h>
#include <bus/worker.h>

BUS_C_BEGIN

/* Variables that every program has: LOG_LEVEL, BIND, PORT, TLS_CERT_FILE, TLS_KEY_FILE, RABBITMQ_URL, RABBITMQ_CA_FILE,
 * _CERT_FILE, _KEY_FILE, DNS_SERVER; services also DATABASE_URL, WORKERS, QUERY_WORKERS, BATCH_MAX, GREMLIN_ENABLED,
 * GREMLIN_LATENCY_MS, and those of struct bus_worker_settings. */

struct bus_program {
  const char *summary; /* one line for --help */
  /* The service's part of the topology: its user is the name of the program and of the services below, its work queues
   * are those of `commands`, its request queues those of `requests`, its query queues those of `queries`. NULL: `name`
   * and the services say so themselves. */
  const struct bus_topology_part *part;
  const char *name;    /* without a part: "inventory-svc" */
  const char *version; /* the program's own: --version, logs, spans, failed messages; NULL: libbus's */
  const char *default_port;
  const struct bus_topology *topology;
  const char *schema_project, *schema_change;
  const struct bus_service *commands; /* WORKERS threads of it; NULL: none */
  const struct bus_service *requests; /* WORKERS threads of it, for queries that write; NULL: none */
  const struct bus_service *queries;  /* QUERY_WORKERS threads of it; NULL: none */
  const struct bus_option *options;   /* the program's own */
  size_t option_count;
  void *settings;                        /* static storage, filled from the options before open() */
  void (*register_metrics)(void);        /* the program's own, for BUS_FLAG_METRICS; NULL: none */
  const struct bus_table *const *tables; /* what --print-columns prints; NULL-terminated; NULL: none */
  const struct bus_saga *saga;           /* checked at the start, and printed by --print-saga; NULL: none */
  const char
      *print_flag; /* one more flag of the command line, such as "--print-saga": print(), then exit; NULL: none */
  void (*print)(void (*write)(void *context, const char *text), void *context);
};

/* The body of main; returns the exit status. */
int bus_service_main(int argc, char **argv, const struct bus_program *program);

/* ---- the pieces, for programs that are not services on a database (the edge) ---- */

/* One named dependency of /health. */
struct bus_health_check {
  const char *name;                                 /* "message_queue" */
  bool (*is_up)(void *context, int64_t timeout_ms); /* really asks; called on HTTP threads */
  /* Reason of a failure: plain text without quotation marks or backslashes, in the arena; no data: out of memory. NULL:
   * the name says enough. */
  struct bus_str (*why)(void *context, struct bus_arena *arena);
  void *context; /* of this check; NULL: that of the settings */
};

struct bus_admin_settings {
  const char *bind;
  int port;
  struct bus_tls *tls; /* NULL: plain HTTP */
  enum bus_access_log access_log;
  const struct bus_health_check *checks;
  size_t check_count;
  bool (*is_ready)(void *context);
  void *context; /* for checks and is_ready */
};

/* A flag of the command line: bus_admin_print_metrics(), then exit. */
#define BUS_FLAG_METRICS "--print-metrics"
/* Registers the metrics of every program with a listener, and prints those and all that were registered before as a
 * Markdown table. Returns the exit status. */
int bus_admin_print_metrics(void);

struct bus_admin;
/* Starts the listener of these routes on threads of its own. settings are copied, checks are not. False: the address
 * cannot be bound, or out of memory. */
bool bus_admin_start(const struct bus_admin_settings *settings, struct bus_admin **ret,
                     struct bus_error *err) BUS_MUST_CHECK;
/* Lets requests under way end, and closes the listener. Accepts NULL. */
void bus_admin_stop(struct bus_admin *admin);

/* Handlers of the same four routes for another server's table. Their context is the struct bus_admin. */
void bus_admin_live(void *admin, struct bus_http_exchange *exchange);
/* The handler of /health/ready. */
void bus_admin_ready(void *admin, struct bus_http_exchange *exchange);
/* The handler of /health. */
void bus_admin_health(void *admin, struct bus_http_exchange *exchange);
/* The handler of /metrics. */
void bus_admin_metrics(void *admin, struct bus_http_exchange *exchange);
/* For documentation: the bodies of bus_admin_health, and of bus_admin_live and bus_admin_ready. */
extern const struct bus_schema bus_health_schema, bus_status_schema;

BUS_C_END
