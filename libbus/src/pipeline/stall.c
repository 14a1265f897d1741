/* The record of commits and of tries that failed. */
#include "stall.h"

#define FRESH_EVERY BUS_SECOND /* messages that have just come are a try of their own */
#define DEADLINES_MARGIN (5 * BUS_SECOND)

/* The last record stands for all further types. */
struct type_record *stall_type(struct stall *stall, const struct bus_message_type *type) {
  size_t i = 0;
  while (i + 1 < TYPE_RECORDS && stall->types[i].used && stall->types[i].type != type)
    i++;
  stall->types[i].type = type;
  stall->types[i].used = true;
  return &stall->types[i];
}

static void begin(struct stall *stall, const struct turn *turn) {
  assert(stall->since == 0 && turn->now > 0);
  stall->since = turn->now;
  stall->backoff = (struct bus_backoff){.first = 2 * BUS_SECOND, .max = 30 * BUS_SECOND};
  turn_count(turn, BUS_COUNT_STALLED, 1);
}

void stall_end(struct stall *stall, const struct turn *turn, const char *why) {
  assert(stall->since != 0);
  turn_log(turn, BUS_INFO, why, BUS_F_INT("after_ms", (turn->now - stall->since) / BUS_MILLISECOND));
  stall->since = 0;
  turn_count(turn, BUS_COUNT_STALLED, -1);
}

bool stall_note(struct stall *stall, const struct turn *turn, bool fresh, size_t waiting, const struct bus_error *why,
                uint64_t random) {
  bool begins = stall->since == 0;
  if (begins)
    begin(stall, turn);
  if (!fresh || stall->again_at == 0)
    stall->again_at = turn->now + bus_backoff_next(&stall->backoff, random);
  if (fresh)
    stall->fresh_at = turn->now + FRESH_EVERY;
  turn_log(turn, BUS_ERROR, "no transaction commits; messages stay unacked and are tried again",
           BUS_F_STR("error", bus_error_name(why->code)), BUS_F_STR("cause", why->text), BUS_F_INT("waiting", waiting),
           BUS_F_INT("since_ms", (turn->now - stall->since) / BUS_MILLISECOND),
           BUS_F_INT("again_in_ms", (stall->again_at - turn->now) / BUS_MILLISECOND));
  return begins;
}

bool stall_committed(struct stall *stall, const struct turn *turn, struct entry *const *entries, size_t count) {
  bool any = false, ends;
  for (size_t i = 0; i < count; i++) {
    const struct entry *entry = entries[i];
    if (entry->ruling.refused || entry->duplicate || entry->ruling.verdict != BUS_DONE)
      continue;
    struct type_record *record = stall_type(stall, entry->input.type);
    record->committed_at = turn->now;
    record->blamed = 0;
    any = true;
  }
  if (!any)
    return false;
  stall->commit_at = turn->now;
  stall->again_at = 0;
  ends = stall->since != 0;
  if (ends)
    stall_end(stall, turn, "transactions commit again");
  return ends;
}

void stall_hold_deadlines(struct stall *stall, const struct turn *turn, int64_t ms) {
  assert(ms >= 0);
  stall->deadlines_at = turn->now + ms * BUS_MILLISECOND + DEADLINES_MARGIN;
}

void stall_put_off_due(struct stall *stall, const struct turn *turn) {
  stall->due_at = turn->now + FRESH_EVERY;
}

bool stall_is_valid(const struct stall *stall) {
  return stall->since >= 0 && stall->commit_at >= 0 && stall->deadlines_at >= 0 && stall->due_at >= 0;
}
