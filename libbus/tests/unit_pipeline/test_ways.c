/* A driver or a setting chooses another way through the machine: a pooler, a delay, a pause, many bundles, notices. */
#include "machine.h"
#include "machine_rig.h"

#include <test.h>

enum { OTHER_QUEUE = 9, FEW = 16, USUAL = 400, MANY = 12 };

static struct machine *connected(void) {
  struct machine *machine = machine_new();
  machine_connect(machine);
  return machine;
}

static struct machine *first_trip(void) {
  struct machine *machine = connected();
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  machine_expect_trip(machine, BUS_TRIP_1);
  return machine;
}

static const uint8_t first[] = {1};

/* ---- settings and links ---- */

TEST(behind_a_pooler_each_transaction_sets_its_session)
{
  struct machine *machine = machine_new();
  machine_tick(machine, 0);
  struct bus_pipeline_event up = {.kind = BUS_ON_DATABASE_UP};
  up.database.pooled = true;
  machine_step(machine, up);
  machine_tick(machine, 0);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_UP});
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  machine_expect_trip(machine, BUS_TRIP_1);
  assert_int_equal(machine->inbox_at, 2); /* BEGIN and the settings stand before it */
  machine_free(machine);
}

TEST(each_batch_waits_for_the_delay_that_is_set)
{
  struct machine *machine = connected();
  machine->settings.latency_ms = 50;
  for (uint8_t id = 1; id <= 2; id++) {
    machine_tick(machine, 0);
    machine_expect_phase(machine, "idle"); /* nothing has come */
    machine_deliver(machine, id, id);
    machine_tick(machine, 0);
    machine_expect_phase(machine, "gathering");
    machine_tick(machine, 40 * BUS_MILLISECOND);
    assert_null(machine_action(machine, BUS_DO_TRIP, 0));
    machine_tick(machine, 10 * BUS_MILLISECOND);
    machine_expect_trip(machine, BUS_TRIP_1);
    machine_done(machine, &id, 1);
    machine_committed(machine);
  }
  machine_free(machine);
}

TEST(a_paused_queue_is_left_and_read_again)
{
  struct machine *machine = connected();
  bus_pipeline_pause(machine->pipeline, OTHER_QUEUE, true); /* there is none of that number */
  machine_tick(machine, 0);
  assert_int_equal(machine->actions.count, 0);
  bus_pipeline_pause(machine->pipeline, 0, true);
  machine_tick(machine, 0);
  assert_non_null(machine_action(machine, BUS_DO_CANCEL, 0));
  bus_pipeline_pause(machine->pipeline, 0, false);
  machine_tick(machine, 0);
  assert_non_null(machine_action(machine, BUS_DO_CONSUME, 0));
  machine_free(machine);
}

/* Eleven seconds later: whether it consumes. Trips of periodics are answered. */
static const struct bus_pipeline_action *quiet_tick(struct machine *machine) {
  static struct bus_pipeline_action consume;
  machine_tick(machine, 11 * BUS_SECOND);
  const struct bus_pipeline_action *found = machine_action(machine, BUS_DO_CONSUME, 0);
  if (found)
    consume = *found;
  if (machine_action(machine, BUS_DO_TRIP, 0)) {
    machine_done(machine, NULL, 0);
    machine_committed(machine);
  }
  return found ? &consume : NULL;
}

/* basic.qos counts deliveries: with many messages in each, few of them are enough. */
TEST(many_messages_in_a_delivery_change_the_prefetch_at_most_once_a_minute)
{
  uint8_t ids[MANY];
  for (size_t i = 0; i < MANY; i++)
    ids[i] = (uint8_t)(i + 1);
  struct machine *machine = connected();
  machine_deliver_bundle(machine, 1, ids, MANY);
  machine_tick(machine, 0);
  assert_non_null(machine_action(machine, BUS_DO_CANCEL, 0));
  assert_int_equal(machine_action(machine, BUS_DO_CONSUME, 0)->consume.prefetch, FEW);
  machine_done(machine, ids, MANY);
  machine_committed(machine);
  for (int i = 0; i < 5; i++)
    assert_null(quiet_tick(machine));
  bus_pipeline_pause(machine->pipeline, 0, true); /* it is not read now, and not because of a change */
  assert_null(quiet_tick(machine));
  bus_pipeline_pause(machine->pipeline, 0, false);
  assert_int_equal(quiet_tick(machine)->consume.prefetch, USUAL);
  machine_free(machine);
}

