/* The spans that a worker records of messages and transactions, attribute by attribute. */
#include "machine_rig.h"
#include "worker_rig.h"

#include <test.h>

enum { SPANS = 32 };

static const uint8_t one[] = {1}, both[] = {1, 2};
static struct machine *machine;
static struct bus_worker *worker;
static struct bus_tracer *tracer;
static struct bus_span spans[SPANS];

static void begin(bool traced) {
  const struct bus_tracer_settings settings = {.room = SPANS, .batch = SPANS, .sample_ppm = 1000000};
  assert_true(bus_tracer_new(&settings, &tracer, NULL));
  machine = machine_new();
  worker = worker_rig_new(machine_service(), traced ? tracer : NULL);
  machine_connect(machine);
}

/* Returns how many spans were recorded. */
static size_t end(void) {
  bus_tracer_close(tracer);
  size_t count = bus_tracer_take(tracer, spans);
  worker_rig_free(worker);
  machine_free(machine);
  bus_tracer_free(tracer);
  return count;
}

static void deliver(uint8_t id, int64_t attempt, bool redelivered, const char *body) {
  struct bus_delivery delivery = machine_delivery(id, id);
  delivery.envelope.trace = (struct bus_trace){.trace_id = {4, 2}, .span_id = {7, 7}, .flags = 1};
  delivery.envelope.correlation_id = (struct bus_uuid){{9}};
  delivery.envelope.attempt = attempt;
  delivery.envelope.redelivered = redelivered;
  if (body)
    delivery.body = bus_str(body);
  machine_deliver_as(machine, &delivery);
}

static void commit(const uint8_t *fresh, size_t count) {
  machine_tick(machine, 0);
  machine->now += BUS_MILLISECOND;
  machine_done(machine, fresh, count);
  machine_committed(machine);
  worker_rig_record(worker, &machine->actions);
}

static const struct bus_span_attribute *attribute(const struct bus_span *span, const char *key) {
  for (size_t i = 0; i < span->attribute_count; i++)
    if (strcmp(span->attributes[i].key, key) == 0)
      return &span->attributes[i];
  return NULL;
}

static void assert_text(const struct bus_span *span, const char *key, const char *text) {
  const struct bus_span_attribute *found = attribute(span, key);
  if (!found || !bus_str_is((struct bus_str){span->text + found->at, found->len}, text))
    fail_msg("%s is not %s", key, text);
}

static void assert_named(const struct bus_span *span, const char *name, enum bus_span_kind kind) {
  assert_true(bus_str_is((struct bus_str){span->name, span->name_len}, name));
  assert_int_equal(span->kind, kind);
  assert_true(span->began < span->ended && span->ended - span->began < BUS_HOUR);
}

/* The transaction is counted first. A connection whose first message is redelivered would try it alone. */
TEST(a_message_and_its_transaction_are_spans)
{
  begin(true);
  deliver(1, 0, false, NULL);
  deliver(2, 2, true, NULL);
  commit(both, 2);
  assert_int_equal(end(), 3);
  const struct bus_span *transaction = &spans[0], *first = &spans[1], *message = &spans[2];
  assert_named(message, "process thing.do.v1", BUS_SPAN_CONSUMER);
  static const uint8_t sender[8] = {7, 7};
  assert_memory_equal(message->parent_id, sender, sizeof sender);
  assert_text(message, "messaging.system", "rabbitmq");
  assert_text(message, "messaging.operation.type", "process");
  assert_text(message, "messaging.destination.name", "things");
  assert_text(message, "messaging.message.id", "01020000-0000-0000-0000-000000000000");
  assert_text(message, "order_id", "09000000-0000-0000-0000-000000000000");
  assert_text(message, "bus.outcome", "done");
  assert_int_equal(attribute(message, "bus.attempt")->number, 2);
  assert_int_equal(attribute(message, "bus.redelivered")->number, 1);
  assert_null(attribute(message, "messaging.batch.message_count"));
  assert_int_equal(message->status, BUS_SPAN_UNSET);
  assert_named(transaction, "transaction things", BUS_SPAN_CLIENT);
  assert_memory_equal(transaction->parent_id, first->span_id, 8);
  assert_null(attribute(first, "bus.attempt"));
  assert_null(attribute(first, "bus.redelivered"));
  assert_memory_equal(transaction->trace_id, message->trace_id, 16);
  assert_text(transaction, "db.system.name", "postgresql");
  assert_text(transaction, "db.namespace", "things");
  assert_text(transaction, "db.operation.name", "transaction");
  assert_int_equal(attribute(transaction, "db.operation.batch.size")->number, 2);
  assert_int_equal(transaction->link_count, 1);
  assert_int_equal(message->dropped_attributes + transaction->dropped_attributes, 0);
}

