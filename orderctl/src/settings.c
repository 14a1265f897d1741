/* One URL a place; a place without one is missing in the stories. */
#include "settings.h"

#include <bus/config.h>

#include <stdio.h>

enum { URL_MAX = 1024 };

static struct settings {
  const char *orders, *inventory, *payments, *broker, *audit;
  struct bus_tls_files tls;
} settings;

#define URL(member, variable, what)                                                                                    \
  {                                                                                                                    \
    .name = (variable), .kind = BUS_OPTION_STRING, .offset = offsetof(struct settings, member), .fallback = "",        \
    .max = URL_MAX, .secret = true, .description = (what)                                                              \
  }

static const struct bus_option options[] = {
    URL(orders, "ORDERS_DATABASE_URL", "the orders database, as its role orders_operator"),
    URL(inventory, "INVENTORY_DATABASE_URL", "the inventory database, as its role inventory_operator"),
    URL(payments, "PAYMENTS_DATABASE_URL", "the payments database, as its role payments_operator"),
    URL(broker, "RABBITMQ_URL", "the broker, as its user operator"),
    BUS_TLS_AMQP_ROWS(struct settings, tls),
    {.name = "ORDERCTL_AUDIT_FILE",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct settings, audit),
     .fallback = "",
     .max = URL_MAX,
     .description = "the file that keeps a line for each action; needed by dead retry and dead drop"},
};
static const struct bus_option_table table = {options, BUS_COUNT(options), &settings};

int settings_read(const char *env_file, struct story_settings *ret, const char **ret_audit_file) {
  char name[] = "orderctl", flag[] = "--env-file";
  char *words[] = {name, env_file ? flag : NULL, (char *)(uintptr_t)env_file, NULL}; /* they are only read */
  int unused;
  int status = bus_config_main(env_file ? 3 : 1, words, "orderctl", "", &table, 1, NULL, &unused);
  ret->urls[STORY_ORDERS] = settings.orders;
  ret->urls[STORY_INVENTORY] = settings.inventory;
  ret->urls[STORY_PAYMENTS] = settings.payments;
  ret->broker.url = settings.broker;
  ret->broker.tls = settings.tls;
  *ret_audit_file = settings.audit;
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
