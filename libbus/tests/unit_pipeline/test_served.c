/* Which deliveries are spans, whose parents they are, and what a transaction served. */
#include "entry.h"
#include "machine_rig.h"

#include <test.h>

static const uint8_t one[] = {1}, both[] = {1, 2};
static const uint8_t sender[8] = {7, 7}; /* the span that sent it */

static struct bus_trace sent_by(uint8_t flags) {
  struct bus_trace trace = {.trace_id = {4, 2}, .flags = flags};
  memcpy(trace.span_id, sender, sizeof sender);
  return trace;
}

/* The span of the usual message of that number. */
static struct bus_trace process_of(uint8_t id) {
  struct bus_trace trace = sent_by(1);
  const struct bus_delivery delivery = machine_delivery(1, id);
  bus_trace_process(&trace, &delivery.envelope.message_id, "things");
  return trace;
}

static void deliver(struct machine *machine, uint8_t id, uint8_t flags) {
  struct bus_delivery delivery = machine_delivery(id, id);
  delivery.envelope.trace = sent_by(flags);
  machine_deliver_as(machine, &delivery);
}

static struct machine *connected(void) {
  struct machine *machine = machine_new();
  machine_connect(machine);
  return machine;
}

static void assert_same_span(const struct bus_trace *trace, const struct bus_trace *expected) {
  assert_memory_equal(trace->trace_id, expected->trace_id, sizeof trace->trace_id);
  assert_memory_equal(trace->span_id, expected->span_id, sizeof trace->span_id);
}

TEST(a_delivery_of_a_sampled_trace_is_a_span_and_the_parent_of_what_it_causes)
{
  struct machine *machine = connected();
  struct bus_processed processed;
  struct bus_span_link served[2];
  const struct bus_trace expected = process_of(1);
  int64_t arrived = machine->now + 1;
  deliver(machine, 1, 1);
  machine_tick(machine, BUS_MILLISECOND);
  machine_done(machine, one, 1);
  machine_committed(machine);
  assert_same_span(&machine_action(machine, BUS_DO_PUBLISH, 0)->publish.publication.envelope->trace, &expected);
  assert_true(bus_pipeline_processed(machine_action(machine, BUS_DO_COUNT_MESSAGE, 0), &processed));
  assert_same_span(&processed.envelope->trace, &expected);
  assert_memory_equal(processed.parent_id, sender, sizeof sender);
  assert_int_equal(processed.queue, 0);
  assert_int_equal(processed.bundled, 0);
  assert_null(processed.cause);
  assert_true(machine_action(machine, BUS_DO_COUNT_MESSAGE, 0)->message.duration == machine->now - arrived);
  const struct bus_pipeline_action *batch = machine_action(machine, BUS_DO_COUNT_BATCH, 0);
  assert_int_equal(bus_pipeline_served(batch, served, 2), 1);
  assert_memory_equal(served[0].trace_id, expected.trace_id, 16);
  assert_memory_equal(served[0].span_id, expected.span_id, 8);
  assert_null(batch->batch.error);
  machine_free(machine);
}

TEST(a_delivery_of_a_trace_that_is_not_sampled_is_no_span)
{
  struct machine *machine = connected();
  struct bus_processed processed;
  deliver(machine, 1, 0);
  machine_deliver(machine, 2, 2); /* without a trace */
  machine_tick(machine, 0);
  machine_done(machine, both, 2);
  machine_committed(machine);
  for (size_t i = 0; i < 2; i++)
    assert_false(bus_pipeline_processed(machine_action(machine, BUS_DO_COUNT_MESSAGE, i), &processed));
  assert_int_equal(bus_pipeline_served(machine_action(machine, BUS_DO_COUNT_BATCH, 0), NULL, 0), 0);
  machine_free(machine);
}

