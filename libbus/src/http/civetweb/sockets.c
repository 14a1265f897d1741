/* Finds the sockets that civetweb keeps to itself among the process's descriptors. */
#include "parts.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/socket.h>

struct address {
  char text[INET6_ADDRSTRLEN];
  int port;
};

struct search {
  const struct mg_request_info *info;
  int found;
};

static bool read_address(const struct sockaddr_storage *storage, struct address *ret) {
  if (storage->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)storage;
    ret->port = ntohs(in->sin_port);
    return inet_ntop(AF_INET, &in->sin_addr, ret->text, sizeof ret->text) != NULL;
  }
  if (storage->ss_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;
    ret->port = ntohs(in6->sin6_port);
    return inet_ntop(AF_INET6, &in6->sin6_addr, ret->text, sizeof ret->text) != NULL;
  }
  return false;
}

static bool is_at_port(int fd, int port) {
  struct sockaddr_storage storage = {0};
  struct address local;
  socklen_t len = sizeof storage;
  return getsockname(fd, (struct sockaddr *)&storage, &len) == 0 && read_address(&storage, &local) &&
         local.port == port;
}

/* Calls `visit` for every socket of the process with this local port, until it returns false. */
static void for_each_socket(int port, bool (*visit)(int fd, void *context), void *context) {
  DIR *dir = opendir("/proc/self/fd");
  bool more = dir != NULL;
  for (struct dirent *entry; more && (entry = readdir(dir)) != NULL;) {
    int fd = (int)strtol(entry->d_name, NULL, 10);
    if (fd > 2 && fd != dirfd(dir) && is_at_port(fd, port))
      more = visit(fd, context);
  }
  if (dir != NULL)
    closedir(dir);
}

static bool is_listening(int fd) {
  int listens = 0;
  socklen_t len = sizeof listens;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens;
}

static bool take_listener(int fd, void *found) {
  bool listens = is_listening(fd);
  if (listens)
    *(int *)found = fd;
  return !listens;
}

int http_sockets_listener(int port) {
  int found = -1;
  for_each_socket(port, take_listener, &found);
  return found;
}

static bool take_connection(int fd, void *context) {
  struct search *search = context;
  struct sockaddr_storage storage = {0};
  struct address peer;
  socklen_t len = sizeof storage;
  if (getpeername(fd, (struct sockaddr *)&storage, &len) == 0 && read_address(&storage, &peer) &&
      peer.port == search->info->remote_port && strcmp(peer.text, search->info->remote_addr) == 0)
    search->found = fd;
  return search->found < 0;
}

/* civetweb 1.14 to 1.16 keep in struct mg_connection, less than 100 bytes behind the two infos, the descriptor, the
 * local address and the peer's, each as large as the largest family that civetweb was built for. */
enum { REACH = 240, PART = 64 };

static bool is_named(int (*get_name)(int, struct sockaddr *, socklen_t *), int fd, const char *name) {
  struct sockaddr_storage storage = {0};
  const socklen_t most = sizeof(struct sockaddr_in6); /* a socket of another family may have a longer address */
  socklen_t len = sizeof storage;
  return get_name(fd, (struct sockaddr *)&storage, &len) == 0 && len <= most && memcmp(&storage, name, len) == 0;
}

/* At `at`: a descriptor with both of its addresses behind it. */
static bool is_client(const char *at, size_t address_size, int *ret) {
  const char *local = at + sizeof *ret;
  sa_family_t family;
  memcpy(ret, at, sizeof *ret);
  memcpy(&family, local, sizeof family);
  return *ret > 2 && (family == AF_INET || family == AF_INET6) && is_named(getsockname, *ret, local) &&
         is_named(getpeername, *ret, local + address_size);
}

/* Another layout has no such place. */
int http_sockets_of(const struct mg_connection *connection) {
  const char *from = (const char *)connection + sizeof(struct mg_request_info) + sizeof(struct mg_response_info);
  for (const char *at = from; at + PART <= from + REACH; at += sizeof(int)) {
    int fd;
    if (is_client(at, sizeof(struct sockaddr_in), &fd) || is_client(at, sizeof(struct sockaddr_in6), &fd))
      return fd;
  }
  return -1;
}

int http_sockets_find(const struct http_connection *connection) {
  struct search search = {.info = connection->info, .found = http_sockets_of(connection->civetweb)};
  if (search.found < 0)
    for_each_socket(search.info->server_port, take_connection, &search);
  return search.found;
}

static bool end_input(int fd, void *unused) {
  (void)unused;
  if (!is_listening(fd))
    (void)shutdown(fd, SHUT_RD); /* fails where the peer is gone, which is as good */
  return true;
}

void http_sockets_end_idle(int port) {
  for_each_socket(port, end_input, NULL);
}

static bool count_open(int fd, void *count) {
  *(size_t *)count += !is_listening(fd);
  return true;
}

size_t http_sockets_count_open(int port) {
  size_t count = 0;
  for_each_socket(port, count_open, &count);
  return count;
}
