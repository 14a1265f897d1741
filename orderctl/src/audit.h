/* The record of an operator's actions: a line of JSON each, appended to a file before the action takes effect. No body
 * of a message is in it. */
#ifndef AUDIT_H
#define AUDIT_H

#include <bus/error.h>
#include <bus/uuid.h>

struct audit {
  int fd; /* -1: closed */
  const char *action;
  const char *queue;
};

/* path: ORDERCTL_AUDIT_FILE; without one no action is allowed. */
bool audit_open(const char *path, const char *action, const char *queue, struct audit *ret,
                struct bus_error *err) BUS_MUST_CHECK;
void audit_close(struct audit *audit);

/* A message that is sent again as `successor`, or dropped (nil). */
bool audit_message(struct audit *audit, const struct bus_uuid *message_id, const struct bus_uuid *order_id,
                   const struct bus_uuid *successor, struct bus_error *err) BUS_MUST_CHECK;
/* The begin or the end of an action, with numbers; also on stderr. On disk when it returns. */
bool audit_mark(struct audit *audit, const char *mark, int64_t messages, const char *text,
                struct bus_error *err) BUS_MUST_CHECK;

#endif
