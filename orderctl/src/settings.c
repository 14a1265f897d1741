/* One URL a place; a place without one is missing in the stories. */
#include "settings.h"

#include <bus/config.h>
#include <bus/dns_options.h>

#include <stdio.h>
#include <string.h>

enum { URL_MAX = 1024, TOKEN_MAX = 4000 };

const char *const outbox_services[OUTBOXES + 1] = {
#define OUTBOX(short, name, ...) [OUTBOX_OF_##short] = name,
#include "outboxes.inc"
#undef OUTBOX
};

static struct settings {
  const char *databases[OUTBOXES], *brokers[OUTBOXES], *broker, *management, *log, *orders_repair, *payments_repair,
      *psp, *psp_key, *psp_ca, *edge, *token, *audit, *dns_server;
  bool psp_allow_plain;
  struct bus_tls_files tls;
} settings;

#define URL(member, variable, what)                                                                                    \
  {                                                                                                                    \
    .name = (variable), .kind = BUS_OPTION_STRING, .offset = offsetof(struct settings, member), .fallback = "",        \
    .max = URL_MAX, .secret = true, .description = (what)                                                              \
  }

static const struct bus_option options[] = {
#define OUTBOX(short, name, variable, database, role)                                                                  \
  URL(databases[OUTBOX_OF_##short], variable "_DATABASE_URL", "the " database " database, as its role " role),
#include "outboxes.inc"
#undef OUTBOX
    URL(broker, "RABBITMQ_URL", "the broker, as its user operator"),
    BUS_TLS_AMQP_ROWS(struct settings, tls),
    BUS_DNS_ROW(struct settings, dns_server),
#define OUTBOX(short, name, variable, database, role)                                                                  \
  URL(brokers[OUTBOX_OF_##short], variable "_RABBITMQ_URL", "the broker, as " name ", for dead undo of its queues"),
#include "outboxes.inc"
#undef OUTBOX
    URL(management, "RABBITMQ_MANAGEMENT_URL",
        "its management API, http[s]://user:password@host:port; for topology diff"),
    URL(log, "ORDERS_LOG_DATABASE_URL",
        "the orders database, as a role that reads the log with its customers' data, such as order_svc; for replay"),
    URL(orders_repair, "ORDERS_REPAIR_DATABASE_URL",
        "the orders database, as orders_migrator; for reconcile --repair, which gives open orders time"),
    URL(payments_repair, "PAYMENTS_REPAIR_DATABASE_URL",
        "the payments database, as payments_migrator; for reconcile --repair, which takes over what only the provider "
        "knows"),
    URL(psp, "PSP_URL", "the payment provider, for pay and reconcile: scheme, host and port"),
    URL(psp_key, "PSP_KEY", "the provider's secret key, as payment-svc has it; one that may only read is better"),
    URL(psp_ca, "PSP_CA_FILE", "certificates that the provider is verified with; empty: the system's"),
    {.name = "PSP_ALLOW_PLAIN",
     .kind = BUS_OPTION_BOOL,
     .offset = offsetof(struct settings, psp_allow_plain),
     .fallback = "false",
     .description = "plain http to a provider on another machine"},
    URL(edge, "EDGE_URL", "the edge, for simulate, such as http://127.0.0.1:8080"),
    {.name = "EDGE_TOKEN",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct settings, token),
     .fallback = "",
     .max = TOKEN_MAX,
     .secret = true,
     .description = "an access token of a customer or operator; empty: the edge asks for none"},
    {.name = "ORDERCTL_AUDIT_FILE",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct settings, audit),
     .fallback = "",
     .max = URL_MAX,
     .description = "the file that keeps a line for each action; needed by all verbs that act"},
};
static const struct bus_option_table table = {options, BUS_COUNT(options), &settings};

int settings_read(struct program *program) {
  char name[] = "orderctl", flag[] = "--env-file";
  const char *file = program->env_file;
  char *words[] = {name, file ? flag : NULL, (char *)(uintptr_t)file, NULL}; /* they are only read */
  int unused;
  int status = bus_config_main(file ? 3 : 1, words, "orderctl", NULL, "", &table, 1, NULL, &unused);
  struct story_settings *ret = &program->settings;
  memcpy(program->outbox_urls, settings.databases, sizeof program->outbox_urls);
  ret->urls[STORY_ORDERS] = settings.databases[OUTBOX_OF_order];
  ret->urls[STORY_INVENTORY] = settings.databases[OUTBOX_OF_inventory];
  ret->urls[STORY_PAYMENTS] = settings.databases[OUTBOX_OF_payment];
  ret->broker.url = settings.broker;
  ret->broker.tls = settings.tls;
  ret->broker.dns_server = settings.dns_server;
  memcpy(program->service_urls, settings.brokers, sizeof program->service_urls);
  program->log_url = settings.log;
  program->repair_urls[STORY_ORDERS] = settings.orders_repair;
  program->repair_urls[STORY_PAYMENTS] = settings.payments_repair;
  program->psp_url = settings.psp;
  program->psp_key = settings.psp_key;
  program->psp_ca_file = settings.psp_ca;
  program->psp_allow_plain = settings.psp_allow_plain;
  program->edge_url = settings.edge;
  program->edge_token = settings.token;
  program->management_url = settings.management;
  program->audit_file = settings.audit;
  return status;
}

static void write_stdout(void *context, const char *text) {
  (void)context;
  (void)fputs(text, stdout);
}

void settings_print(void) {
  bus_config_print(&table, 1, BUS_CONFIG_HELP, write_stdout, NULL);
}

void settings_done(void) {
  bus_config_done(&table, 1);
}
