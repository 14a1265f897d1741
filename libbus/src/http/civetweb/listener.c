/* Sets options of the listening socket that civetweb has no option for. */
#include "parts.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum {
  SILENT_S = 1,      /* a connection that has sent nothing waits that long in the kernel */
  FLAGS_OFFSET = 13, /* of the TCP header's flags */
  FLAG_SYN = 0x02,
};

/* Not for longer than a second: from Linux 6.15 on a client's keepalive probe (after a second in Node's pools, after
 * fifteen in Go's) makes the kernel take the packets that follow for forged, until it repeats its own part of the
 * handshake, which it does when the time is over. */
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
