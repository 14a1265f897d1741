/* A broker's URL, taken apart. */
#pragma once

#include <bus/error.h>

#include "rabbitmq.h"

/* info points into text, which holds the password: url_forget it as soon as it was used. */
struct broker_url {
  char text[1024];
  struct amqp_connection_info info;
};

/* Takes amqp:// and amqps:// with user, password and hosts; port and vhost have the usual defaults. The result is that
 * of one host: the host-th, counted round and round; the others must be well-formed, too. */
bool url_parse(const char *url, size_t host, struct broker_url *ret, struct bus_error *err) BUS_MUST_CHECK;
/* The same of the URL that the file holds now; its user must be that of `url`. The caller may try again after any
 * error: each has the code of a lost connection. */
bool url_read(const char *url, const char *file, size_t host, struct broker_url *ret,
              struct bus_error *err) BUS_MUST_CHECK;
void url_forget(struct broker_url *url);
