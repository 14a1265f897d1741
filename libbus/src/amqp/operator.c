/* The options that all operators' programs have. */
#include <bus/operator.h>

#include <bus/process.h>

#include <stdio.h>
#include <stdlib.h>

#ifndef ORDERBUS_VERSION
#define ORDERBUS_VERSION "unknown"
#endif

enum { TROUBLE = 2, OPEN_MS = 20000 };

struct bus_amqp_settings bus_operator_begin(const char *name) {
  bus_process_standard_files();
  return (struct bus_amqp_settings){
      .url = getenv("RABBITMQ_URL"), .name = name, .heartbeat_s = 60, .open_timeout_ms = OPEN_MS};
}

int bus_operator_next(int argc, char **argv, const struct option *options, const char *help,
                      struct bus_amqp_settings *settings, int *ret_status) {
  for (int option;;)
    switch (option = getopt_long(argc, argv, "h", options, NULL)) {
    case 'u':
      settings->url = optarg;
      break;
    case 'c':
      settings->ca_file = optarg;
      break;
    case 'h':
      *ret_status = fputs(help, stdout) < 0 ? TROUBLE : 0;
      return 0;
    case 'V':
      *ret_status = printf("%s " ORDERBUS_VERSION "\n", settings->name) < 0 ? TROUBLE : 0;
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
