/* Finds the socket of a request among the process's descriptors. It takes some 100 µs: for the rare cases only. */
#include "internal.h"

#include <bus/clock.h>

#include <arpa/inet.h>
#include <civetweb.h>
#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { LINGER_MS = 300, LINGER_BYTES = 256 * 1024 };

struct address {
  char text[INET6_ADDRSTRLEN];
  int port;
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

static bool is_socket_of(int fd, const struct mg_request_info *info) {
  struct sockaddr_storage storage = {0};
  socklen_t len = sizeof storage;
  struct address peer, local;
  if (getpeername(fd, (struct sockaddr *)&storage, &len) != 0 || !read_address(&storage, &peer))
    return false;
  if (peer.port != info->remote_port || strcmp(peer.text, info->remote_addr) != 0)
    return false;
  len = sizeof storage;
  return getsockname(fd, (struct sockaddr *)&storage, &len) == 0 && read_address(&storage, &local) &&
         local.port == info->server_port;
}

int http_socket_find(const struct mg_request_info *info) {
  DIR *dir = opendir("/proc/self/fd");
  if (dir == NULL)
    return -1;
  int found = -1;
  for (struct dirent *entry; found < 0 && (entry = readdir(dir)) != NULL;) {
    int fd = (int)strtol(entry->d_name, NULL, 10);
    if (fd > 2 && is_socket_of(fd, info))
      found = fd;
  }
  closedir(dir);
  return found;
}

void http_socket_linger(const struct mg_request_info *info) {
  int fd = http_socket_find(info);
  if (fd < 0 || shutdown(fd, SHUT_WR) != 0)
    return;
  int64_t deadline = bus_monotonic() + LINGER_MS * BUS_MILLISECOND;
  char unwanted[2048];
  for (ssize_t taken = 0; taken < LINGER_BYTES;) {
    int left_ms = (int)((deadline - bus_monotonic()) / BUS_MILLISECOND);
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    if (left_ms <= 0 || poll(&entry, 1, left_ms) <= 0)
      return;
    ssize_t got = recv(fd, unwanted, sizeof unwanted, MSG_DONTWAIT);
    if (got <= 0)
      return;
    taken += got;
  }
}
