/* Publishes the callers' requests: those that wait at the same time for the same place travel in one bundle. */
#include "requester.h"

#include <bus/bundle.h>
#include <bus/clock.h>
#include <bus/failpoint.h>

#include <assert.h>

enum { BATCH = BUS_BUNDLE_MAX };
#define WORTH_WAITING 1.0 /* commands */
#define ENOUGH 8.0        /* commands */

/* Requests that were taken from the queue, in the order in which they are published. */
struct batch {
  struct bus_pending *requests[BATCH];
  struct bus_bundle_item items[BATCH];
  size_t count, tried;
};

static size_t wire_size(struct bus_str body) {
  return body.len + MESSAGE_OVERHEAD;
}

/* Takes requests from the queue's head while they fit under the cap. One always fits if no message is unconfirmed. */
static void take_batch(struct bus_requester *requester, struct batch *batch) {
  size_t bytes = requester->window.bytes;
  pthread_mutex_lock(&requester->lock);
  while (batch->count < BATCH && requester->queue_first && (bytes == 0 || bytes < requester->max_unconfirmed)) {
    struct bus_pending *pending = requester->queue_first;
    requester->queue_first = pending->next;
    if (requester->queue_first == NULL)
      requester->queue_last = NULL;
    if (pending->open) {
      bytes += wire_size(pending->body);
      batch->requests[batch->count++] = pending;
    } else { /* its caller has given up */
      pending->queued = false;
      requester_let_go(pending);
    }
  }
  requester->urgent = requester->queue_first != NULL; /* no room for it now */
  pthread_mutex_unlock(&requester->lock);
}

static bool publish(struct bus_requester *requester, const struct bus_bundle_item *message,
                    const struct window_entry *entry, struct bus_error *err) {
  struct bus_publication publication = {.exchange = message->type->exchange,
                                        .key = bus_message_key(message->type),
                                        .mandatory = message->type->exchange == BUS_EXCHANGE_CMD,
                                        .transient = message->type->notice,
                                        .envelope = message->envelope,
                                        .body = message->body};
  struct window_entry sized = *entry;
  uint64_t seq;
  sized.bytes = (uint32_t)wire_size(message->body);
  if (BUS_FAIL_POINT("requester.before-publish", bus_amqp_fd(requester->publishing)))
    return bus_fail(err, BUS_E_AMQP_CONNECTION, "failpoint");
  if (!bus_amqp_publish(requester->publishing, &publication, &seq, err))
    return false;
  BUS_CUT_POINT("requester.after-publish", bus_amqp_fd(requester->publishing));
  if (entry->bundle)
    BUS_CUT_POINT("requester.bundle-published", bus_amqp_fd(requester->publishing));
  return request_window_push(&requester->window, seq, &sized) ||
         bus_fail(err, BUS_E_NOMEM, "no memory for an unconfirmed request");
}

static bool publish_one(struct bus_requester *requester, struct bus_pending *pending,
                        const struct bus_bundle_item *item, struct bus_error *err) {
  assert(pending);
  const struct window_entry entry = {.request = pending, .generation = pending->generation, .query = pending->query};
  return publish(requester, item, &entry, err);
}

static bool publish_bundle(struct bus_requester *requester, struct bus_pending *const *requests,
                           const struct bus_bundle_item *items, size_t count, struct bus_error *err) {
  struct bus_uuid id;
  struct bus_envelope envelope;
  bus_uuid_v7(&requester->bundle_ids, bus_wall_clock(), &id);
  bus_bundle_envelope(items, count, &id, &envelope);
  struct bus_bundle_item message = {items[0].type, &envelope, BUS_NO_STR, items[0].shard};
  struct request_bundle *bundle = request_bundle_new(&requester->bundles, &id, count);
  if (bundle == NULL || !bus_bundle_encode(requester->name, items, count, requester->outgoing, &message.body))
    return bus_fail(err, BUS_E_NOMEM, "no memory for a bundle of %zu requests", count);
  for (size_t i = 0; i < count; i++)
    bundle->members[i] = (struct request_member){requests[i], requests[i]->generation};
  return publish(requester, &message, &(struct window_entry){.bundle = bundle}, err);
}

