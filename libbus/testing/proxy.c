/* A TCP proxy on loopback for tests: one thread, one poll set. */
#include "proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS_MAX = 64, CHUNK = 65536 };

struct proxy {
  struct sockaddr_in server;
  int listener, port;
  int pairs[PAIRS_MAX][2]; /* client, server; -1: free */
  pthread_t thread;
  atomic_bool stopping, cutting, refusing, stalling;
  atomic_uint_fast64_t bytes;
  const void *injection;
  atomic_size_t injected; /* its length; 0: none */
};

static void close_pair(struct proxy *proxy, int i) {
  const struct linger reset = {1, 0};
  for (int side = 0; side < 2; side++) {
    int fd = proxy->pairs[i][side];
    if (fd < 0)
      continue;
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    (void)close(fd);
    proxy->pairs[i][side] = -1;
  }
}

static void take_client(struct proxy *proxy) {
  int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
  int free_pair = 0;
  while (free_pair < PAIRS_MAX && proxy->pairs[free_pair][0] >= 0)
    free_pair++;
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool good = client >= 0 && server >= 0 && free_pair < PAIRS_MAX && !atomic_load(&proxy->refusing) &&
              connect(server, (const struct sockaddr *)&proxy->server, sizeof proxy->server) == 0;
  if (!good) {
    if (client >= 0)
      (void)close(client);
    if (server >= 0)
      (void)close(server);
    return;
  }
  int on = 1;
  (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  proxy->pairs[free_pair][0] = client;
  proxy->pairs[free_pair][1] = server;
}

/* Blocking writes: the peers here always read. */
static bool forward(struct proxy *proxy, int from, int to) {
  static _Thread_local char chunk[CHUNK];
  ssize_t got = recv(from, chunk, sizeof chunk, MSG_DONTWAIT);
  if (got <= 0)
    return got < 0 && (errno == EAGAIN || errno == EINTR);
  atomic_fetch_add(&proxy->bytes, (uint_fast64_t)got);
  for (ssize_t sent = 0; sent < got;) {
    ssize_t n = send(to, chunk + sent, (size_t)(got - sent), MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    sent += n;
  }
  return true;
}

static void run_round(struct proxy *proxy) {
  struct pollfd fds[1 + 2 * PAIRS_MAX];
  int owner[1 + 2 * PAIRS_MAX], count = 1;
  fds[0] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
  for (int i = 0; i < PAIRS_MAX; i++)
    for (int side = 0; side < 2 && proxy->pairs[i][0] >= 0 && !atomic_load(&proxy->stalling); side++) {
      owner[count] = i * 2 + side;
      fds[count++] = (struct pollfd){.fd = proxy->pairs[i][side], .events = POLLIN};
    }
  if (poll(fds, (nfds_t)count, 5) <= 0)
    return;
  if (fds[0].revents)
    take_client(proxy);
  for (int at = 1; at < count; at++) {
    int pair = owner[at] / 2, side = owner[at] % 2;
    if (fds[at].revents && proxy->pairs[pair][0] >= 0 &&
        !forward(proxy, proxy->pairs[pair][side], proxy->pairs[pair][1 - side]))
      close_pair(proxy, pair);
  }
}

static void inject(struct proxy *proxy) {
  size_t len = atomic_load(&proxy->injected);
  for (int i = 0; i < PAIRS_MAX && len > 0; i++)
    if (proxy->pairs[i][0] >= 0)
      (void)!send(proxy->pairs[i][0], proxy->injection, len, MSG_NOSIGNAL); /* a client that is gone needs none */
  atomic_store(&proxy->injected, 0);
}

static void *run(void *context) {
  struct proxy *proxy = context;
  while (!atomic_load(&proxy->stopping)) {
    if (atomic_exchange(&proxy->cutting, false))
      for (int i = 0; i < PAIRS_MAX; i++)
        close_pair(proxy, i);
    inject(proxy);
    run_round(proxy);
  }
  return NULL;
}

struct proxy *proxy_start(const char *host, int port) {
  struct proxy *proxy = calloc(1, sizeof *proxy);
  if (!proxy)
    return NULL;
  memset(proxy->pairs, 0xff, sizeof proxy->pairs);
  proxy->server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof own;
  proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (inet_pton(AF_INET, host, &proxy->server.sin_addr) != 1 || proxy->listener < 0 ||
      bind(proxy->listener, (const struct sockaddr *)&own, sizeof own) != 0 || listen(proxy->listener, 64) != 0 ||
      getsockname(proxy->listener, (struct sockaddr *)&own, &size) != 0 ||
      pthread_create(&proxy->thread, NULL, run, proxy) != 0) {
    free(proxy);
    return NULL;
  }
  proxy->port = ntohs(own.sin_port);
  return proxy;
}

int proxy_port(const struct proxy *proxy) {
  return proxy->port;
}

void proxy_cut(struct proxy *proxy) {
  atomic_store(&proxy->cutting, true);
}

void proxy_refuse(struct proxy *proxy, bool refuse) {
  atomic_store(&proxy->refusing, refuse);
}

void proxy_stall(struct proxy *proxy, bool stall) {
  atomic_store(&proxy->stalling, stall);
}

void proxy_inject(struct proxy *proxy, const void *bytes, size_t len) {
  const struct timespec moment = {.tv_nsec = 1000000};
  proxy->injection = bytes;
  atomic_store(&proxy->injected, len);
  while (atomic_load(&proxy->injected) > 0)
    (void)nanosleep(&moment, NULL);
}

uint64_t proxy_bytes(const struct proxy *proxy) {
  return atomic_load(&proxy->bytes);
}

void proxy_stop(struct proxy *proxy) {
  if (!proxy)
    return;
  atomic_store(&proxy->stopping, true);
  (void)pthread_join(proxy->thread, NULL);
  for (int i = 0; i < PAIRS_MAX; i++)
    close_pair(proxy, i);
  (void)close(proxy->listener);
  free(proxy);
}

struct proxy *proxy_for_url(const char *url, char *text) {
  const char *at = strrchr(url, '@'), *colon = at ? strchr(at, ':') : NULL;
  char host[64], *rest = NULL;
  if (!colon || colon - at > (ptrdiff_t)sizeof host)
    return NULL;
  (void)snprintf(host, sizeof host, "%.*s", (int)(colon - at - 1), at + 1);
  long port = strtol(colon + 1, &rest, 10);
  struct proxy *proxy = rest > colon + 1 && port > 0 && port < 65536 ? proxy_start(host, (int)port) : NULL;
  if (proxy)
    (void)snprintf(text, 512, "%.*s127.0.0.1:%d%s", (int)(at + 1 - url), url, proxy->port, rest);
  return proxy;
}
