/* Lines of single messages. */
#include "trace.h"

static const char *queue_of(const struct turn *turn, const struct entry *entry) {
  return entry_is_delivery(entry) ? turn->setup->service->queues[entry->consumer] : NULL;
}

void trace_received(const struct turn *turn, const struct entry *entry) {
  const struct bus_envelope *envelope = &entry->envelope;
  if (turn->setup->log.debug)
    turn_log(turn, BUS_DEBUG, "message received", BUS_F_STR("queue", queue_of(turn, entry)),
             BUS_F_VIEW("type", envelope->type), BUS_F_UUID("message_id", &envelope->message_id),
             BUS_F_UUID(setup_correlation(turn->setup), &envelope->correlation_id),
             BUS_F_UUID("causation_id", &envelope->causation_id), BUS_F_TRACE(&envelope->trace),
             BUS_F_INT("attempt", envelope->attempt),
             BUS_F_STR("refused", entry->ruling.refused ? entry->ruling.cause.text : NULL));
}

static const char *verdict_of(const struct entry *entry) {
  static const char *const verdicts[] = {[BUS_DONE] = "done", [BUS_RETRY] = "retry", [BUS_PARK] = "park"};
  return entry->duplicate ? "duplicate" : verdicts[entry->ruling.verdict];
}

void trace_decided(const struct turn *turn, const struct entry *entry, size_t effects) {
  static const char *const kinds[] = {
      [BUS_INPUT_DELIVERY] = NULL, [BUS_INPUT_DEADLINE] = "a deadline", [BUS_INPUT_COMPLETION] = "a completed call"};
  const struct bus_envelope *envelope = &entry->envelope;
  if (turn->setup->log.debug)
    turn_log(turn, BUS_DEBUG, "message decided", BUS_F_STR("queue", queue_of(turn, entry)),
             BUS_F_STR("input", kinds[entry->input.kind]), BUS_F_VIEW("type", envelope->type),
             BUS_F_UUID("message_id", &envelope->message_id),
             BUS_F_UUID(setup_correlation(turn->setup), &envelope->correlation_id), BUS_F_TRACE(&envelope->trace),
             BUS_F_STR("verdict", verdict_of(entry)), BUS_F_INT("effects", effects));
}

void trace_published(const struct turn *turn, const struct bus_publication *publication) {
  const struct bus_envelope *envelope = publication->envelope;
  if (turn->setup->log.debug)
    turn_log(turn, BUS_DEBUG, "message published", BUS_F_STR("exchange", bus_exchange_name(publication->exchange)),
             BUS_F_VIEW("key", publication->key), BUS_F_VIEW("type", envelope->type),
             BUS_F_UUID("message_id", &envelope->message_id),
             BUS_F_UUID(setup_correlation(turn->setup), &envelope->correlation_id),
             BUS_F_UUID("causation_id", &envelope->causation_id), BUS_F_TRACE(&envelope->trace));
}

void trace_undone(const struct turn *turn, const struct entry *entry, const char *msg, struct bus_log_field more,
                  enum bus_errc code, const char *cause) {
  turn_log(turn, BUS_WARN, msg, BUS_F_STR("queue", queue_of(turn, entry)), BUS_F_VIEW("type", entry->envelope.type),
           BUS_F_UUID("message_id", &entry->envelope.message_id),
           BUS_F_UUID(setup_correlation(turn->setup), &entry->envelope.correlation_id),
           BUS_F_TRACE(&entry->envelope.trace), BUS_F_INT("attempt", entry->envelope.attempt), more,
           BUS_F_STR("error", bus_error_name(code)), BUS_F_STR("cause", cause));
}
