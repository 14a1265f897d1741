/* A line of the record of actions, as JSON; and the runs that many lines are of. Pure. No body of a message is in it.
 */
#ifndef AUDIT_LINE_H
#define AUDIT_LINE_H

#include <bus/field.h>

/* A failed try of a message, a line of its history. */
struct audit_try {
  struct bus_str line;
};

/* A line of the begin or the end of a run (mark), or of one message. */
struct audit_line {
  bus_time at;
  struct bus_str operator_name, action, queue, mark, text;
  struct bus_uuid run, undoes; /* nil in lines of versions before runs had ids */
  struct bus_uuid message_id, order_id, successor, causation_id;
  int64_t messages;
  struct audit_try *tries;
  size_t try_count;
};

#define AUDIT_BEGIN "begin"
#define AUDIT_END "end"

/* An empty line: nothing is known. */
struct audit_line audit_line_none(void);
/* False: out of memory. */
bool audit_line_encode(const struct audit_line *line, struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;
/* False: it is no such line, or memory is out. */
bool audit_line_decode(struct bus_str json, struct bus_arena *arena, struct audit_line *ret) BUS_MUST_CHECK;

/* The history of a dead letter, kept so that it can be put back. False: out of memory. */
bool audit_line_set_history(struct audit_line *line, struct bus_str history, struct bus_arena *arena) BUS_MUST_CHECK;
bool audit_line_history(const struct audit_line *line, struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;

/* ---- runs ---- */

struct audit_run {
  struct bus_uuid run, undoes;
  bus_time begun, ended; /* BUS_NO_TIME: no such line */
  struct bus_str operator_name, action, queue, text;
  int64_t chosen;  /* as its begin says */
  int64_t written; /* lines of messages */
};

/* Growing; in the arena. */
struct audit_runs {
  struct bus_arena *arena;
  struct audit_run *runs;
  size_t count, room;
  int64_t nameless; /* lines without a run's id */
};
/* False: out of memory. */
bool audit_runs_note(struct audit_runs *runs, const struct audit_line *line) BUS_MUST_CHECK;

#endif