TEST(a_delivery_without_room_among_the_open_ones_ends_the_connection)
{
  struct machine *machine = connected();
  machine_deliver(machine, 1 << 20, 1);
  assert_non_null(machine_action(machine, BUS_DO_CLOSE_BROKER, 0));
  machine_free(machine);
}

/* ---- notices ---- */

static const struct bus_pipeline_action *notify(struct machine *machine) {
  static const struct bus_envelope envelope = {.type = {"thing.changed.v1", 16}};
  const struct bus_publication notice = {.exchange = BUS_EXCHANGE_EVENT, .envelope = &envelope, .transient = true};
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_NOTICE, .notice = &notice});
  return machine_action(machine, BUS_DO_PUBLISH, 0);
}

TEST(a_notice_is_sent_at_once_or_never)
{
  struct machine *machine = machine_new();
  assert_null(notify(machine)); /* no broker yet */
  machine_connect(machine);
  assert_non_null(notify(machine));
  assert_non_null(machine_action(machine, BUS_DO_FLUSH, 0));
  struct bus_pipeline_event blocked = {.kind = BUS_ON_BLOCKED};
  blocked.blocked = true;
  machine_step(machine, blocked);
  assert_null(notify(machine));
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_BLOCKED});
  machine->pipeline->window.most = 1; /* the one that is not confirmed */
  assert_null(notify(machine));
  machine_free(machine);
}

/* ---- confirms ---- */

static const uint8_t both[] = {1, 2};

TEST(confirms_of_nothing_are_ignored)
{
  struct machine *machine = first_trip();
  machine_done(machine, first, 1);
  machine_committed(machine);
  struct bus_pipeline_event beyond = {.kind = BUS_ON_CONFIRM};
  beyond.confirm.seq = 99;
  beyond.confirm.ack = true;
  machine_step(machine, beyond);
  assert_int_equal(bus_pipeline_unconfirmed(machine->pipeline), 1);
  beyond.confirm.multiple = true;
  machine_step(machine, beyond);
  machine_confirm(machine, 1, true); /* again */
  assert_int_equal(bus_pipeline_unconfirmed(machine->pipeline), 0);
  assert_int_equal(machine->actions.counts[BUS_COUNT_CONFIRMED], 0);
  machine_free(machine);
}

TEST(confirms_and_nacks_are_counted)
{
  struct machine *machine = first_trip();
  machine_done(machine, first, 1);
  machine_committed(machine);
  machine_confirm(machine, 1, true);
  assert_int_equal(machine->actions.counts[BUS_COUNT_CONFIRMED], 1);
  assert_int_equal(machine->actions.counts[BUS_COUNT_NACKED], 0);
  machine_deliver(machine, 2, 2);
  machine_tick(machine, 0);
  machine_done(machine, (const uint8_t[]){2}, 1);
  machine_committed(machine);
  machine_confirm(machine, 2, false);
  assert_int_equal(machine->actions.counts[BUS_COUNT_CONFIRMED], 0);
  assert_int_equal(machine->actions.counts[BUS_COUNT_NACKED], 1);
  machine_free(machine);
}

TEST(a_confirm_of_several_counts_those_that_were_open)
{
  static const uint8_t three[] = {1, 2, 3};
  struct machine *machine = connected();
  machine->settings.bundle_max = 1;
  for (uint8_t id = 1; id <= 3; id++)
    machine_deliver(machine, id, id);
  machine_tick(machine, 0);
  machine_done(machine, three, 3);
  machine_committed(machine);
  machine_confirm(machine, 2, true);
  assert_int_equal(machine->actions.counts[BUS_COUNT_CONFIRMED], 1);
  struct bus_pipeline_event all = {.kind = BUS_ON_CONFIRM};
  all.confirm.seq = 3;
  all.confirm.ack = all.confirm.multiple = true;
  machine_step(machine, all);
  assert_int_equal(machine->actions.counts[BUS_COUNT_CONFIRMED], 2);
  assert_int_equal(bus_pipeline_unconfirmed(machine->pipeline), 0);
  machine_free(machine);
}