TEST(a_transaction_serves_each_of_its_messages_but_duplicates)
{
  struct machine *machine = connected();
  struct bus_processed processed;
  struct bus_span_link served[1];
  deliver(machine, 1, 1);
  deliver(machine, 2, 1);
  machine_tick(machine, 0);
  machine_done(machine, both, 2);
  machine_committed(machine);
  assert_int_equal(bus_pipeline_served(machine_action(machine, BUS_DO_COUNT_BATCH, 0), served, 1), 2);
  machine_free(machine);
  machine = connected();
  deliver(machine, 1, 1);
  machine_tick(machine, 0);
  machine_done(machine, NULL, 0); /* the inbox had it */
  machine_committed(machine);
  const struct bus_pipeline_action *message = machine_action(machine, BUS_DO_COUNT_MESSAGE, 0);
  assert_int_equal(message->message.outcome, BUS_MESSAGE_DUPLICATE);
  assert_true(bus_pipeline_processed(message, &processed));
  assert_int_equal(bus_pipeline_served(machine_action(machine, BUS_DO_COUNT_BATCH, 0), served, 1), 0);
  machine_free(machine);
}

/* It was dropped. */
TEST(a_request_past_its_deadline_is_served_by_no_transaction)
{
  struct entry late = {.input.kind = BUS_INPUT_DELIVERY, .is_span = true}, *entries[] = {&late};
  struct bus_pipeline_action action = {.kind = BUS_DO_COUNT_BATCH};
  struct bus_span_link served[1];
  action.batch.entries = entries;
  action.batch.size = 1;
  assert_int_equal(bus_pipeline_served(&action, served, 1), 1);
  late.late = true;
  assert_int_equal(bus_pipeline_served(&action, served, 1), 0);
}

/* A body that cannot be decoded is dead-lettered with the bytes that came. */
TEST(a_message_that_is_held_goes_on_with_its_senders_span)
{
  struct machine *machine = connected();
  struct bus_processed processed;
  const struct bus_trace expected = sent_by(1);
  struct bus_delivery delivery = machine_delivery(1, 1);
  delivery.envelope.trace = expected;
  delivery.body = BUS_STR("{]");
  machine_deliver_as(machine, &delivery);
  machine_tick(machine, 0);
  machine_done(machine, NULL, 0);
  machine_committed(machine);
  const struct bus_pipeline_action *publish = machine_action(machine, BUS_DO_PUBLISH, 0);
  assert_int_equal(publish->publish.kind, BUS_SENT_HELD);
  assert_same_span(&publish->publish.publication.envelope->trace, &expected);
  assert_true(bus_pipeline_processed(machine_action(machine, BUS_DO_COUNT_MESSAGE, 0), &processed));
  assert_int_equal(processed.cause->code, BUS_E_DECODE);
  machine_free(machine);
}

TEST(an_attempt_that_failed_served_its_messages_and_says_why)
{
  struct machine *machine = connected();
  struct bus_span_link served[1];
  deliver(machine, 1, 1);
  machine_tick(machine, 0);
  machine_failed(machine, BUS_E_DB_CONFLICT, true, false);
  const struct bus_pipeline_action *batch = machine_action(machine, BUS_DO_COUNT_BATCH, 0);
  assert_int_equal(bus_pipeline_served(batch, served, 1), 1);
  assert_int_equal(batch->batch.error->code, BUS_E_DB_CONFLICT);
  machine_free(machine);
}

/* An event that a completed call has sent. */
static struct bus_effect sent_for(const struct bus_input *call, uint8_t span, uint8_t flags, struct bus_effect *next) {
  struct bus_effect effect = {.kind = BUS_EFFECT_EMIT, .cause = call, .next = next};
  effect.envelope.trace = sent_by(flags);
  effect.envelope.trace.span_id[0] = span;
  return effect;
}

TEST(messages_of_one_call_in_a_row_are_one_link)
{
  const struct bus_input call = {.kind = BUS_INPUT_COMPLETION};
  struct bus_effect other = sent_for(&call, 2, 1, NULL), second = sent_for(&call, 1, 1, &other);
  struct bus_effect first = sent_for(&call, 1, 1, &second), unsampled = sent_for(&call, 3, 0, &first);
  struct bus_effect of_nobody = sent_for(NULL, 4, 1, &unsampled);
  struct bus_pipeline_action action = {.kind = BUS_DO_COUNT_BATCH};
  struct bus_span_link served[4];
  action.batch.effects = &of_nobody;
  assert_int_equal(bus_pipeline_served(&action, served, 4), 2);
  assert_int_equal(served[0].span_id[0], 1);
  assert_int_equal(served[1].span_id[0], 2);
}
