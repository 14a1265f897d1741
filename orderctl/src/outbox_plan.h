/* Outboxes of the services: their rows by type, and the sentence that says what they wait for. Pure. */
#ifndef OUTBOX_PLAN_H
#define OUTBOX_PLAN_H

#include "story.h"

/* Rows of one type. Each row is due, or claimed, or neither: its first publication is under way. */
struct outbox_group {
  struct bus_str type;
  int64_t rows, messages;
  int64_t due;        /* the sweeper may take them now */
  int64_t claimed;    /* sent again, or returned: not due before next_at */
  int64_t unroutable; /* the broker returned them */
  int64_t attempts;   /* sent again, at most */
  bus_time oldest_at, next_at;
};

/* One service's outbox at one time. */
struct outbox {
  const char *service; /* also the name of its work queue */
  bus_time now;
  struct bus_str problem; /* why it was not read; absent: it was */
  int64_t consumers;      /* of the service's work queue; BUS_NO_INT64: the broker did not say */
  struct outbox_group *groups;
  size_t group_count;
  struct story_verdict verdict;
};

extern const struct bus_schema outbox_group_schema;

/* Needs all but the verdict. */
void outbox_judge(const struct outbox *outbox, struct story_verdict *ret);

/* One JSON object. False: out of memory. */
bool outbox_encode(const struct outbox *outbox, struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;

#endif
