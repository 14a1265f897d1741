/* The listening socket and its connections. */
#include "internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tls/tls.h"

enum { BACKLOG = 1024, DEAD_MS = 30000 };

static int open_socket(const char *host, const char *port) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *list;
  if (getaddrinfo(host, port, &hints, &list) != 0) {
    errno = EINVAL;
    return -1;
  }
  int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
  if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
                  bind(fd, list->ai_addr, list->ai_addrlen) != 0)) {
    int failed = errno;
    (void)close(fd);
    errno = failed;
    fd = -1;
  }
  freeaddrinfo(list);
  return fd;
}

static int port_of(int fd, int wanted) {
  struct sockaddr_storage address;
  socklen_t len = sizeof address;
  memset(&address, 0, sizeof address);
  if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
    return wanted;
  return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                             : ((struct sockaddr_in *)&address)->sin_port);
}

static bool refuse(const char *bind, int port, struct bus_error *err) {
  return bus_fail(err, BUS_E_CONFIG, "cannot listen on %s:%d: %s; set BIND or GRPC_PORT to another address", bind, port,
                  strerror(errno));
}

int grpc_socket_bind(const char *bind, int port, int *ret_port, struct bus_error *err) {
  char host[64], service[12];
  size_t len = strlen(bind);
  bool bracketed = len >= 2 && bind[0] == '[';
  (void)snprintf(host, sizeof host, "%.*s", (int)(bracketed ? len - 2 : len), bind + bracketed);
  (void)snprintf(service, sizeof service, "%d", port);
  int fd = open_socket(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, service);
  if (fd < 0)
    (void)refuse(bind, port, err);
  else
    *ret_port = port_of(fd, port);
  return fd;
}

bool grpc_socket_listen(int fd, const char *bind, int port, struct bus_error *err) {
  return listen(fd, BACKLOG) == 0 || refuse(bind, port, err);
}

/* A peer that vanished without a word is found by the kernel. */
static void set_up(int fd) {
  const int on = 1, idle_s = 30, every_s = 10, tries = 3;
  const unsigned dead_ms = DEAD_MS;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* each is an improvement alone */
  (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof tries);
  (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof dead_ms);
}

int grpc_socket_accept(int listener, char *peer, size_t size) {
  struct sockaddr_storage address;
  socklen_t len = sizeof address;
  int fd = accept4(listener, (struct sockaddr *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0)
    return -1;
  if (getnameinfo((struct sockaddr *)&address, len, peer, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
    peer[0] = '\0';
  set_up(fd);
  return fd;
}

/* After a call of the kernel. */
static ssize_t outcome(ssize_t moved) {
  bool waits = moved < 0 && (errno == EAGAIN || errno == EINTR);
  return moved > 0 ? moved : -!waits;
}

ssize_t grpc_socket_read(const struct grpc_connection *connection, uint8_t *bytes, size_t size) {
  return connection->tls ? tls_read(connection->tls, (char *)bytes, size)
                         : outcome(recv(connection->fd, bytes, size, 0));
}

ssize_t grpc_socket_write(const struct grpc_connection *connection, const char *bytes, size_t len) {
  return connection->tls ? tls_write(connection->tls, bytes, len)
                         : outcome(send(connection->fd, bytes, len, MSG_NOSIGNAL));
}
