/* The options that all operators' programs have. */
#include <bus/operator.h>

#include <bus/config.h>
#include <bus/process.h>

#include <stdio.h>
#include <stdlib.h>

#ifndef ORDERBUS_VERSION
#define ORDERBUS_VERSION "unknown"
#endif

enum { TROUBLE = 2, OPEN_MS = 20000, URL_SIZE = 1100 };

/* NULL: neither the variable nor the file that RABBITMQ_URL_FILE names has it. */
static const char *broker_url(const char *program) {
  static char text[URL_SIZE];
  struct bus_error err;
  const char *url = getenv("RABBITMQ_URL"), *path = getenv("RABBITMQ_URL" BUS_SECRET_FILE);
  if (url || !path)
    return url;
  if (bus_secret_file_read(path, text, sizeof text, &err))
    return text;
  (void)fprintf(stderr, "%s: RABBITMQ_URL" BUS_SECRET_FILE ": %s\n", program, err.text);
  return NULL;
}

static const char *program_version = ORDERBUS_VERSION;

struct bus_amqp_settings bus_operator_begin(const char *name, const char *version) {
  if (version)
    program_version = version;
  bus_process_standard_files();
  const struct bus_tls_files tls = {
      .ca = getenv("RABBITMQ_CA_FILE"), .cert = getenv("RABBITMQ_CERT_FILE"), .key = getenv("RABBITMQ_KEY_FILE")};
  return (struct bus_amqp_settings){.url = broker_url(name),
                                    .dns_server = getenv("DNS_SERVER"),
                                    .name = name,
                                    .tls = tls,
                                    .heartbeat_s = 60,
                                    .open_timeout_ms = OPEN_MS};
}

bool bus_operator_shards(const struct bus_topology *topology, struct bus_amqp_settings *settings) {
  const char *text = getenv("QUEUE_SHARDS");
  int64_t shards = 1;
  struct bus_error err = {.code = BUS_OK};
  if (text && *text) {
    size_t digits = strspn(text, "0123456789");
    shards = digits == strlen(text) && digits <= 2 ? strtol(text, NULL, 10) : 0;
  }
  if (shards > 0 && bus_topology_set_shards(topology, shards, &err)) {
    settings->shards = bus_topology_shards(topology);
    return true;
  }
  if (err.code != BUS_OK)
    (void)fprintf(stderr, "%s: %s\n", settings->name, err.text);
  else
    (void)fprintf(stderr, "%s: QUEUE_SHARDS is \"%.40s\": allowed is 1 to %d\n", settings->name, text, BUS_SHARDS_MAX);
  return false;
}

int bus_operator_next(int argc, char **argv, const struct option *options, const char *help,
                      struct bus_amqp_settings *settings, int *ret_status) {
  for (int option;;)
    switch (option = getopt_long(argc, argv, "h", options, NULL)) {
    case 'u':
      settings->url = optarg;
      break;
    case 'c':
      settings->tls.ca = optarg;
      break;
    case 'C':
      settings->tls.cert = optarg;
      break;
    case 'K':
      settings->tls.key = optarg;
      break;
    case 'h':
      *ret_status = fputs(help, stdout) < 0 ? TROUBLE : 0;
      return 0;
    case 'V':
      *ret_status = printf("%s %s\n", settings->name, program_version) < 0 ? TROUBLE : 0;
      return 0;
    case '?': /* getopt has printed the cause */
      *ret_status = TROUBLE;
      return 0;
    case -1:
      *ret_status = -1;
      return 0;
    default:
      return option;
    }
}
