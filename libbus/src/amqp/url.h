/* A broker's URL, taken apart. */
#pragma once

#include <bus/error.h>

#include "../core/srv.h"
#include "rabbitmq.h"

/* info points into text, which holds the password: url_forget it as soon as it was used. */
struct broker_url {
  char text[1024];
  char service[SRV_NAME_MAX]; /* to ask DNS for the hosts, in place of that of info; empty: a plain URL */
  struct amqp_connection_info info;
};

/* Takes amqp:// and amqps:// with user, password and hosts; port and vhost have the usual defaults. The result is that
 * of one host: the host-th, counted round and round; the others must be well-formed, too. A URL with +srv
 * gives its service. */
bool url_parse(const char *url, size_t host, struct broker_url *ret, struct bus_error *err) BUS_MUST_CHECK;
/* The same of the URL that the file holds now; its user must be that of `url`. The caller may try again after any
 * error: each has the code of a lost connection. */
bool url_read(const char *url, const char *file, size_t host, struct broker_url *ret,
              struct bus_error *err) BUS_MUST_CHECK;
void url_forget(struct broker_url *url);
