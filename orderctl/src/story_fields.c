/* Encodes only: bounds say what the databases hold at most, and are not checked again. */
#include "story_fields.h"

enum { WORD = 64, LINE = 512, TEXT = 4096, MANY = 100000 };

#define NAME(S, member, ...) BUS_FIELD_STRING(S, member, BUS_TEXT, 0, WORD, BUS_OPTIONAL, __VA_ARGS__)
#define SENTENCE(S, member, ...) BUS_FIELD_STRING(S, member, BUS_TEXT, 0, TEXT, BUS_OPTIONAL, __VA_ARGS__)
#define NUMBER(S, member, ...) BUS_FIELD_INT64(S, member, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL, __VA_ARGS__)
#define TIME(S, member, ...) BUS_FIELD_OF(S, member, bus_time, BUS_KIND_TIME, BUS_OPTIONAL, .description = __VA_ARGS__)
#define YES(S, member, ...) BUS_FIELD_BOOL(S, member, BUS_REQUIRED, __VA_ARGS__)
#define ID(S, member, ...) BUS_FIELD_UUID(S, member, BUS_OPTIONAL, __VA_ARGS__)
#define PLACE(S) BUS_FIELD_ENUM(S, place, story_place_names, BUS_REQUIRED, "whose database")
#define LIST(member, count, T)                                                                                         \
  BUS_FIELD_ARRAY(struct story, member, count, struct T, &T##_schema, 0, MANY, BUS_REQUIRED, #member)

static const struct bus_field sentence_fields[] = {
    BUS_FIELD_ENUM(struct story_sentence, code, story_code_names, BUS_REQUIRED, "kind of the sentence"),
    SENTENCE(struct story_sentence, text, "what the order waits for"),
    SENTENCE(struct story_sentence, action, "what to do; empty: nothing"),
};

const struct bus_schema story_sentence_schema = BUS_SCHEMA("story_sentence", struct story_sentence, sentence_fields);

static const struct bus_field source_fields[] = {
    PLACE(struct story_source),
    SENTENCE(struct story_source, problem, "why it was not read"),
};

static const struct bus_field order_fields[] = {
    NAME(struct story_order, status, "status"),
    SENTENCE(struct story_order, reason, "why; of a customer's cancel the word customer alone"),
    NUMBER(struct story_order, total, "minor units"),
    NAME(struct story_order, currency, "currency"),
    NUMBER(struct story_order, captured, "minor units"),
    NUMBER(struct story_order, refunded, "minor units"),
    YES(struct story_order, stock_settled, "nothing is asked of inventory-svc"),
    YES(struct story_order, payment_settled, "nothing is asked of payment-svc"),
    YES(struct story_order, pay_later, "paid later"),
    NUMBER(struct story_order, attempts, "attempts to pay later"),
    NUMBER(struct story_order, version, "number of its last event"),
    NUMBER(struct story_order, resends, "commands sent again"),
    TIME(struct story_order, created_at, "created"),
    TIME(struct story_order, updated_at, "changed"),
    TIME(struct story_order, deadline, "deadline"),
    ID(struct story_order, causation_id, "the order.place"),
};
const struct bus_schema story_order_schema = BUS_SCHEMA("story_order", struct story_order, order_fields);

static const struct bus_field event_fields[] = {
    NUMBER(struct story_event, seq, "number"),
    NAME(struct story_event, type, "type"),
    TIME(struct story_event, at, "time"),
};
const struct bus_schema story_event_schema = BUS_SCHEMA("story_event", struct story_event, event_fields);

static const struct bus_field reservation_fields[] = {
    NAME(struct story_reservation, state, "state"),
    NAME(struct story_reservation, reason, "why it was rejected"),
    TIME(struct story_reservation, created_at, "created"),
    TIME(struct story_reservation, updated_at, "changed"),
    TIME(struct story_reservation, expected_until, "when inventory-svc asks about it"),
};
const struct bus_schema story_reservation_schema =
    BUS_SCHEMA("story_reservation", struct story_reservation, reservation_fields);

static const struct bus_field payment_fields[] = {
    NUMBER(struct story_payment, pay_attempt, "0, or number of an attempt to pay later"),
    NAME(struct story_payment, state, "state"),
    NAME(struct story_payment, reason, "why it was refused"),
    NUMBER(struct story_payment, amount, "minor units"),
    NAME(struct story_payment, currency, "currency"),
    NUMBER(struct story_payment, refunds, "number of the last refund's key"),
    YES(struct story_payment, refund_requested, "order-svc wants it back"),
    NUMBER(struct story_payment, attempts, "calls of the provider with the key in use"),
    TIME(struct story_payment, first_attempt_at, "first call with the key in use"),
    TIME(struct story_payment, next_attempt_at, "next call"),
    NAME(struct story_payment, psp_id, "the provider's id"),
    TIME(struct story_payment, created_at, "created"),
    TIME(struct story_payment, updated_at, "changed"),
    ID(struct story_payment, causation_id, "the last command"),
};
const struct bus_schema story_payment_schema = BUS_SCHEMA("story_payment", struct story_payment, payment_fields);

static const struct bus_field movement_fields[] = {
    NAME(struct story_movement, entry, "captured or refunded"),
    NUMBER(struct story_movement, refund, "number of the refund's key"),
    NUMBER(struct story_movement, amount, "minor units"),
    NAME(struct story_movement, currency, "currency"),
    NAME(struct story_movement, psp_id, "the provider's id"),
    TIME(struct story_movement, at, "time"),
};
const struct bus_schema story_movement_schema = BUS_SCHEMA("story_movement", struct story_movement, movement_fields);

static const struct bus_field refund_fields[] = {
    ID(struct story_refund, refund_id, "id"),           NUMBER(struct story_refund, number, "number"),
    NAME(struct story_refund, state, "state"),          NUMBER(struct story_refund, amount, "minor units"),
    TIME(struct story_refund, created_at, "asked for"), TIME(struct story_refund, updated_at, "changed"),
};
const struct bus_schema story_refund_schema = BUS_SCHEMA("story_refund", struct story_refund, refund_fields);

static const struct bus_field taken_fields[] = {
    PLACE(struct story_taken),
    ID(struct story_taken, message_id, "message"),
    NAME(struct story_taken, type, "type"),
    TIME(struct story_taken, received_at, "committed"),
};
const struct bus_schema story_taken_schema = BUS_SCHEMA("story_taken", struct story_taken, taken_fields);

static const struct bus_field outgoing_fields[] = {
    PLACE(struct story_outgoing),
    ID(struct story_outgoing, message_id, "message"),
    NAME(struct story_outgoing, type, "type"),
    ID(struct story_outgoing, causation_id, "the message that caused it"),
    YES(struct story_outgoing, unroutable, "no queue takes it"),
    NUMBER(struct story_outgoing, attempts, "sent again"),
    NUMBER(struct story_outgoing, messages, "messages in its row"),
    TIME(struct story_outgoing, created_at, "created"),
    TIME(struct story_outgoing, next_attempt_at, "next publication"),
};
const struct bus_schema story_outgoing_schema = BUS_SCHEMA("story_outgoing", struct story_outgoing, outgoing_fields);

static const struct bus_field parked_fields[] = {
    PLACE(struct story_parked),
    ID(struct story_parked, message_id, "message"),
    NAME(struct story_parked, queue, "work queue"),
    NAME(struct story_parked, type, "type"),
    NUMBER(struct story_parked, attempt, "attempt"),
    NAME(struct story_parked, cause_class, "error"),
    SENTENCE(struct story_parked, cause, "cause"),
    SENTENCE(struct story_parked, history, "failed tries, a line each"),
    NAME(struct story_parked, version, "version that gave it up"),
    TIME(struct story_parked, parked_at, "time"),
};
const struct bus_schema story_parked_schema = BUS_SCHEMA("story_parked", struct story_parked, parked_fields);

static const struct bus_field dead_fields[] = {
    NAME(struct story_dead, queue, "work queue"),
    ID(struct story_dead, message_id, "message"),
    NAME(struct story_dead, type, "type"),
    ID(struct story_dead, causation_id, "the message that caused it"),
    NUMBER(struct story_dead, attempt, "attempt"),
    NAME(struct story_dead, error, "error"),
    SENTENCE(struct story_dead, cause, "cause"),
    SENTENCE(struct story_dead, history, "failed tries, a line each"),
    YES(struct story_dead, bundle, "a bundle, the order's message among others"),
    YES(struct story_dead, forged, "its sender may not send it"),
    TIME(struct story_dead, at, "time"),
};
static const struct bus_schema story_dead_schema = BUS_SCHEMA("story_dead", struct story_dead, dead_fields);

static const struct bus_field queue_fields[] = {
    NAME(struct story_queue, name, "queue"),
    NAME(struct story_queue, service, "its reader"),
    NUMBER(struct story_queue, ready, "messages of all orders"),
    NUMBER(struct story_queue, consumers, "consumers"),
    NUMBER(struct story_queue, retrying, "messages in its retry tiers"),
    NAME(struct story_queue, tier, "the longest tier with messages"),
    NUMBER(struct story_queue, dead, "messages in its dead queue"),
};
static const struct bus_schema story_queue_schema = BUS_SCHEMA("story_queue", struct story_queue, queue_fields);

static const struct bus_field step_fields[] = {
    TIME(struct story_step, at, "time"),
    NAME(struct story_step, place, "where"),
    SENTENCE(struct story_step, what, "what"),
    NUMBER(struct story_step, after, "microseconds after the step before"),
};
static const struct bus_schema story_step_schema = BUS_SCHEMA("story_step", struct story_step, step_fields);

static const struct bus_field story_fields[] = {
    BUS_FIELD_UUID(struct story, order_id, BUS_REQUIRED, "the order"),
    TIME(struct story, now, "time of the orders database, or of this machine"),
    BUS_FIELD_OBJECT(struct story, order, struct story_order, &story_order_schema, BUS_OPTIONAL, "the order"),
    TIME(struct story, cancel_first_at, "a cancel that came before the order"),
    BUS_FIELD_OBJECT(struct story, reservation, struct story_reservation, &story_reservation_schema, BUS_OPTIONAL,
                     "its stock"),
    LIST(steps, step_count, story_step),
    LIST(events, event_count, story_event),
    LIST(payments, payment_count, story_payment),
    LIST(movements, movement_count, story_movement),
    LIST(refunds, refund_count, story_refund),
    LIST(taken, taken_count, story_taken),
    LIST(outgoing, outgoing_count, story_outgoing),
    LIST(parked, parked_count, story_parked),
    LIST(dead, dead_count, story_dead),
    LIST(queues, queue_count, story_queue),
};
static const struct bus_schema story_schema = BUS_SCHEMA("story", struct story, story_fields);

static const struct bus_field document_fields[] = {
    BUS_FIELD_OBJECT(struct story_document, verdict, struct story_sentence, &story_sentence_schema, BUS_REQUIRED,
                     "the sentence"),
    BUS_FIELD_ARRAY(struct story_document, sources, source_count, struct story_source,
                    BUS_TABLE(struct story_source, source_fields), STORY_PLACES, STORY_PLACES, BUS_REQUIRED,
                    "what was read"),
    BUS_FIELD_EMBED(struct story_document, story, struct story, &story_schema),
};
const struct bus_schema story_document_schema = BUS_SCHEMA("story_document", struct story_document, document_fields);

void story_document_of(const struct story *story, struct story_document *ret) {
  *ret = (struct story_document){.story = *story};
  ret->sentence = (struct story_sentence){.code = ret->story.verdict.code,
                                          .text = bus_str(ret->story.verdict.text),
                                          .action = bus_str(ret->story.verdict.action)};
  ret->verdict = &ret->sentence;
  ret->sources = ret->story.sources;
  ret->source_count = STORY_PLACES;
}
