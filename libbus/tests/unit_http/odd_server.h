/* A server that misbehaves on purpose: it reads a request's head and then does as it was told. */
#pragma once

#include <bus/base.h>

struct odd_server;

/* Called on a thread of its own for each connection, after the head has come; what it returns from is closed. `request`
 * is NUL-terminated. */
typedef void odd_behaviour(int fd, const char *request);

struct odd_server *odd_server_start(odd_behaviour *behaviour);
int odd_server_port(const struct odd_server *server);
/* Connections and requests so far. */
int odd_server_connections(const struct odd_server *server);
int odd_server_requests(const struct odd_server *server);
void odd_server_stop(struct odd_server *server);

void odd_send(int fd, const char *text);
