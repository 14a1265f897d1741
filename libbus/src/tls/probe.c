/* One GET to this machine over a socket: a health check needs no HTTP library. */
#include <bus/log.h>
#include <bus/probe.h>

#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_S = 3, HOST_SIZE = 80, TEXT_SIZE = 512 };

/* Without the brackets of IPv6. "Every address" is one to connect to, too: Linux takes it for this machine. */
static void address_of(const char *bind, char host[HOST_SIZE]) {
  bind += bind[0] == '[';
  (void)snprintf(host, HOST_SIZE, "%.*s", (int)strcspn(bind, "]"), bind);
}

static int connect_to(const char *host, int64_t port) {
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  const struct timeval limit = {.tv_sec = TIMEOUT_S};
  struct addrinfo *found;
  char service[24];
  (void)snprintf(service, sizeof service, "%lld", (long long)port);
  if (getaddrinfo(host, service, &hints, &found) != 0) {
    errno = EINVAL;
    return -1;
  }
  int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool connected = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
                   setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
                   connect(fd, found->ai_addr, found->ai_addrlen) == 0;
  int cause = errno;
  freeaddrinfo(found);
  if (!connected && fd >= 0)
    (void)close(fd);
  errno = cause;
  return connected ? fd : -1;
}

enum { STATUS_LEN = sizeof "HTTP/1.1 200" - 1 };

/* Writes the beginning of the answer to `text`, which holds the request; → its length, 0: there is none. */
static size_t talk_plain(int fd, char *text, size_t len) {
  ssize_t got = send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len ? recv(fd, text, STATUS_LEN, MSG_WAITALL) : 0;
  return got > 0 ? (size_t)got : 0;
}

static size_t talk_tls(int fd, char *text, size_t len) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL *session = context ? SSL_new(context) : NULL;
  size_t got = 0;
  if (session && SSL_set_fd(session, fd) == 1 && SSL_connect(session) == 1 &&
      SSL_write(session, text, (int)len) == (int)len && SSL_read_ex(session, text, STATUS_LEN, &got) != 1)
    got = 0;
  SSL_free(session);
  SSL_CTX_free(context);
  return got;
}

/* The status of the answer; 0: there is none. */
static int ask(int fd, bool has_tls, const char *path) {
  char text[TEXT_SIZE];
  int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
  text[(has_tls ? talk_tls : talk_plain)(fd, text, (size_t)len)] = '\0';
  return strncmp(text, "HTTP/1.1 ", strlen("HTTP/1.1 ")) == 0 ? (int)strtol(text + strlen("HTTP/1.1 "), NULL, 10) : 0;
}

static int complain(const char *program, const char *host, int64_t port, const char *path, const char *problem) {
  char text[TEXT_SIZE];
  int len = snprintf(text, sizeof text, "%s: %s port %lld %s: %s\n", program, host, (long long)port, path, problem);
  bus_log_last_text((struct bus_str){text, len < (int)sizeof text ? (size_t)len : sizeof text - 1});
  return EXIT_FAILURE;
}

int bus_probe_main(const char *program, const char *bind, int64_t port, bool has_tls, const char *path) {
  char host[HOST_SIZE], problem[64];
  address_of(bind, host);
  int fd = connect_to(host, port);
  if (fd < 0)
    return complain(program, host, port, path, strerror(errno));
  int status = ask(fd, has_tls, path);
  (void)close(fd);
  if (status == 200)
    return EXIT_SUCCESS;
  (void)snprintf(problem, sizeof problem, status ? "status %d" : "no answer within %d s", status ? status : TIMEOUT_S);
  return complain(program, host, port, path, problem);
}