TEST(a_transaction_links_to_the_others_that_it_served)
{
  enum { COUNT = 12 };
  uint8_t ids[COUNT];
  begin(true);
  for (int i = 0; i < COUNT; i++) {
    ids[i] = (uint8_t)(i + 1);
    deliver(ids[i], 0, false, NULL);
  }
  commit(ids, COUNT);
  assert_int_equal(end(), 1 + COUNT);
  assert_memory_equal(spans[0].parent_id, spans[1].span_id, 8);
  assert_int_equal(spans[0].link_count, BUS_SPAN_LINKS_MAX);
  assert_int_equal(spans[0].dropped_links, COUNT - 1 - BUS_SPAN_LINKS_MAX);
  for (size_t i = 0; i < BUS_SPAN_LINKS_MAX; i++)
    assert_memory_equal(spans[0].links[i].span_id, spans[2 + i].span_id, 8);
}

TEST(a_duplicate_and_a_dead_letter_have_ids_of_their_own)
{
  struct bus_trace done = {.flags = 1};
  const struct bus_delivery delivery = machine_delivery(1, 1);
  begin(true);
  deliver(1, 0, false, NULL);
  commit(NULL, 0);
  bus_trace_process(&done, &delivery.envelope.message_id, "things");
  assert_int_equal(end(), 1); /* the transaction served nobody */
  assert_text(&spans[0], "bus.outcome", "duplicate");
  assert_memory_not_equal(spans[0].span_id, done.span_id, 8);
  assert_int_equal(spans[0].status, BUS_SPAN_UNSET);
  begin(true);
  deliver(1, 0, false, "{]");
  commit(NULL, 0);
  assert_int_equal(end(), 1);
  assert_text(&spans[0], "bus.outcome", "parked");
  assert_text(&spans[0], "error.type", "BUS_E_DECODE");
  assert_int_equal(spans[0].status, BUS_SPAN_ERROR);
  assert_memory_not_equal(spans[0].span_id, done.span_id, 8);
}

TEST(a_transaction_that_failed_says_why)
{
  begin(true);
  deliver(1, 0, false, NULL);
  machine_tick(machine, 0);
  machine_failed(machine, BUS_E_DB_CONFLICT, true, false);
  worker_rig_record(worker, &machine->actions);
  assert_int_equal(end(), 1);
  assert_named(&spans[0], "transaction things", BUS_SPAN_CLIENT);
  assert_text(&spans[0], "error.type", "BUS_E_DB_CONFLICT");
  begin(true);
  deliver(1, 0, false, NULL);
  machine_tick(machine, 0);
  machine->failure = "SQLSTATE 40001: could not serialize access";
  machine_failed(machine, BUS_E_DB_CONFLICT, true, false);
  worker_rig_record(worker, &machine->actions);
  assert_int_equal(end(), 1);
  assert_text(&spans[0], "error.type", "40001");
}

TEST(a_worker_without_a_tracer_records_nothing)
{
  begin(false);
  deliver(1, 0, false, NULL);
  commit(one, 1);
  assert_int_equal(end(), 0);
}