/* Two events that do not travel together, and room for one. */
static struct machine *without_room(void) {
  struct machine *machine = connected();
  machine->settings.bundle_max = 1;
  machine->pipeline->window.most = 1;
  machine_deliver(machine, 1, 1);
  machine_deliver(machine, 2, 2);
  machine_tick(machine, 0);
  machine_done(machine, both, 2);
  machine_committed(machine);
  machine_expect_phase(machine, "publishing");
  assert_non_null(machine_action(machine, BUS_DO_PUBLISH, 0));
  assert_null(machine_action(machine, BUS_DO_PUBLISH, 1));
  return machine;
}

TEST(a_commit_is_published_as_confirms_make_room)
{
  struct machine *machine = without_room();
  machine_tick(machine, 0);
  assert_null(machine_action(machine, BUS_DO_PUBLISH, 0));
  machine_confirm(machine, 1, true);
  machine_tick(machine, 0);
  assert_int_equal(machine_action(machine, BUS_DO_PUBLISH, 0)->publish.seq, 2);
  machine_free(machine);
}

TEST(a_broker_that_confirms_nothing_for_long_is_left)
{
  struct machine *machine = without_room();
  machine_tick(machine, 4 * BUS_SECOND);
  assert_null(machine_action(machine, BUS_DO_CLOSE_BROKER, 0));
  machine_tick(machine, BUS_SECOND);
  assert_non_null(machine_action(machine, BUS_DO_CLOSE_BROKER, 0));
  machine_free(machine);
}

/* ---- a message of a bundle alone ---- */

/* The first one finds no memory and is retried; the second is done. The delivery waits for both. */
TEST(a_bundle_is_acked_once_the_retry_of_one_of_its_messages_is_confirmed)
{
  static const uint8_t second[] = {2};
  struct machine *machine = connected();
  machine->fails = true;
  machine_deliver_bundle(machine, 1, both, 2);
  machine_tick(machine, 0);
  machine_done(machine, second, 1);
  machine_committed(machine);
  const struct bus_pipeline_action *event = machine_action(machine, BUS_DO_PUBLISH, 0);
  const struct bus_pipeline_action *retry = machine_action(machine, BUS_DO_PUBLISH, 1);
  assert_true(event && retry);
  assert_int_equal(event->publish.kind, BUS_SENT_OUTBOX);
  assert_int_equal(retry->publish.kind, BUS_SENT_HELD);
  assert_int_equal(retry->publish.publication.exchange, BUS_EXCHANGE_RETRY);
  assert_false(retry->publish.publication.envelope->bundle);
  uint64_t seq = retry->publish.seq;
  machine_tick(machine, 50 * BUS_MILLISECOND);
  assert_null(machine_action(machine, BUS_DO_ACK, 0));
  machine_confirm(machine, seq, true);
  machine_tick(machine, 0);
  assert_int_equal(machine_action(machine, BUS_DO_ACK, 0)->tag, 1);
  machine_free(machine);
}

TEST(a_bundle_of_one_is_a_message)
{
  struct machine *machine = connected();
  machine_deliver_bundle(machine, 1, first, 1);
  machine_tick(machine, 0);
  machine_done(machine, first, 1);
  machine_committed(machine);
  assert_int_equal(machine_action(machine, BUS_DO_COUNT_MESSAGE, 0)->message.outcome, BUS_MESSAGE_DONE);
  machine_tick(machine, 95 * BUS_MILLISECOND);
  assert_int_equal(machine_action(machine, BUS_DO_ACK, 0)->tag, 1);
  machine_free(machine);
}

/* ---- lost links ---- */

