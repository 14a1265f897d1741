/* The record of an operator's actions: a line of JSON each, appended to a file before the action takes effect. */
#ifndef AUDIT_H
#define AUDIT_H

#include "audit_line.h"

#include <bus/error.h>

struct audit {
  int fd;                     /* -1: closed */
  const char *action, *queue; /* queue "": none */
  struct bus_uuid run, undoes;
};

/* path: ORDERCTL_AUDIT_FILE; without one no action is allowed. undoes: the run that is undone; NULL: none. */
bool audit_open(const char *path, const char *action, const char *queue, const struct bus_uuid *undoes,
                struct audit *ret, struct bus_error *err) BUS_MUST_CHECK;
void audit_close(struct audit *audit);

/* The line of one message; its time, operator, action, queue and run are the audit's. */
bool audit_message(struct audit *audit, const struct audit_line *message, struct bus_error *err) BUS_MUST_CHECK;
/* The begin or the end of an action, with numbers; also on stderr. On disk when it returns. */
bool audit_mark(struct audit *audit, const char *mark, int64_t messages, const char *text,
                struct bus_error *err) BUS_MUST_CHECK;

/* Calls visit for each line of the file, oldest first, until it returns false; `raw` is the line itself. Other
 * lines are counted. False: the file cannot be read, or memory is out. */
bool audit_each(const char *path, bool (*visit)(void *context, const struct audit_line *line, struct bus_str raw),
                void *context, int64_t *ret_unread, struct bus_error *err) BUS_MUST_CHECK;

#endif
