/* A connection that stands, with its peer in our hands. */
#include "amqp_pair.h"

#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

/* The library learns frame sizes behind its first frame only; here that is connection.unblocked. */
static void tune(struct bus_amqp *amqp, int peer) {
  static const char unblocked[] = {AMQP_FRAME_METHOD, 0, 0, 0, 0, 0, 4, 0, 10, 0, 61, (char)AMQP_FRAME_END};
  const struct timeval at_once = {0, 0};
  amqp_frame_t frame;
  FUZZ_CHECK(write(peer, unblocked, sizeof unblocked) == sizeof unblocked);
  FUZZ_CHECK(amqp_simple_wait_frame_noblock(amqp->state, &frame, &at_once) == AMQP_STATUS_OK);
  FUZZ_CHECK(amqp_tune_connection(amqp->state, 1, FRAME_MAX, 0) == AMQP_STATUS_OK);
}

struct bus_amqp *amqp_pair_new(struct bus_arena *arena, int *ret_peer) {
  struct bus_amqp *amqp = calloc(1, sizeof *amqp);
  int pair[2], room = AMQP_PAIR_ROOM * 2;
  FUZZ_CHECK(amqp && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
  FUZZ_CHECK(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room) == 0);
  amqp->state = amqp_new_connection();
  amqp_socket_t *tcp = amqp->state ? amqp_tcp_socket_new(amqp->state) : NULL;
  FUZZ_CHECK(tcp != NULL);
  amqp_tcp_socket_set_sockfd(tcp, pair[0]);
  tune(amqp, pair[1]);
  FUZZ_CHECK(watchdog_add(&amqp->watchdog, pair[0]));
  amqp->consumers[0].count = 1;
  bus_amqp_set_arena(amqp, arena);
  *ret_peer = pair[1];
  return amqp;
}
