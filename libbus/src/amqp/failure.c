/* Turns a failure of rabbitmq-c or of the broker into one error, and keeps it: a failed connection does no further
 * work. */
#include "connection.h"

#include <stdio.h>

static bool keep_failure(struct bus_amqp *amqp, struct bus_error *err) {
  if (err)
    *err = amqp->failure;
  return false;
}

bool link_fail_with(struct bus_amqp *amqp, enum bus_errc code, const char *what, struct bus_error *err) {
  (void)bus_fail(&amqp->failure, code, "%s", what);
  return keep_failure(amqp, err);
}

bool link_fail_status(struct bus_amqp *amqp, int status, const char *what, struct bus_error *err) {
  if (atomic_load(&amqp->watchdog.fired))
    (void)bus_fail(&amqp->failure, BUS_E_AMQP_CONNECTION, "%s: the broker read nothing for %d ms", what,
                   WATCHDOG_LIMIT_MS);
  else
    (void)bus_fail(&amqp->failure, status == AMQP_STATUS_NO_MEMORY ? BUS_E_NOMEM : BUS_E_AMQP_CONNECTION, "%s: %s",
                   what, amqp_error_string2(status));
  return keep_failure(amqp, err);
}

/* A classic queue is on one node of a cluster. While that node is down the broker replies 404 for the queue, which
 * comes back; the topology is right. Only the text of the 404 shows the difference. */
bool link_is_node_away(int code, struct bus_str text) {
  return code == AMQP_NOT_FOUND && text.data && memmem(text.data, text.len, "down or inaccessible", 20) != NULL;
}

/* The broker's reply code decides whether trying again can help. */
static enum bus_errc class_of(int code, struct bus_str text) {
  if (link_is_node_away(code, text))
    return BUS_E_AMQP_CONNECTION;
  switch (code) {
  case AMQP_ACCESS_REFUSED:
  case AMQP_NOT_ALLOWED:
    return BUS_E_AMQP_REFUSED;
  case AMQP_NOT_FOUND:
    return BUS_E_TOPOLOGY;
  default:
    return BUS_E_AMQP_CONNECTION;
  }
}

/* channel.close and connection.close have the same first two fields, but are types of their own. */
bool link_fail_close(struct bus_amqp *amqp, const amqp_method_t *close, const char *what, struct bus_error *err) {
  int code = 0;
  struct bus_str text = BUS_STR("closed by the broker");
  if (close->id == AMQP_CHANNEL_CLOSE_METHOD) {
    const amqp_channel_close_t *channel = close->decoded;
    code = channel->reply_code;
    text = rabbit_view(channel->reply_text);
  } else if (close->id == AMQP_CONNECTION_CLOSE_METHOD) {
    const amqp_connection_close_t *connection = close->decoded;
    code = connection->reply_code;
    text = rabbit_view(connection->reply_text);
  }
  (void)bus_fail(&amqp->failure, class_of(code, text), "%s: %d %.*s", what, code, (int)text.len, text.data);
  return keep_failure(amqp, err);
}

bool link_check_reply(struct bus_amqp *amqp, amqp_rpc_reply_t reply, const char *what, struct bus_error *err) {
  switch (reply.reply_type) {
  case AMQP_RESPONSE_NORMAL:
    return true;
  case AMQP_RESPONSE_SERVER_EXCEPTION:
    return link_fail_close(amqp, &reply.reply, what, err);
  case AMQP_RESPONSE_LIBRARY_EXCEPTION:
    return link_fail_status(amqp, reply.library_error, what, err);
  case AMQP_RESPONSE_NONE:
    break;
  }
  return link_fail_status(amqp, AMQP_STATUS_CONNECTION_CLOSED, what, err);
}

bool link_stands(const struct bus_amqp *amqp, struct bus_error *err) {
  if (amqp->failure.code == BUS_OK)
    return true;
  if (err)
    *err = amqp->failure;
  return false;
}
