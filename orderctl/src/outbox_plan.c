/* Sentences of outboxes: each waits for a queue, its service, the broker, or nothing. */
#include "outbox_plan.h"

#include "story_fields.h"
#include "verdict.h"

#include <bus/timefmt.h>

enum { WORD = 64, MANY = 10000 };

/* ---- the sentence ---- */

/* The groups as one. */
static struct outbox_group sum_of(const struct outbox *outbox) {
  struct outbox_group sum = {.oldest_at = BUS_NO_TIME, .next_at = BUS_NO_TIME};
  for (size_t i = 0; i < outbox->group_count; i++) {
    const struct outbox_group *group = &outbox->groups[i];
    sum.rows += group->rows;
    sum.due += group->due;
    sum.unroutable += group->unroutable;
    if (group->attempts > sum.attempts)
      sum.attempts = group->attempts;
    if (sum.oldest_at == BUS_NO_TIME || group->oldest_at < sum.oldest_at)
      sum.oldest_at = group->oldest_at;
    if (sum.next_at == BUS_NO_TIME || group->next_at < sum.next_at)
      sum.next_at = group->next_at;
  }
  return sum;
}

static const struct outbox_group *unroutable_group(const struct outbox *outbox) {
  for (size_t i = 0; i < outbox->group_count; i++)
    if (outbox->groups[i].unroutable > 0)
      return &outbox->groups[i];
  return NULL;
}

static void judge_due(const struct outbox *outbox, const struct outbox_group *sum, struct story_verdict *ret) {
  const char *service = outbox->service;
  char rows[VERDICT_COUNT], since[BUS_TIME_TEXT];
  (void)verdict_count(sum->due, "row", rows);
  bus_time_format(sum->oldest_at, since);
  if (outbox->consumers == 0) {
    verdict_say(ret, STORY_NO_CONSUMER,
                "%s due, the oldest since %s, and no process of %s publishes: its queue has no "
                "consumer",
                rows, since, service);
    verdict_advise(ret, "start %s", service);
  } else {
    verdict_say(ret, STORY_UNPUBLISHED, "%s due and not sent, the oldest since %s%s", rows, since,
                outbox->consumers == BUS_NO_INT64 ? "; the broker did not say whether its service runs" : "");
    verdict_advise(ret,
                   "orderctl broker probe says whether the broker takes messages; the log of %s, whether %s sends them",
                   service, service);
  }
}

void outbox_judge(const struct outbox *outbox, struct story_verdict *ret) {
  const struct outbox_group *unroutable = unroutable_group(outbox);
  struct outbox_group sum = sum_of(outbox);
  char rows[VERDICT_COUNT], next[BUS_TIME_TEXT], tries[VERDICT_COUNT];
  if (outbox->problem.data) {
    verdict_say(ret, STORY_UNREACHABLE, "its database is not reachable: %.*s", (int)outbox->problem.len,
                outbox->problem.data);
    verdict_advise(ret, "make it reachable, then ask again");
  } else if (sum.rows == 0)
    verdict_say(ret, STORY_DONE, "its outbox is empty");
  else if (unroutable) {
    verdict_say(ret, STORY_UNROUTABLE, "no queue takes %s of it, such as %.*s",
                verdict_count(sum.unroutable, "row", rows), (int)unroutable->type.len, unroutable->type.data);
    verdict_advise(ret, "orderctl topology diff names the missing queue or binding; bus-topology apply makes it");
  } else if ((outbox->now - sum.oldest_at) / BUS_SECOND < VERDICT_MOMENT_S)
    verdict_say(ret, STORY_UNDER_WAY, "%s of the last %d s: confirms are on their way",
                verdict_count(sum.rows, "row", rows), VERDICT_MOMENT_S);
  else if (sum.due > 0)
    judge_due(outbox, &sum, ret);
  else {
    bus_time_format(sum.next_at, next);
    verdict_say(ret, STORY_UNPUBLISHED, "%s published%s%s and not confirmed, next at %s",
                verdict_count(sum.rows, "row", rows), sum.attempts > 0 ? ", sent again up to " : "",
                sum.attempts > 0 ? verdict_count(sum.attempts, "time", tries) : "", next);
    verdict_advise(ret, "read the log of %s: the broker blocks it, or does not confirm", outbox->service);
  }
}

/* ---- JSON; and rows of the database, whose columns stand in the order of the group's fields ---- */

#define NUMBER(S, member, what) BUS_FIELD_INT64(S, member, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, what)
#define TIME(S, member, what) BUS_FIELD_TIME(S, member, BUS_OPTIONAL, what)

static const struct bus_field group_fields[] = {
    BUS_FIELD_STRING(struct outbox_group, type, BUS_TEXT, 0, WORD, BUS_REQUIRED, "type"),
    NUMBER(struct outbox_group, rows, "rows"),
    NUMBER(struct outbox_group, messages, "messages in them"),
    NUMBER(struct outbox_group, due, "rows that the sweeper may take now"),
    NUMBER(struct outbox_group, claimed, "rows that were sent again or returned, and are not due"),
    NUMBER(struct outbox_group, unroutable, "rows that the broker returned"),
    NUMBER(struct outbox_group, attempts, "sent again, at most"),
    TIME(struct outbox_group, oldest_at, "the oldest is of"),
    TIME(struct outbox_group, next_at, "the next is due"),
};
const struct bus_schema outbox_group_schema = BUS_SCHEMA("outbox_group", struct outbox_group, group_fields);

struct document {
  struct story_sentence *verdict;
  struct bus_str service;
  bus_time now;
  int64_t consumers;
  struct outbox_group *groups;
  size_t group_count;
};
static const struct bus_field document_fields[] = {
    BUS_FIELD_STRING(struct document, service, BUS_TEXT, 0, WORD, BUS_REQUIRED, "service"),
    TIME(struct document, now, "time of the database"),
    BUS_FIELD_OBJECT(struct document, verdict, struct story_sentence, &story_sentence_schema, BUS_REQUIRED,
                     "the sentence"),
    NUMBER(struct document, consumers, "consumers of the service's work queue"),
    BUS_FIELD_ARRAY(struct document, groups, group_count, struct outbox_group, &outbox_group_schema, 0, MANY,
                    BUS_REQUIRED, "rows by type"),
};
static const struct bus_schema document_schema = BUS_SCHEMA("outbox", struct document, document_fields);

bool outbox_encode(const struct outbox *outbox, struct bus_arena *arena, struct bus_str *ret) {
  struct story_sentence sentence = {outbox->verdict.code, bus_str(outbox->verdict.text),
                                    bus_str(outbox->verdict.action)};
  const struct document document = {.verdict = &sentence,
                                    .service = bus_str(outbox->service),
                                    .now = outbox->now,
                                    .consumers = outbox->consumers,
                                    .groups = outbox->groups,
                                    .group_count = outbox->group_count};
  return bus_encode_nulls(&document_schema, &document, arena, ret);
}
