/* While no transaction commits: times of the next tries, commits seen of each type, and the alarm. */
#pragma once

#include "entry.h"
#include "turn.h"

#include <bus/backoff.h>

enum { TYPE_RECORDS = 64 };

/* The outcomes of messages of one type; NULL: of local inputs. */
struct type_record {
  const struct bus_message_type *type;
  bool used;
  int64_t committed_at; /* 0: never */
  int blamed;           /* messages since then */
};

/* Times are monotonic. */
struct stall {
  int64_t since;        /* 0: transactions commit */
  int64_t again_at;     /* when what was deferred is tried again */
  int64_t fresh_at;     /* when what has come since is tried */
  int64_t commit_at;    /* inputs were committed last; 0: never */
  int64_t deadlines_at; /* no deadline fires before */
  int64_t due_at;       /* rows that are due are no inputs before */
  struct bus_backoff backoff;
  struct type_record types[TYPE_RECORDS];
};

struct type_record *stall_type(struct stall *stall, const struct bus_message_type *type);
/* Records a failed try without blame; fresh: its inputs had just arrived; waiting: how many are kept. True: the stall
 * begins with it. */
bool stall_note(struct stall *stall, const struct turn *turn, bool fresh, size_t waiting, const struct bus_error *why,
                uint64_t random);
/* A transaction with these inputs has committed. True: a stall ends with it. */
bool stall_committed(struct stall *stall, const struct turn *turn, struct entry *const *entries, size_t count);
/* No message is left that failed. */
void stall_end(struct stall *stall, const struct turn *turn, const char *why);
/* Deadlines wait for messages that come back from a tier after so long. */
void stall_hold_deadlines(struct stall *stall, const struct turn *turn, int64_t ms);
/* A row that was due failed, and nobody was to blame. The next transaction finds it again; it waits for a second. */
void stall_put_off_due(struct stall *stall, const struct turn *turn);
bool stall_is_valid(const struct stall *stall) BUS_MUST_CHECK;
