/* At debug, a line for each message on its way through a worker: received, decided, published. Ids alone, no bodies. */
#include "worker_internal.h"

#include <bus/log.h>

static const char *queue_of(const struct bus_worker *worker, const struct item *item) {
  return item_is_delivery(item) ? worker->service->queues[item->consumer] : NULL;
}

void trace_received(const struct bus_worker *worker, const struct item *item) {
  const struct bus_envelope *envelope = &item->envelope;
  if (bus_log_enabled(BUS_DEBUG))
    bus_log(BUS_DEBUG, "message received", BUS_F_STR("queue", queue_of(worker, item)),
            BUS_F_VIEW("type", envelope->type), BUS_F_UUID("message_id", &envelope->message_id),
            BUS_F_UUID("order_id", &envelope->correlation_id), BUS_F_UUID("causation_id", &envelope->causation_id),
            BUS_F_TRACE(&envelope->trace), BUS_F_INT("attempt", envelope->attempt),
            BUS_F_STR("refused", item->refused ? item->cause.text : NULL));
}

static const char *verdict_of(const struct item *item) {
  static const char *const verdicts[] = {[BUS_DONE] = "done", [BUS_RETRY] = "retry", [BUS_PARK] = "park"};
  return item->duplicate ? "duplicate" : verdicts[item->verdict];
}

void trace_decided(const struct bus_worker *worker, const struct item *item, size_t effects) {
  static const char *const kinds[] = {
      [BUS_INPUT_DELIVERY] = NULL, [BUS_INPUT_DEADLINE] = "a deadline", [BUS_INPUT_COMPLETION] = "a completed call"};
  const struct bus_envelope *envelope = &item->envelope;
  if (bus_log_enabled(BUS_DEBUG))
    bus_log(BUS_DEBUG, "message decided", BUS_F_STR("queue", queue_of(worker, item)),
            BUS_F_STR("input", kinds[item->input.kind]), BUS_F_VIEW("type", envelope->type),
            BUS_F_UUID("message_id", &envelope->message_id), BUS_F_UUID("order_id", &envelope->correlation_id),
            BUS_F_TRACE(&envelope->trace), BUS_F_STR("verdict", verdict_of(item)), BUS_F_INT("effects", effects));
}

void trace_published(const struct bus_publication *publication) {
  const struct bus_envelope *envelope = publication->envelope;
  if (bus_log_enabled(BUS_DEBUG))
    bus_log(BUS_DEBUG, "message published", BUS_F_STR("exchange", bus_exchange_name(publication->exchange)),
            BUS_F_VIEW("key", publication->key), BUS_F_VIEW("type", envelope->type),
            BUS_F_UUID("message_id", &envelope->message_id), BUS_F_UUID("order_id", &envelope->correlation_id),
            BUS_F_UUID("causation_id", &envelope->causation_id), BUS_F_TRACE(&envelope->trace));
}
