/* A delivery arrives: it is one entry, or a bundle that is cut into one for each of its messages. */
#include "machine.h"

/* NULL: out of memory. */
static struct entry *append(struct bus_pipeline *pipeline, const struct bus_delivery *delivery) {
  struct entry *entry = intake_append(&pipeline->intake);
  if (!entry)
    return NULL;
  entry->input.kind = BUS_INPUT_DELIVERY;
  entry->envelope = delivery->envelope;
  entry->raw = delivery->body;
  entry->tag = delivery->tag;
  entry->epoch = pipeline->links.epoch;
  entry->consumer = delivery->consumer;
  entry->since = pipeline->turn.now;
  suspects_see(&pipeline->suspects, entry);
  return entry;
}

/* Dead-lettered whole, with its bytes. */
static void refuse(struct entry *entry, const struct bus_error *why) {
  entry->ruling.refused = entry->uncut = true;
  entry->ruling.verdict = BUS_PARK;
  entry->ruling.cause = *why;
}

/* False: out of memory; some entries have been appended, and the connection ends. */
static bool append_elements(struct bus_pipeline *pipeline, const struct bus_delivery *delivery,
                            const struct bus_bundle_element *elements, size_t count, bool fails) {
  assert(count > 0 && count <= BUS_BUNDLE_MAX);
  for (size_t i = 0; i < count; i++) {
    struct entry *entry = append(pipeline, delivery);
    if (!entry)
      return false;
    entry->envelope = elements[i].envelope;
    entry->raw = elements[i].body;
    entry->bundled = count;
    entry->fails = fails && i == 0;
  }
  turn_point(&pipeline->turn, BUS_POINT_BUNDLE_CUT);
  return true;
}

const char *arrival_keep(struct bus_pipeline *pipeline, const struct bus_delivery *delivery, bool fails) {
  assert(delivery->consumer >= 0 && (size_t)delivery->consumer < pipeline->setup.service->queue_count);
  struct bus_bundle_element *elements = NULL;
  struct bus_error err = {.code = BUS_OK};
  size_t count = 1;
  bool cut =
      delivery->envelope.bundle && delivery->body.data &&
      bus_bundle_cut(&delivery->envelope, delivery->body, pipeline->intake.filling->arena, &elements, &count, &err);
  if (err.code == BUS_E_NOMEM)
    return "out of memory for a bundle";
  if (!acks_received(&pipeline->acks, delivery->tag, count))
    return "too many deliveries behind one that cannot be settled";
  links_delivered(&pipeline->links, count, pipeline->turn.now);
  if (cut && count > 1 && BUS_BUG("bundle-element-lost", "the last message of a bundle is lost when it is cut")) {
    acks_settle(&pipeline->acks, delivery->tag);
    count--;
  }
  if (cut)
    return append_elements(pipeline, delivery, elements, count, fails) ? NULL : "out of memory for a bundle";
  struct entry *entry = append(pipeline, delivery);
  if (!entry)
    return "out of memory for a delivery";
  entry->fails = fails;
  if (err.code != BUS_OK)
    refuse(entry, &err);
  return NULL;
}
