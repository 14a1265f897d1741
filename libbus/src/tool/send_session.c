/* A window of unconfirmed messages over one connection. */
#include "send_session.h"

#include <bus/clock.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>

static struct sent *sent_at(struct send_session *session, uint64_t seq) {
  return &session->ring[seq % SEND_WINDOW];
}

/* ---- what the broker says ---- */

static void settle_sent(struct send_session *session, struct sent *sent, bool ack) {
  if (!sent->open)
    return;
  sent->open = false;
  session->bytes -= sent->bytes;
  if (sent->returned) {
    session->returned++; /* was said when it came back */
  } else if (ack) {
    session->confirmed++;
  } else {
    session->nacked++;
    (void)fprintf(stderr, "%s %ld: nacked: a queue is full\n", session->unit, sent->line);
  }
}

static void on_confirm(void *context, uint64_t seq, bool multiple, bool ack) {
  struct send_session *session = context;
  if (seq < session->low || seq >= session->next)
    return;
  for (uint64_t s = multiple ? session->low : seq; s <= seq; s++)
    settle_sent(session, sent_at(session, s), ack);
  while (session->low < session->next && !sent_at(session, session->low)->open)
    session->low++;
}

static void on_returned(void *context, const struct bus_uuid *message_id, struct bus_str exchange, struct bus_str key) {
  struct send_session *session = context;
  for (uint64_t s = session->low; s < session->next; s++) {
    struct sent *sent = sent_at(session, s);
    if (!sent->open || !bus_uuid_equal(&sent->message_id, message_id))
      continue;
    sent->returned = true;
    (void)fprintf(stderr, "%s %ld: returned: no queue is bound to %.*s for %.*s\n", session->unit, sent->line,
                  (int)exchange.len, exchange.data, (int)key.len, key.data);
  }
}

static void on_blocked(void *context, bool blocked, struct bus_str reason) {
  struct send_session *session = context;
  session->blocked = blocked;
  if (blocked)
    (void)fprintf(stderr, "the broker asks to pause: %.*s\n", (int)reason.len, reason.data);
}

static const struct bus_amqp_events events = {.confirm = on_confirm, .returned = on_returned, .blocked = on_blocked};

/* ---- waiting ---- */

bool send_pump(struct bus_amqp *amqp, const struct bus_amqp_events *what, void *context, int timeout_ms,
               struct bus_error *err) {
  if (!bus_amqp_pump(amqp, what, context, err))
    return false;
  if (timeout_ms == 0 || bus_amqp_has_buffered(amqp))
    return true;
  struct pollfd fd = {.fd = bus_amqp_fd(amqp), .events = POLLIN};
  if (poll(&fd, 1, timeout_ms) < 0 && errno != EINTR)
    return bus_fail(err, BUS_E_SYSTEM, "poll: %s", strerror(errno));
  return bus_amqp_pump(amqp, what, context, err);
}

static bool pump(struct send_session *session, int timeout_ms, struct bus_error *err) {
  return send_pump(session->amqp, &events, session, timeout_ms, err);
}

static bool has_room(const struct send_session *session, size_t bytes) {
  return !session->blocked && session->next - session->low < SEND_WINDOW &&
         (session->bytes == 0 || session->bytes + bytes <= SEND_WINDOW_BYTES);
}

static bool is_settled(const struct send_session *session, size_t bytes) {
  (void)bytes;
  return session->low == session->next;
}

static bool wait_until(struct send_session *session, bool (*done)(const struct send_session *session, size_t bytes),
                       size_t bytes, struct bus_error *err) {
  uint64_t low = session->low;
  int64_t progress = bus_monotonic();
  if (!pump(session, 0, err))
    return false;
  while (!done(session, bytes)) {
    if (!pump(session, 1000, err))
      return false;
    if (session->low != low)
      progress = bus_monotonic();
    low = session->low;
    if (bus_monotonic() - progress > SEND_PATIENCE_MS * BUS_MILLISECOND)
      return bus_fail(err, BUS_E_TIMEOUT, "no confirm for %d s%s", SEND_PATIENCE_MS / 1000,
                      session->blocked ? " (the broker is blocked)" : "");
  }
  return true;
}

/* ---- the session ---- */

bool send_open(struct send_session *session, const struct bus_amqp_settings *settings, struct bus_error *err) {
  struct bus_amqp *amqp;
  if (!bus_amqp_open_any(settings, &amqp, err))
    return false;
  if (!bus_amqp_confirm(amqp, err)) {
    bus_amqp_free(amqp);
    return false;
  }
  *session = (struct send_session){.amqp = amqp, .low = 1, .next = 1, .unit = "line"};
  return true;
}

void send_close(struct send_session *session) {
  bus_amqp_free(session->amqp);
  session->amqp = NULL;
}

bool send_one(struct send_session *session, const struct bus_publication *publication, long line,
              struct bus_error *err) {
  uint64_t seq;
  size_t bytes = publication->body.len + 512;
  if (!wait_until(session, has_room, bytes, err) || !bus_amqp_publish(session->amqp, publication, &seq, err))
    return false;
  *sent_at(session, seq) =
      (struct sent){.message_id = publication->envelope->message_id, .line = line, .bytes = bytes, .open = true};
  session->bytes += bytes;
  session->next = seq + 1;
  return true;
}

bool send_finish(struct send_session *session, struct bus_error *err) {
  return wait_until(session, is_settled, 0, err);
}

long send_unknown(const struct send_session *session) {
  long unknown = 0;
  for (uint64_t s = session->low; s < session->next; s++)
    unknown += session->ring[s % SEND_WINDOW].open;
  return unknown;
}
