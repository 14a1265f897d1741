/* Facts for the spans that a driver records: of a message, and of a transaction. */
#include "entry.h"

#include <bus/pipeline.h>

#include <assert.h>

bool bus_pipeline_processed(const struct bus_pipeline_action *action, struct bus_processed *ret) {
  const struct entry *entry = action->message.entry;
  assert(action->kind == BUS_DO_COUNT_MESSAGE);
  if (!entry->is_span)
    return false;
  *ret = (struct bus_processed){.envelope = &entry->envelope,
                                .parent_id = entry->parent,
                                .queue = (size_t)entry->consumer,
                                .bundled = entry->bundled,
                                .cause = entry->ruling.verdict == BUS_DONE ? NULL : &entry->ruling.cause};
  return true;
}

struct served {
  struct bus_span_link *links;
  size_t count, room;
  struct bus_span_link last;
};

/* Several messages of one call in a row are one link. */
static void add(struct served *served, const struct bus_trace *trace) {
  struct bus_span_link link;
  memcpy(link.trace_id, trace->trace_id, sizeof link.trace_id);
  memcpy(link.span_id, trace->span_id, sizeof link.span_id);
  if (served->count > 0 && memcmp(&link, &served->last, sizeof link) == 0)
    return;
  if (served->count < served->room)
    served->links[served->count] = link;
  served->last = link;
  served->count++;
}

static bool is_served(const struct entry *entry) {
  return entry_is_delivery(entry) && entry->is_span && !entry->ruling.refused && !entry->duplicate && !entry->late;
}

/* A deadline and a completed call have no message; what they send names the span that was kept for them. */
static bool is_of_local_input(const struct bus_effect *effect) {
  return effect->kind == BUS_EFFECT_EMIT && effect->cause && effect->cause->kind != BUS_INPUT_DELIVERY &&
         bus_trace_is_set(&effect->envelope.trace) && bus_trace_is_sampled(&effect->envelope.trace);
}

size_t bus_pipeline_served(const struct bus_pipeline_action *action, struct bus_span_link *ret, size_t room) {
  struct served served = {.links = ret, .room = room};
  assert(action->kind == BUS_DO_COUNT_BATCH);
  for (size_t i = 0; i < action->batch.size; i++)
    if (is_served(action->batch.entries[i]))
      add(&served, &action->batch.entries[i]->envelope.trace);
  for (const struct bus_effect *effect = action->batch.effects; effect; effect = effect->next)
    if (is_of_local_input(effect))
      add(&served, &effect->envelope.trace);
  return served.count;
}
