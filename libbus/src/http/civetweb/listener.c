/* Sets options of the listening socket that civetweb has no option for. */
#include "parts.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum {
  FLAGS_OFFSET = 13, /* of the TCP header's flags */
  FLAG_SYN = 0x02,
};

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