/* Behind a pooler the session may stand although nothing of it is left: it is closed, too. */
TEST(a_connection_that_is_lost_behind_a_pooler_is_closed_and_the_batch_tried_again)
{
  struct machine *machine = first_trip();
  machine_failed(machine, BUS_E_DB_CONNECTION, false, false);
  assert_non_null(machine_action(machine, BUS_DO_CLOSE_DATABASE, 0));
  machine_expect_phase(machine, "recovering");
  machine_tick(machine, 10 * BUS_SECOND);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_DATABASE_UP});
  machine_tick(machine, 0);
  machine_expect_trip(machine, BUS_TRIP_1);
  machine_free(machine);
}

/* The broker brings it again: nothing of it is published, or acked. */
TEST(a_guilty_message_of_a_lost_connection_is_left_to_the_broker)
{
  static const struct bus_error gone = {BUS_E_AMQP_CONNECTION, "gone"};
  struct machine *machine = first_trip();
  machine_failed(machine, BUS_E_DB_OTHER, true, false);
  machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_DOWN, .error = &gone});
  machine_done(machine, NULL, 0);
  assert_null(machine_action(machine, BUS_DO_PUBLISH, 0));
  assert_null(machine_action(machine, BUS_DO_ACK, 0));
  assert_int_equal(machine->pipeline->holds.count, 0);
  machine_free(machine);
}

/* The hosts are the broker's. */
TEST(a_lost_broker_is_opened_at_its_next_host_and_a_lost_database_changes_none)
{
  static const struct bus_error gone = {BUS_E_AMQP_CONNECTION, "gone"};
  struct machine *machine = first_trip();
  machine->pipeline->links.hosts.hosts = 3;
  machine_failed(machine, BUS_E_DB_CONNECTION, false, true);
  assert_int_equal(machine->pipeline->links.hosts.host, 0);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_DOWN, .error = &gone});
  machine_tick(machine, 10 * BUS_SECOND); /* the batch is left to the broker */
  machine_tick(machine, 0);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_DATABASE_UP});
  machine_tick(machine, 0);
  const struct bus_pipeline_action *open = machine_action(machine, BUS_DO_OPEN_BROKER, 0);
  assert_non_null(open);
  assert_int_equal(open->host, 1);
  machine_free(machine);
}

TEST(a_stop_without_links_ends_at_once)
{
  struct machine *machine = machine_new();
  machine_tick(machine, 0);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_STOP});
  machine_tick(machine, 0);
  machine_expect_phase(machine, "stopped");
  assert_non_null(machine_action(machine, BUS_DO_STOPPED, 0));
  machine_free(machine);
}

/* ---- riders ---- */

static void fail_last_statement(struct machine *machine, bool dead) {
  const struct bus_trip_result trip = {.error = {BUS_E_DB_OTHER, "as the test wants it"},
                                       .tag = "",
                                       .failed_at = (long)machine->statements - 1,
                                       .in_transaction = !dead,
                                       .dead = dead};
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_TRIP_FAILED, .trip = &trip});
}

/* The third time a batch goes without them, and none of its messages is blamed. */
TEST(a_batch_sheds_riders_that_fail)
{
  enum { OWN = 3 /* BEGIN, the inbox, the service's */ };
  struct machine *machine = connected();
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 11 * BUS_SECOND);
  machine_expect_trip(machine, BUS_TRIP_1);
  for (int failed = 0; failed < 3; failed++) {
    assert_true(machine->statements > OWN);
    fail_last_statement(machine, false);
    machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
    machine_done(machine, NULL, 0);
    machine_expect_trip(machine, BUS_TRIP_1);
  }
  assert_int_equal(machine->statements, OWN);
  machine_done(machine, first, 1);
  machine_committed(machine);
  assert_int_equal(machine_action(machine, BUS_DO_COUNT_MESSAGE, 0)->message.outcome, BUS_MESSAGE_DONE);
  machine_free(machine);
}

TEST(housekeeping_that_fails_with_its_session_waits)
{
  struct machine *machine = connected();
  machine_tick(machine, 11 * BUS_SECOND);
  machine_expect_trip(machine, BUS_TRIP_1);
  fail_last_statement(machine, true);
  assert_null(machine_action(machine, BUS_DO_TRIP, 0));
  assert_non_null(machine_action(machine, BUS_DO_CLOSE_DATABASE, 0));
  machine_free(machine);
}
