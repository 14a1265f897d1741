/* One publication and its confirm. */
#include "dead_send.h"

#include <stdio.h>

bool dead_send(struct send_session *session, const struct bus_topology *topology, const struct bus_queue *queue,
               const struct bus_envelope *envelope, struct bus_str body, long number, struct bus_error *err) {
  char key[BUS_KEY_MAX];
  long confirmed = session->confirmed;
  *err = (struct bus_error){.code = BUS_OK};
  if (!body.data)
    return bus_fail(err, BUS_E_INVALID, "its body is larger than 1 MiB");
  (void)snprintf(key, sizeof key, "%s.%s", topology->tiers[0].name, queue->name);
  const struct bus_publication publication = {
      .exchange = BUS_EXCHANGE_RETRY, .key = bus_str(key), .mandatory = true, .envelope = envelope, .body = body};
  return send_one(session, &publication, number, err) && send_finish(session, err) && session->confirmed > confirmed;
}
