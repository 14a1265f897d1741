/* One accepting thread, one thread a connection, requests on a connection until the behaviour says otherwise. */
#include "odd_server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

enum { CONNECTIONS_MAX = 64, REQUEST_MAX = 70000 };

struct odd_server {
  odd_behaviour *behaviour;
  int listener, port;
  pthread_t acceptor;
  atomic_int connections, requests;
  struct odd_connection {
    struct odd_server *server;
    int fd;
    pthread_t thread;
  } all[CONNECTIONS_MAX];
};

void odd_send(int fd, const char *text) {
  for (size_t len = strlen(text); len > 0;) {
    ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
    if (sent <= 0)
      return; /* the client has had enough */
    text += sent;
    len -= (size_t)sent;
  }
}

static bool read_head(int fd, char *text) {
  size_t len = 0;
  while (len + 1 < REQUEST_MAX) {
    ssize_t got = recv(fd, text + len, REQUEST_MAX - 1 - len, 0);
    if (got <= 0)
      return false;
    len += (size_t)got;
    text[len] = '\0';
    if (strstr(text, "\r\n\r\n"))
      return true;
  }
  return false;
}

static void *serve(void *context) {
  struct odd_connection *connection = context;
  char *text = malloc(REQUEST_MAX);
  if (text && read_head(connection->fd, text)) {
    atomic_fetch_add(&connection->server->requests, 1);
    connection->server->behaviour(connection->fd, text);
  }
  free(text);
  shutdown(connection->fd, SHUT_RDWR);
  return NULL;
}

static void *accept_all(void *context) {
  struct odd_server *server = context;
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    int fd = accept(server->listener, NULL, NULL);
    if (fd < 0)
      break;
    server->all[i] = (struct odd_connection){.server = server, .fd = fd};
    atomic_fetch_add(&server->connections, 1); /* before it is answered, so that whoever got the answer finds it */
    pthread_create(&server->all[i].thread, NULL, serve, &server->all[i]);
  }
  return NULL;
}

struct odd_server *odd_server_start(odd_behaviour *behaviour) {
  struct odd_server *server = calloc(1, sizeof *server);
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof address;
  assert_non_null(server);
  server->behaviour = behaviour;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(server->listener, (const struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(server->listener, CONNECTIONS_MAX), 0);
  assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
  server->port = ntohs(address.sin_port);
  assert_int_equal(pthread_create(&server->acceptor, NULL, accept_all, server), 0);
  return server;
}

int odd_server_port(const struct odd_server *server) {
  return server->port;
}

int odd_server_connections(const struct odd_server *server) {
  return atomic_load(&server->connections);
}

int odd_server_requests(const struct odd_server *server) {
  return atomic_load(&server->requests);
}

void odd_server_stop(struct odd_server *server) {
  shutdown(server->listener, SHUT_RDWR);
  pthread_join(server->acceptor, NULL);
  close(server->listener);
  for (int i = 0; i < atomic_load(&server->connections); i++) {
    shutdown(server->all[i].fd, SHUT_RDWR);
    pthread_join(server->all[i].thread, NULL);
    close(server->all[i].fd);
  }
  free(server);
}
