/* Appends whole lines by one write each, so that two operators' lines do not mix; and reads them. */
#include "audit.h"

#include <bus/clock.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MODE = 0640, ARENA_LIMIT = 1 << 18 };

/* ---- writing ---- */

static const char *who(void) {
  const char *sudo = getenv("SUDO_USER");
  const struct passwd *found = getpwuid(getuid());
  return sudo && *sudo ? sudo : found ? found->pw_name : "unknown";
}

static bool append(const struct audit *audit, struct audit_line *line, bool shown, struct bus_error *err) {
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  struct bus_str text, whole = BUS_NO_STR;
  line->at = bus_wall_clock();
  line->operator_name = bus_str(who());
  line->action = bus_str(audit->action);
  line->queue = audit->queue[0] ? bus_str(audit->queue) : BUS_NO_STR;
  line->run = audit->run;
  line->undoes = audit->undoes;
  if (arena && audit_line_encode(line, arena, &text))
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

static bool is_named(const char *path, struct bus_error *err) {
  return (path && *path) ||
         bus_fail(err, BUS_E_CONFIG, "ORDERCTL_AUDIT_FILE must name the file that keeps a record of each action");
}

bool audit_open(const char *path, const char *action, const char *queue, const struct bus_uuid *undoes,
                struct audit *ret, struct bus_error *err) {
  struct bus_uuid_source source;
  uint64_t seed[4];
  if (!is_named(path, err))
    return false;
  *ret = (struct audit){open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, FILE_MODE), action, queue, {{0}}, {{0}}};
  bus_random_seed(seed);
  bus_uuid_source_init(&source, seed);
  bus_uuid_v7(&source, bus_wall_clock(), &ret->run);
  if (undoes)
    ret->undoes = *undoes;
  return ret->fd >= 0 || bus_fail(err, BUS_E_SYSTEM, "cannot open the audit file %s: %s", path, strerror(errno));
}

void audit_close(struct audit *audit) {
  if (audit->fd >= 0)
    (void)close(audit->fd); /* each mark was brought to disk */
  audit->fd = -1;
}

bool audit_message(struct audit *audit, const struct audit_line *message, struct bus_error *err) {
  struct audit_line line = *message;
  return append(audit, &line, false, err);
}

bool audit_mark(struct audit *audit, const char *mark, int64_t messages, const char *text, struct bus_error *err) {
  struct audit_line line = audit_line_none();
  line.mark = bus_str(mark);
  line.messages = messages;
  line.text = bus_str(text);
  return append(audit, &line, true, err) &&
         (fsync(audit->fd) == 0 || errno == EINVAL || bus_fail(err, BUS_E_SYSTEM, "fsync: %s", strerror(errno)));
}

/* ---- reading ---- */

static bool visit_lines(FILE *file, struct bus_arena *arena,
                        bool (*visit)(void *context, const struct audit_line *line, struct bus_str raw), void *context,
                        int64_t *unread) {
  char *text = NULL;
  size_t room = 0;
  bool goes_on = true;
  for (ssize_t len; goes_on && (len = getline(&text, &room, file)) > 0;) {
    struct bus_str raw = {text, (size_t)len - (text[len - 1] == '\n')};
    struct audit_line line;
    text[raw.len] = '\0';
    bus_arena_reset(arena);
    if (audit_line_decode(raw, arena, &line))
      goes_on = visit(context, &line, raw);
    else
      ++*unread;
  }
  free(text);
  return ferror(file) == 0;
}

bool audit_each(const char *path, bool (*visit)(void *context, const struct audit_line *line, struct bus_str raw),
                void *context, int64_t *ret_unread, struct bus_error *err) {
  *ret_unread = 0;
  if (!is_named(path, err))
    return false;
  FILE *file = fopen(path, "re");
  if (!file)
    return bus_fail(err, BUS_E_SYSTEM, "cannot open the audit file %s: %s", path, strerror(errno));
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  bool good = arena ? visit_lines(file, arena, visit, context, ret_unread) ||
                          bus_fail(err, BUS_E_SYSTEM, "cannot read the audit file %s: %s", path, strerror(errno))
                    : bus_fail(err, BUS_E_NOMEM, "out of memory for the audit file");
  bus_arena_free(arena);
  (void)fclose(file); /* only read */
  return good;
}
