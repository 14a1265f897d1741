/* One publication and its confirm. */
#include "dead_send.h"

#include <bus/history.h>

#include <stdio.h>

static bool send_confirmed(struct send_session *session, const struct bus_publication *publication, long number,
                           struct bus_error *err) {
  long confirmed = session->confirmed;
  *err = (struct bus_error){.code = BUS_OK};
  if (!publication->body.data)
    return bus_fail(err, BUS_E_INVALID, "its body is larger than 1 MiB");
  return send_one(session, publication, number, err) && send_finish(session, err) && session->confirmed > confirmed;
}

bool dead_send(struct send_session *session, const struct bus_topology *topology, const struct bus_queue *queue,
               const struct bus_envelope *envelope, struct bus_str body, long number, struct bus_error *err) {
  char key[BUS_KEY_MAX];
  (void)snprintf(key, sizeof key, "%s.%s", topology->tiers[0].name, queue->name);
  const struct bus_publication publication = {
      .exchange = BUS_EXCHANGE_RETRY, .key = bus_str(key), .mandatory = true, .envelope = envelope, .body = body};
  return send_confirmed(session, &publication, number, err);
}

bool dead_put_back(struct send_session *session, const struct bus_queue *queue, const struct bus_envelope *envelope,
                   struct bus_str body, long number, struct bus_error *err) {
  struct bus_failure last;
  if (!bus_history_last(envelope->history, &last))
    last.cause = BUS_NO_STR;
  const struct bus_publication publication = {.exchange = BUS_EXCHANGE_DEAD,
                                              .key = bus_str(queue->name),
                                              .mandatory = true,
                                              .envelope = envelope,
                                              .body = body,
                                              .cause = last.cause};
  return send_confirmed(session, &publication, number, err);
}
