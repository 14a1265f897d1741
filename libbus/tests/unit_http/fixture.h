/* A server on a port of the kernel's choice, with a route for each thing that a test looks at. */
#pragma once

#include <bus/http_server.h>

#include "raw_client.h"

struct fixture {
  struct bus_http_server *server;
  int port;
};

/* bind and port are filled in; what is 0 has the server's default. */
struct fixture fixture_start(struct bus_http_settings settings);
void fixture_stop(struct fixture *fixture);
/* How often a handler has run. */
int fixture_handled(void);
/* Sends a request to a server with default settings; true when it was answered so and nothing else came, and the
 * connection was then closed. */
void assert_refused(int port, const char *request, int status);
