/* Appends whole lines by one write each, so that two operators' lines do not mix. */
#include "audit.h"

#include <bus/clock.h>
#include <bus/field.h>
#include <bus/timefmt.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MODE = 0640, ARENA_LIMIT = 1 << 16 };

struct line {
  bus_time at;
  struct bus_str operator_name, action, queue, mark, text;
  struct bus_uuid message_id, order_id, successor;
  int64_t messages;
};

#define TEXT(member, what) BUS_FIELD_STRING(struct line, member, BUS_TEXT, 0, 512, BUS_OPTIONAL, what)
static const struct bus_field fields[] = {
    BUS_FIELD_OF(struct line, at, bus_time, BUS_KIND_TIME, BUS_REQUIRED, .description = "time"),
    TEXT(operator_name, "who: the login, or the one behind sudo"),
    TEXT(action, "verb"),
    TEXT(queue, "work queue"),
    TEXT(mark, "begin or end"),
    BUS_FIELD_UUID(struct line, message_id, BUS_OPTIONAL, "message"),
    BUS_FIELD_UUID(struct line, order_id, BUS_OPTIONAL, "its order"),
    BUS_FIELD_UUID(struct line, successor, BUS_OPTIONAL, "the message that it is sent again as"),
    BUS_FIELD_INT64(struct line, messages, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, "number of messages"),
    TEXT(text, "how it ended"),
};
static const struct bus_schema schema = BUS_SCHEMA("audit", struct line, fields);

static const char *who(void) {
  const char *sudo = getenv("SUDO_USER");
  const struct passwd *found = getpwuid(getuid());
  return sudo && *sudo ? sudo : found ? found->pw_name : "unknown";
}

static bool append(const struct audit *audit, struct line *line, bool shown, struct bus_error *err) {
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  struct bus_str text, whole = BUS_NO_STR;
  line->at = bus_wall_clock();
  line->operator_name = bus_str(who());
  line->action = bus_str(audit->action);
  line->queue = bus_str(audit->queue);
  if (arena && bus_encode(&schema, line, arena, &text))
    whole = bus_arena_printf(arena, "%.*s\n", (int)text.len, text.data);
  bool good = whole.data && write(audit->fd, whole.data, whole.len) == (ssize_t)whole.len;
  if (!good)
    (void)bus_fail(err, BUS_E_SYSTEM, "cannot write the audit file: %s",
                   whole.data ? strerror(errno) : "out of memory");
  if (good && shown)
    (void)fputs(whole.data, stderr); /* the file has it */
  bus_arena_free(arena);
  return good;
}

bool audit_open(const char *path, const char *action, const char *queue, struct audit *ret, struct bus_error *err) {
  if (!path || !*path)
    return bus_fail(err, BUS_E_CONFIG, "ORDERCTL_AUDIT_FILE must name the file that keeps a record of each action");
  *ret = (struct audit){open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, FILE_MODE), action, queue};
  return ret->fd >= 0 || bus_fail(err, BUS_E_SYSTEM, "cannot open the audit file %s: %s", path, strerror(errno));
}

void audit_close(struct audit *audit) {
  if (audit->fd >= 0)
    (void)close(audit->fd); /* each mark was brought to disk */
  audit->fd = -1;
}

bool audit_message(struct audit *audit, const struct bus_uuid *message_id, const struct bus_uuid *order_id,
                   const struct bus_uuid *successor, struct bus_error *err) {
  struct line line = {
      .message_id = *message_id, .order_id = *order_id, .successor = *successor, .messages = BUS_NO_INT64};
  return append(audit, &line, false, err);
}

bool audit_mark(struct audit *audit, const char *mark, int64_t messages, const char *text, struct bus_error *err) {
  struct line line = {.mark = bus_str(mark), .messages = messages, .text = bus_str(text)};
  return append(audit, &line, true, err) &&
         (fsync(audit->fd) == 0 || errno == EINVAL || bus_fail(err, BUS_E_SYSTEM, "fsync: %s", strerror(errno)));
}
