/* State while no transaction commits: times of the next tries, commits seen, and the alarm. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#define FRESH_EVERY BUS_SECOND /* messages that have just come are a try of their own */
#define DEADLINES_MARGIN (5 * BUS_SECOND)

/* The last record stands for all further types. */
struct type_record *stall_type(struct bus_worker *worker, const struct bus_message_type *type) {
  size_t i = 0;
  while (i + 1 < BUS_COUNT(worker->types) && worker->types[i].used && worker->types[i].type != type)
    i++;
  worker->types[i].type = type;
  worker->types[i].used = true;
  return &worker->types[i];
}

static void begin(struct bus_worker *worker, int64_t now) {
  worker->stall.since = now;
  worker->stall.backoff = (struct bus_backoff){.first = 2 * BUS_SECOND, .max = 30 * BUS_SECOND};
  worker->settled = false;
  intake_drop_deadlines(worker);
  metrics_add(worker, METRIC_STALLED, 1);
}

static void end(struct bus_worker *worker, int64_t now, const char *why) {
  bus_log(BUS_INFO, why, BUS_F_INT("after_ms", (now - worker->stall.since) / BUS_MILLISECOND));
  worker->stall.since = 0;
  worker_unsettle(worker);
  metrics_add(worker, METRIC_STALLED, -1);
}

void stall_note(struct bus_worker *worker, bool fresh, const struct bus_error *why) {
  struct stall *stall = &worker->stall;
  int64_t now = bus_monotonic();
  if (stall->since == 0)
    begin(worker, now);
  if (!fresh || stall->again_at == 0)
    stall->again_at = now + bus_backoff_next(&stall->backoff, bus_uuid_source_random(&worker->ids));
  if (fresh)
    stall->fresh_at = now + FRESH_EVERY;
  bus_log(BUS_ERROR, "no transaction commits; messages stay unacked and are tried again",
          BUS_F_STR("error", bus_error_name(why->code)), BUS_F_STR("cause", why->text),
          BUS_F_INT("waiting", worker->deferred.count), BUS_F_INT("since_ms", (now - stall->since) / BUS_MILLISECOND),
          BUS_F_INT("again_in_ms", (stall->again_at - now) / BUS_MILLISECOND));
}

void stall_committed(struct bus_worker *worker, struct entry *const *entries, size_t count) {
  int64_t now = bus_monotonic();
  bool any = false;
  for (size_t i = 0; i < count; i++) {
    const struct entry *entry = entries[i];
    if (entry->refused || entry->duplicate || entry->verdict != BUS_DONE)
      continue;
    struct type_record *record = stall_type(worker, entry->input.type);
    record->committed_at = now;
    record->blamed = 0;
    any = true;
  }
  if (!any)
    return;
  worker->commit_at = now;
  worker->stall.again_at = 0;
  if (worker->stall.since != 0)
    end(worker, now, "transactions commit again");
}

void stall_hold_deadlines(struct bus_worker *worker, int64_t ms) {
  worker->settled = false;
  worker->deadlines_at = bus_monotonic() + ms * BUS_MILLISECOND + DEADLINES_MARGIN;
}

/* Suspects of a crash are taken one by one: the next one only once this one is settled. */
static bool suspect_waits(const struct bus_worker *worker) {
  for (size_t i = 0; i < worker->deferred.count; i++)
    if (worker->deferred.entries[i].alone)
      return true;
  return false;
}

/* When messages that have just come may be tried. */
static int64_t fresh_from(const struct bus_worker *worker) {
  return suspect_waits(worker) ? INT64_MAX : worker->stall.since == 0 ? 0 : worker->stall.fresh_at;
}

size_t stall_take(struct bus_worker *worker, struct entry **entries, size_t max) {
  int64_t now = bus_monotonic();
  if (worker->stall.since != 0 && worker->deferred.count == 0)
    end(worker, now, "no message is left that failed");
  size_t count = now >= worker->stall.again_at ? deferred_take(worker, entries, max) : 0;
  return count == 0 && now >= fresh_from(worker) ? intake_take(worker, entries, max) : count;
}

int64_t stall_next(const struct bus_worker *worker) {
  const struct stall *stall = &worker->stall;
  int64_t next = worker->deferred.count > 0 ? stall->again_at : INT64_MAX;
  if (intake_is_empty(worker))
    return next;
  int64_t fresh = fresh_from(worker);
  return fresh < next ? fresh : next;
}