/* A message that was not tried was certainly not sent: its request becomes UNAVAILABLE. */
static void settle_requests(struct bus_requester *requester, const struct batch *batch) {
  pthread_mutex_lock(&requester->lock);
  for (size_t i = 0; i < batch->count; i++) {
    struct bus_pending *pending = batch->requests[i];
    pending->queued = false;
    requester_keep_arena(requester, pending->arena);
    pending->arena = NULL;
    if (i >= batch->tried)
      requester_set_state(pending, BUS_REQUEST_UNAVAILABLE);
    requester_let_go(pending);
  }
  pthread_mutex_unlock(&requester->lock);
  requester_wake_callers(requester);
}

/* Only commands travel in bundles. */
static void fill_items(const struct bus_requester *requester, struct batch *batch) {
  for (size_t i = 0; i < batch->count; i++)
    batch->items[i] =
        (struct bus_bundle_item){batch->requests[i]->type, &batch->requests[i]->envelope, batch->requests[i]->body,
                                 bus_shard_of(&batch->requests[i]->envelope.correlation_id, requester->shards)};
}

static void put_in_order(const struct bus_requester *requester, struct batch *batch, const size_t *order) {
  struct bus_pending *requests[BATCH];
  for (size_t i = 0; i < batch->count; i++)
    requests[i] = batch->requests[order[i]];
  memcpy(batch->requests, requests, batch->count * sizeof *requests);
  fill_items(requester, batch);
}

static bool publish_batch(struct bus_requester *requester, struct batch *batch, struct bus_error *err) {
  struct bus_bundle_groups groups = {.count = batch->count};
  fill_items(requester, batch);
  bus_arena_reset(requester->outgoing);
  bool bundled = batch->count > 1 && requester->bundle_max > 1 &&
                 bus_bundle_group(batch->items, batch->count, requester->bundle_max, requester->outgoing, &groups);
  if (bundled)
    put_in_order(requester, batch, groups.order);
  for (size_t group = 0, count; group < groups.count; group++) {
    size_t first = bundled ? groups.first[group] : group;
    count = bundled ? groups.first[group + 1] - first : 1;
    batch->tried += count;
    if (count > 1 ? !publish_bundle(requester, batch->requests + first, batch->items + first, count, err)
                  : !publish_one(requester, batch->requests[first], &batch->items[first], err))
      return false;
  }
  return true;
}

/* Half of the time is enough where many commands come: clients that wait for their answers place no others meanwhile.
 */
static int64_t gather_until(const struct bus_requester *requester) {
  const struct pace *pace = &requester->pace;
  int64_t until = pace_next(pace, pace->rate, requester->gather / 2, ENOUGH);
  return until > pace->began_at ? until : pace_next(pace, pace->rate, requester->gather, WORTH_WAITING);
}

int64_t requester_gather_left(struct bus_requester *requester) {
  if (requester->gather == 0)
    return 0;
  pthread_mutex_lock(&requester->lock);
  bool waits = requester->queue_first != NULL && !requester->urgent && !requester->closing;
  pthread_mutex_unlock(&requester->lock);
  int64_t left = waits ? gather_until(requester) - bus_monotonic() : 0;
  return left > 0 ? left : 0;
}

bool requester_publish_queue(struct bus_requester *requester, struct bus_error *err) {
  struct batch batch = {.count = 0};
  if (requester_gather_left(requester) > 0)
    return true;
  take_batch(requester, &batch);
  if (batch.count == 0)
    return true;
  pace_begin(&requester->pace, bus_monotonic(), batch.count, batch.count);
  bool sent = publish_batch(requester, &batch, err);
  settle_requests(requester, &batch);
  return sent;
}
