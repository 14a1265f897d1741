/* Frames that are sent without waiting for an answer: publications and acks. */
#include "connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static void set_cork(struct bus_amqp *amqp, int on) {
  /* setsockopt fails only for a socket that is not TCP; then no segment is held back. */
  (void)setsockopt(amqp->watchdog.fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
  amqp->corked = on;
}

/* Joins many small messages into few segments: the next pump uncorks the socket. That also sends a body of zero bytes
 * or of a multiple of the frame size, after whose last frame the library sets MSG_MORE. */
static void cork(struct bus_amqp *amqp) {
  if (!amqp->corked)
    set_cork(amqp, 1);
}

void link_flush(struct bus_amqp *amqp) {
  if (amqp->corked)
    set_cork(amqp, 0);
}

void bus_amqp_flush(struct bus_amqp *amqp) {
  if (amqp->failure.code == BUS_OK)
    link_flush(amqp);
}

static int send_message(struct bus_amqp *amqp, const struct bus_publication *publication,
                        const amqp_basic_properties_t *properties) {
  char exchange[BUS_KEY_MAX];
  bus_exchange_of(publication->exchange, amqp->sender.user, exchange);
  watchdog_enter(&amqp->watchdog);
  cork(amqp);
  int status = amqp_basic_publish(amqp->state, CHANNEL, amqp_cstring_bytes(exchange), rabbit_bytes(publication->key),
                                  publication->mandatory, 0, properties, rabbit_bytes(publication->body));
  watchdog_leave(&amqp->watchdog);
  return status;
}

bool bus_amqp_publish(struct bus_amqp *amqp, const struct bus_publication *publication, uint64_t *ret_seq,
                      struct bus_error *err) {
  struct envelope_wire wire;
  if (!link_stands(amqp, err))
    return false;
  envelope_encode(publication, &amqp->sender, &wire);
  int status = send_message(amqp, publication, &wire.properties);
  if (status != AMQP_STATUS_OK)
    return link_fail_status(amqp, status, "publish", err);
  *ret_seq = amqp->next_seq;
  if (amqp->next_seq > 0)
    amqp->next_seq++;
  return true;
}

bool bus_amqp_ack(struct bus_amqp *amqp, uint64_t tag, bool multiple, struct bus_error *err) {
  if (!link_stands(amqp, err))
    return false;
  watchdog_enter(&amqp->watchdog);
  int status = amqp_basic_ack(amqp->state, CHANNEL, tag, multiple);
  watchdog_leave(&amqp->watchdog);
  return status == AMQP_STATUS_OK || link_fail_status(amqp, status, "ack", err);
}

bool bus_amqp_give_back(struct bus_amqp *amqp, struct bus_error *err) {
  enum { EVERY_TAG = 0 };
  if (!link_stands(amqp, err))
    return false;
  watchdog_enter(&amqp->watchdog);
  int status = amqp_basic_nack(amqp->state, CHANNEL, EVERY_TAG, true, true);
  watchdog_leave(&amqp->watchdog);
  return status == AMQP_STATUS_OK || link_fail_status(amqp, status, "nack", err);
}
