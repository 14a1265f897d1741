/* Pure decisions about dead letters: which are alike, and whether a re-drive goes on. */
#ifndef DEAD_PLAN_H
#define DEAD_PLAN_H

#include "story.h"

enum { DEAD_CAUSE_MAX = 256 };

/* Messages of one queue, type, error and cause, without the ids in it. */
struct dead_group {
  struct bus_str queue, type, error;
  char cause[DEAD_CAUSE_MAX];
  int64_t count, forged;
  bus_time first, last;
  struct bus_uuid example;
};

/* The cause without ids: each word of 8 or more hexadecimal digits and hyphens becomes #. */
void dead_cause(struct bus_str cause, char text[DEAD_CAUSE_MAX]);

/* Groups in the order of their first message; room for `count` of them. Returns how many there are. */
size_t dead_groups(const struct story_dead *dead, size_t count, struct dead_group *groups);

/* Fates of messages that were sent again: `taken` and `failed` of them; the rest is open. */
struct dead_watch {
  int64_t sent, taken, failed;
  int64_t waited_ms, patience_ms;
};

enum dead_step {
  DEAD_GO_ON,
  DEAD_WAIT,
  DEAD_STOP_FAILED, /* some came back */
  DEAD_STOP_SILENT, /* some were neither taken nor dead-lettered in time: they wait for a next try, or nobody takes them
                     */
};

/* After the canary: all of it must have been taken. */
enum dead_step dead_after_canary(const struct dead_watch *watch);
/* Later on: a single one that came back ends the run. */
enum dead_step dead_meanwhile(const struct dead_watch *watch);

#endif
