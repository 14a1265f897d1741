/* The sentence of a probe, and its JSON. Pure. */
#include "probe.h"

#include "story_fields.h"
#include "verdict.h"

#include <inttypes.h>

void probe_begin(struct probe *probe) {
  *probe = (struct probe){.connected = BUS_NO_INT64,
                          .round_trip = BUS_NO_INT64,
                          .returned = BUS_NO_INT64,
                          .confirmed = BUS_NO_INT64,
                          .slowest = BUS_NO_INT64,
                          .problem.code = BUS_OK};
}

static double ms(int64_t microseconds) {
  return (double)microseconds / BUS_MILLISECOND;
}

static void judge_fault(const struct probe *probe, struct story_verdict *ret) {
  const char *text = probe->problem.text;
  if (probe->connected == BUS_NO_INT64) {
    verdict_say(ret, STORY_UNREACHABLE, "nobody can log in: %s", text);
    verdict_advise(ret, "start the node, or correct RABBITMQ_URL");
  } else if (probe->problem.code == BUS_E_TOPOLOGY) {
    verdict_say(ret, STORY_UNROUTABLE, "an exchange or queue does not answer: %s", text);
    verdict_advise(ret, "orderctl topology diff says whether it is missing; else start the node that it lies on");
  } else {
    verdict_say(ret, STORY_UNPUBLISHED, "takes no message: %s", text);
    verdict_advise(ret, "read the node's log; the operator's user needs the rights of bus-topology definitions");
  }
}

void probe_judge(const struct probe *probe, struct story_verdict *ret) {
  if (probe->alarm[0]) {
    verdict_say(ret, STORY_PAUSED, "takes no messages, it blocks publishers: %s", probe->alarm);
    verdict_advise(ret, "give the broker memory or disk; messages stay in the outboxes until then");
  } else if (probe->problem.code != BUS_OK)
    judge_fault(probe, ret);
  else
    verdict_say(ret, STORY_DONE,
                "takes messages: connected in %.1f ms, round trip in %.1f ms, return in %.1f ms, confirm in %.1f ms; "
                "%" PRId64 " queues answered, the slowest, %s, in %.1f ms",
                ms(probe->connected), ms(probe->round_trip), ms(probe->returned), ms(probe->confirmed), probe->queues,
                probe->slowest_queue, ms(probe->slowest));
}

/* ---- JSON ---- */

struct document {
  struct story_sentence *verdict;
  struct bus_str node, product, version, cluster, slowest_queue, alarm;
  int64_t connected, round_trip, returned, confirmed, queues, slowest;
};

#define NAME(member, what) BUS_FIELD_STRING(struct document, member, BUS_TEXT, 0, PROBE_ALARM, BUS_OPTIONAL, what)
#define TIMED(member, what) BUS_FIELD_INT64(struct document, member, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, what)
static const struct bus_field fields[] = {
    NAME(node, "host and port"),
    BUS_FIELD_OBJECT(struct document, verdict, struct story_sentence, &story_sentence_schema, BUS_REQUIRED,
                     "the sentence"),
    NAME(product, "product"),
    NAME(version, "version"),
    NAME(cluster, "name of the cluster"),
    TIMED(connected, "microseconds until the login"),
    TIMED(round_trip, "microseconds of a round trip"),
    TIMED(returned, "microseconds until a message without a queue was returned"),
    TIMED(confirmed, "microseconds until it was confirmed"),
    TIMED(queues, "queues that answered"),
    TIMED(slowest, "microseconds of the slowest queue"),
    NAME(slowest_queue, "the slowest queue"),
    NAME(alarm, "why publishers are blocked"),
};
static const struct bus_schema schema = BUS_SCHEMA("probe", struct document, fields);

static struct bus_str text_or_none(const char *text) {
  return text[0] ? bus_str(text) : BUS_NO_STR;
}

bool probe_encode(const struct probe *probe, const struct story_verdict *verdict, struct bus_arena *arena,
                  struct bus_str *ret) {
  struct story_sentence sentence = {verdict->code, bus_str(verdict->text), bus_str(verdict->action)};
  const struct document document = {.verdict = &sentence,
                                    .node = text_or_none(probe->node),
                                    .product = text_or_none(probe->product),
                                    .version = text_or_none(probe->version),
                                    .cluster = text_or_none(probe->cluster),
                                    .slowest_queue = text_or_none(probe->slowest_queue),
                                    .alarm = text_or_none(probe->alarm),
                                    .connected = probe->connected,
                                    .round_trip = probe->round_trip,
                                    .returned = probe->returned,
                                    .confirmed = probe->confirmed,
                                    .queues = probe->queues,
                                    .slowest = probe->slowest};
  return bus_encode_nulls(&schema, &document, arena, ret);
}
