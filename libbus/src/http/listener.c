/* The listening socket, which civetweb opens and keeps to itself: what civetweb has no option for is set here. */
#include "internal.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
  SILENT_S = 60,     /* a connection that sends nothing waits that long in the kernel, not on a thread */
  FLAGS_OFFSET = 13, /* of the TCP header's flags */
  FLAG_SYN = 0x02,
};

static int local_port(int fd) {
  struct sockaddr_storage storage = {0};
  socklen_t len = sizeof storage;
  if (getsockname(fd, (struct sockaddr *)&storage, &len) != 0)
    return -1;
  if (storage.ss_family == AF_INET)
    return ntohs(((const struct sockaddr_in *)&storage)->sin_port);
  return storage.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)&storage)->sin6_port) : -1;
}

static bool is_listening(int fd) {
  int listens = 0;
  socklen_t len = sizeof listens;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens;
}

/* Calls `visit` for every socket of the process with this local port, until it returns false. */
static void for_each_socket(int port, bool (*visit)(int fd, int *context), int *context) {
  DIR *dir = opendir("/proc/self/fd");
  bool more = dir != NULL;
  for (struct dirent *entry; more && (entry = readdir(dir)) != NULL;) {
    int fd = (int)strtol(entry->d_name, NULL, 10);
    if (fd > 2 && fd != dirfd(dir) && local_port(fd) == port)
      more = visit(fd, context);
  }
  if (dir != NULL)
    closedir(dir);
}

static bool take_listening(int fd, int *found) {
  if (is_listening(fd))
    *found = fd;
  return *found < 0;
}

int http_listener_find(int port) {
  int found = -1;
  for_each_socket(port, take_listening, &found);
  return found;
}

bool http_listener_defer(int fd) {
  int seconds = SILENT_S;
  return setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds) == 0;
}

/* For a listening socket tcpi_unacked is the length of the queue of connections that were not accepted yet. */
size_t http_listener_waiting(int fd) {
  struct tcp_info info = {0};
  socklen_t len = sizeof info;
  return fd >= 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_state == TCP_LISTEN
             ? info.tcpi_unacked
             : 0;
}

/* Drops packets that would begin a connection and takes all others. The filter sees a packet from its TCP header on. */
bool http_listener_refuse_new(int fd) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_OFFSET),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_SYN, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
  };
  const struct sock_fprog program = {.len = BUS_COUNT(code), .filter = code};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

/* poll() on it returns at once from now on, and accept() fails. */
void http_listener_shut(int fd) {
  (void)shutdown(fd, SHUT_RDWR); /* fails only where it is closed already */
}

static bool end_input(int fd, int *unused) {
  (void)unused;
  if (!is_listening(fd))
    (void)shutdown(fd, SHUT_RD); /* fails where the peer is gone, which is as good */
  return true;
}

void http_listener_end_idle(int port) {
  for_each_socket(port, end_input, NULL);
}

static bool count_open(int fd, int *count) {
  *count += !is_listening(fd);
  return true;
}

size_t http_listener_count_open(int port) {
  int count = 0;
  for_each_socket(port, count_open, &count);
  return (size_t)count;
}
