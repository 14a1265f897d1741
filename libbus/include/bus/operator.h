/* Command-line options of the programs that an operator runs against a broker. */
#pragma once

#include <bus/amqp.h>

#include <getopt.h>

BUS_C_BEGIN

/* The end of a table for getopt_long, behind a program's own options. */
#define BUS_OPERATOR_OPTIONS                                                                                           \
  {"url", required_argument, NULL, 'u'}, {"ca-file", required_argument, NULL, 'c'},                                    \
      {"cert-file", required_argument, NULL, 'C'}, {"key-file", required_argument, NULL, 'K'},                         \
      {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {                                         \
    NULL, 0, NULL, 0                                                                                                   \
  }

/* Their lines in a program's help, and those of DNS. */
#define BUS_OPERATOR_TLS_HELP                                                                                          \
  "  --ca-file FILE   certificates for amqps (default: RABBITMQ_CA_FILE, else the system's)\n"                         \
  "  --cert-file FILE, --key-file FILE\n"                                                                              \
  "                   client certificate for amqps and its private key (default: RABBITMQ_CERT_FILE,\n"                \
  "                   RABBITMQ_KEY_FILE, else none)\n"                                                                 \
  "  The hosts of a URL amqp+srv://user:password@name/vhost, or amqps+srv, are asked of DNS: of the server that the\n" \
  "  variable DNS_SERVER names (127.0.0.1:8600), else of those of /etc/resolv.conf.\n"

/* For the begin of main: opens standard files that are closed, and returns the settings of the variables RABBITMQ_URL
 * (or of the file that RABBITMQ_URL_FILE names), DNS_SERVER, RABBITMQ_CA_FILE, RABBITMQ_CERT_FILE and
 * RABBITMQ_KEY_FILE, with time for a broker that has just started. version: for --version; NULL: libbus's own. */
struct bus_amqp_settings bus_operator_begin(const char *name, const char *version);

/* Sets the topology's number of shards from the variable QUEUE_SHARDS (default: 1), and settings->shards. False: the
 * value is not allowed; the error is printed. */
bool bus_operator_shards(const struct bus_topology *topology, struct bus_amqp_settings *settings) BUS_MUST_CHECK;

#define BUS_OPERATOR_NO_BROKER "no broker: give --url, or set RABBITMQ_URL, or RABBITMQ_URL_FILE to a file with the URL"

/* The next option of the program's own. 0: there is none; *ret_status is -1, or the status to exit with at once. The
 * version is printed with settings->name. */
int bus_operator_next(int argc, char **argv, const struct option *options, const char *help,
                      struct bus_amqp_settings *settings, int *ret_status);

BUS_C_END
