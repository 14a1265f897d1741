/* Publishing with confirms in a window, with the line of each message kept for what is said about it. */
#ifndef SEND_SESSION_H
#define SEND_SESSION_H

#include <bus/amqp.h>

enum { SEND_WINDOW = 256, SEND_WINDOW_BYTES = 512 * 1024, SEND_PATIENCE_MS = 30000 };

struct sent {
  struct bus_uuid message_id;
  long line;
  size_t bytes;
  bool open, returned;
};

struct send_session {
  struct bus_amqp *amqp;
  struct sent ring[SEND_WINDOW]; /* by sequence number modulo SEND_WINDOW */
  uint64_t low, next;            /* below low all are settled */
  size_t bytes;
  long confirmed, returned, nacked;
  bool blocked;
  const char *unit; /* what `line` counts, for what is said about one: "line" */
};

/* Reads what has arrived; waits for it if there is nothing, at most so long. */
bool send_pump(struct bus_amqp *amqp, const struct bus_amqp_events *events, void *context, int timeout_ms,
               struct bus_error *err) BUS_MUST_CHECK;

bool send_open(struct send_session *session, const struct bus_amqp_settings *settings,
               struct bus_error *err) BUS_MUST_CHECK;
void send_close(struct send_session *session);
/* Waits for room in the window first, at most SEND_PATIENCE_MS without a confirm. */
bool send_one(struct send_session *session, const struct bus_publication *publication, long line,
              struct bus_error *err) BUS_MUST_CHECK;
/* Waits until all are settled. */
bool send_finish(struct send_session *session, struct bus_error *err) BUS_MUST_CHECK;
/* How many were sent and neither confirmed, returned nor nacked. */
long send_unknown(const struct send_session *session);

#endif
