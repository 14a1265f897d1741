/* A link goes away, sessions die or the worker is stopped while a batch is under way. */
#include "machine.h"
#include "machine_rig.h"

#include <test.h>

#include "blame.h"

#define REFUSED BUS_STR("{\"n\":1000}")

static const struct bus_error gone = {BUS_E_AMQP_CONNECTION, "gone"};
static const uint8_t first[] = {1};

/* The pipeline asks its service and its topology through the setup, which it keeps a copy of. */
static struct bus_service altered;
static struct bus_topology short_topology;

static bool load_what_is_there(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)model, (void)rows, (void)count, (void)err;
  return true;
}

static void decide_nothing(void *model, const struct bus_input *input, struct bus_effects *effects) {
  (void)model, (void)input, (void)effects;
}

/* A batch of one message has begun. */
static struct machine *trying(struct machine *machine) {
  machine_connect(machine);
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  return machine;
}

static void roll_back(struct machine *machine, enum bus_errc code) {
  machine_failed(machine, code, true, false);
  machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
  machine_done(machine, NULL, 0);
}

static void reopen_database(struct machine *machine) {
  machine_tick(machine, 10 * BUS_SECOND);
  assert_non_null(machine_action(machine, BUS_DO_OPEN_DATABASE, 0));
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_DATABASE_UP});
  machine_tick(machine, 0);
}

/* ---- the broker ---- */

static struct machine *asked(void) {
  struct machine *machine = machine_new();
  altered = *machine->pipeline->setup.service;
  altered.store = NULL;
  altered.load = load_what_is_there;
  altered.decide = decide_nothing;
  machine->pipeline->setup.service = &altered;
  machine = trying(machine);
  machine_expect_trip(machine, BUS_TRIP_QUERY);
  return machine;
}

TEST(a_query_that_fails_is_dropped_and_acked)
{
  struct machine *machine = asked();
  machine_failed(machine, BUS_E_DB_OTHER, false, false);
  assert_int_equal(acks_pending(&machine->pipeline->acks), 1);
  machine_free(machine);
}

TEST(a_query_of_an_older_connection_is_dropped_and_not_acked)
{
  struct machine *machine = asked();
  machine->pipeline->links.epoch++;
  machine_failed(machine, BUS_E_DB_OTHER, false, false);
  assert_int_equal(acks_pending(&machine->pipeline->acks), 0);
  machine_free(machine);
}

TEST(a_message_of_an_older_connection_is_committed_and_not_acked)
{
  struct machine *machine = trying(machine_new());
  machine->pipeline->links.epoch++;
  machine_done(machine, first, 1);
  machine_committed(machine);
  assert_non_null(machine_action(machine, BUS_DO_PUBLISH, 0));
  assert_int_equal(acks_pending(&machine->pipeline->acks), 0);
  machine_free(machine);
}

TEST(deliveries_of_the_next_connection_are_acked)
{
  struct machine *machine = machine_new();
  machine_connect(machine);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_DOWN, .error = &gone});
  machine_tick(machine, 10 * BUS_SECOND);
  assert_non_null(machine_action(machine, BUS_DO_OPEN_BROKER, 0));
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_UP});
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  machine_done(machine, first, 1);
  machine_committed(machine);
  machine_tick(machine, 95 * BUS_MILLISECOND);
  const struct bus_pipeline_action *ack = machine_action(machine, BUS_DO_ACK, 0);
  assert_true(ack && ack->tag == 1);
  machine_free(machine);
}

/* Recording the refusal fails, so the message is held without a record. */
TEST(a_refused_message_is_held_unless_its_connection_is_lost)
{
  for (int lost = 0; lost < 2; lost++) {
    struct machine *machine = trying(machine_new());
    roll_back(machine, BUS_E_DB_DATA);
    machine_expect_trip(machine, BUS_TRIP_1); /* records the refusal */
    machine_failed(machine, BUS_E_DB_DATA, true, false);
    if (lost)
      machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_DOWN, .error = &gone});
    machine_done(machine, NULL, 0);
    assert_int_equal(machine->pipeline->holds.count, !lost);
    assert_int_equal(machine_action(machine, BUS_DO_PUBLISH, 0) != NULL, !lost);
    machine_free(machine);
  }
}

/* A request is only dropped: no tier takes it, and no dead queue. */
TEST(a_refused_request_is_acked_and_neither_recorded_nor_held)
{
  static const char *const queues[] = {"asked"};
  struct machine *machine = machine_new();
  altered = *machine->pipeline->setup.service;
  altered.queues = queues;
  machine->pipeline->setup.service = &altered;
  turn_init(&machine->pipeline->turn, &machine->pipeline->setup, &machine->pipeline->actions);
  (void)trying(machine); /* it has no deadline */
  machine_done(machine, NULL, 0);
  machine_expect_trip(machine, BUS_TRIP_2);
  assert_int_equal(machine->statements, 1); /* COMMIT */
  machine_committed(machine);
  assert_null(machine_action(machine, BUS_DO_PUBLISH, 0));
  assert_int_equal(machine->pipeline->holds.count, 0);
  assert_int_equal(acks_pending(&machine->pipeline->acks), 1);
  machine_free(machine);
}

/* ---- the database ---- */

/* A refused message is not decided, so no session dies of it. */
TEST(a_refused_message_is_not_blamed_for_sessions_that_die)
{
  struct machine *machine = machine_new();
  machine->body = REFUSED;
  (void)trying(machine);
  for (int died = 0; died < 6; died++) {
    machine_expect_trip(machine, BUS_TRIP_1);
    machine_failed(machine, BUS_E_DB_CONNECTION, false, true);
    machine_expect_phase(machine, "recovering");
    reopen_database(machine);
  }
  machine_expect_trip(machine, BUS_TRIP_1);
  machine_done(machine, NULL, 0);
  machine_committed(machine);
  assert_int_equal(machine_action(machine, BUS_DO_COUNT_MESSAGE, 0)->message.outcome, BUS_MESSAGE_PARKED);
  machine_free(machine);
}

TEST(a_batch_whose_session_died_waits_until_another_may_be_opened_or_for_a_stop)
{
  for (int stops = 0; stops < 2; stops++) {
    struct machine *machine = trying(machine_new());
    machine_failed(machine, BUS_E_DB_CONNECTION, false, true);
    machine_tick(machine, 0);
    machine_expect_phase(machine, "recovering");
    assert_int_equal(machine->actions.wake_at, machine->pipeline->links.database.again_at);
    if (stops)
      machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_STOP});
    machine_tick(machine, machine->actions.wake_at - machine->now);
    assert_int_equal(machine_action(machine, BUS_DO_OPEN_DATABASE, 0) != NULL, !stops);
    machine_expect_phase(machine, stops ? "idle" : "recovering");
    machine_free(machine);
  }
}

/* Too many of its type were blamed without a commit, so the database is asked whether it takes anything. */
static struct machine *to_ask(const struct bus_topology *topology) {
  struct machine *machine = machine_new();
  machine->settings.blame_after_ms = 0;
  machine->pipeline->setup.topology = topology ? topology : machine->pipeline->setup.topology;
  stall_type(&machine->pipeline->stall, &part_rig_type)->blamed = BLAME_WITHOUT_COMMIT;
  return trying(machine);
}

static struct machine *asking(const struct bus_topology *topology) {
  struct machine *machine = to_ask(topology);
  roll_back(machine, BUS_E_DB_DATA);
  machine_expect_trip(machine, BUS_TRIP_ASK);
  return machine;
}

TEST(a_message_whose_session_dies_before_the_question_is_kept_for_later)
{
  struct machine *machine = to_ask(NULL);
  machine_failed(machine, BUS_E_DB_DATA, true, false);
  machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
  machine_failed(machine, BUS_E_DB_CONNECTION, false, true);
  assert_null(machine_action(machine, BUS_DO_TRIP, 0));
  assert_int_equal(intake_deferred_count(&machine->pipeline->intake), 1);
  machine_free(machine);
}

TEST(a_value_refused_of_a_whole_type_is_retried_and_the_attempt_not_counted)
{
  struct machine *machine = asking(NULL);
  machine_done(machine, NULL, 0);
  machine_expect_trip(machine, BUS_TRIP_1); /* records the refusal */
  machine_done(machine, NULL, 0);
  machine_committed(machine);
  const struct bus_pipeline_action *retry = machine_action(machine, BUS_DO_PUBLISH, 0);
  assert_non_null(retry);
  assert_int_equal(retry->publish.publication.exchange, BUS_EXCHANGE_RETRY);
  assert_true(bus_str_is(retry->publish.publication.key, "30s.things"));
  assert_int_equal(retry->publish.publication.envelope->attempt, 0);
  assert_true(machine->pipeline->stall.deadlines_at > machine->now + 30 * BUS_SECOND);
  machine_free(machine);
}

TEST(a_topology_of_one_tier_retries_there_and_holds_no_deadline)
{
  short_topology = part_rig_topology;
  short_topology.tier_count = 1;
  struct machine *machine = asking(&short_topology);
  machine_done(machine, NULL, 0);
  machine_done(machine, NULL, 0);
  machine_committed(machine);
  const struct bus_pipeline_action *retry = machine_action(machine, BUS_DO_PUBLISH, 0);
  assert_non_null(retry);
  assert_true(bus_str_is(retry->publish.publication.key, "1s.things"));
  assert_int_equal(machine->pipeline->stall.deadlines_at, 0);
  machine_free(machine);
}

/* A session that died has left no transaction to roll back. */
TEST(a_database_that_answers_no_question_keeps_the_message_for_later)
{
  for (int dead = 0; dead < 2; dead++) {
    struct machine *machine = asking(NULL);
    machine_failed(machine, BUS_E_DB_CONNECTION, !dead, dead);
    if (!dead) {
      machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
      machine_done(machine, NULL, 0);
    }
    assert_null(machine_action(machine, BUS_DO_TRIP, 0));
    machine_expect_phase(machine, "idle");
    assert_int_equal(intake_deferred_count(&machine->pipeline->intake), 1);
    machine_free(machine);
  }
}

static void fail_last_statement(struct machine *machine) {
  const struct bus_trip_result trip = {.error = {BUS_E_DB_OTHER, "as the test wants it"},
                                       .tag = "",
                                       .failed_at = (long)machine->statements - 1,
                                       .in_transaction = true};
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_TRIP_FAILED, .trip = &trip});
}

/* A minute passes with each failure, so that a statement is due again. */
TEST(housekeeping_that_always_fails_is_over_after_a_while)
{
  int failed = 0;
  struct machine *machine = machine_new();
  machine_connect(machine);
  for (machine_tick(machine, 11 * BUS_SECOND); machine_action(machine, BUS_DO_TRIP, 0); failed++) {
    assert_in_range(failed, 0, BUS_PERIODICS_MAX);
    machine_expect_trip(machine, BUS_TRIP_1);
    fail_last_statement(machine);
    machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
    machine->now += BUS_MINUTE;
    machine_done(machine, NULL, 0);
  }
  assert_int_equal(failed, BUS_PERIODICS_MAX);
  machine_expect_phase(machine, "idle");
  machine_tick(machine, 0);
  assert_null(machine_action(machine, BUS_DO_TRIP, 0)); /* it waits */
  machine_free(machine);
}

/* ---- stops ---- */

TEST(a_second_stop_gives_no_more_time)
{
  struct machine *machine = trying(machine_new());
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_STOP});
  machine_tick(machine, 2 * BUS_SECOND);
  assert_null(machine_action(machine, BUS_DO_GIVE_UP_TRIP, 0));
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_STOP});
  machine_tick(machine, BUS_SECOND);
  assert_non_null(machine_action(machine, BUS_DO_GIVE_UP_TRIP, 0));
  machine_free(machine);
}

TEST(a_stop_gives_a_trip_no_more_time_than_it_has)
{
  struct machine *machine = trying(machine_new());
  machine_tick(machine, 13 * BUS_SECOND);
  assert_null(machine_action(machine, BUS_DO_GIVE_UP_TRIP, 0));
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_STOP});
  machine_tick(machine, 2 * BUS_SECOND);
  assert_non_null(machine_action(machine, BUS_DO_GIVE_UP_TRIP, 0));
  machine_free(machine);
}

/* The drain waits for a held message as for a confirm: its delivery is acked only then. */
TEST(a_stop_waits_for_a_held_message_that_was_refused)
{
  struct machine *machine = machine_new();
  machine->body = REFUSED;
  (void)trying(machine);
  machine_done(machine, NULL, 0);
  machine_committed(machine);
  machine_confirm(machine, 1, false); /* it is sent again a second later */
  assert_int_equal(bus_pipeline_unconfirmed(machine->pipeline), 0);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_STOP});
  machine_tick(machine, 0);
  machine_expect_phase(machine, "draining");
  machine_tick(machine, BUS_SECOND);
  assert_non_null(machine_action(machine, BUS_DO_PUBLISH, 0));
  machine_confirm(machine, 2, true);
  machine_tick(machine, 0);
  assert_int_equal(machine_action(machine, BUS_DO_ACK, 0)->tag, 1);
  machine_expect_phase(machine, "stopped");
  machine_free(machine);
}

/* The notice comes while the last transaction is under way. */
TEST(a_notice_does_not_hold_up_the_end)
{
  static const struct bus_envelope envelope = {.type = {"thing.changed.v1", 16}};
  const struct bus_publication notice = {.exchange = BUS_EXCHANGE_EVENT, .envelope = &envelope, .transient = true};
  struct machine *machine = trying(machine_new());
  machine_done(machine, first, 1);
  machine_committed(machine);
  machine_confirm(machine, 1, true);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_STOP});
  machine_tick(machine, 0);
  machine_expect_trip(machine, BUS_TRIP_1); /* deletes the confirmed row */
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_NOTICE, .notice = &notice});
  assert_int_equal(bus_pipeline_unconfirmed(machine->pipeline), 1);
  machine_done(machine, NULL, 0);
  machine_committed(machine);
  machine_tick(machine, 0);
  machine_expect_phase(machine, "stopped");
  machine_free(machine);
}

TEST(a_machine_that_has_stopped_does_nothing_more)
{
  struct machine *machine = machine_new();
  machine_connect(machine);
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_STOP});
  machine_tick(machine, 0);
  assert_non_null(machine_action(machine, BUS_DO_STOPPED, 0));
  machine_deliver(machine, 1, 1); /* it was on its way */
  machine_tick(machine, BUS_MINUTE);
  assert_int_equal(machine->actions.count, 0);
  assert_true(machine->actions.wake_at == INT64_MAX);
  machine_free(machine);
}

/* ---- quiet ---- */

/* Messages that waited for the connection come first; deadlines are looked at after them. */
TEST(queues_are_settled_after_a_second_without_a_delivery)
{
  struct machine *machine = machine_new();
  machine_connect(machine);
  machine_tick(machine, BUS_SECOND / 2);
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  machine_done(machine, first, 1);
  machine_committed(machine);
  machine_tick(machine, BUS_SECOND - 10 * BUS_MILLISECOND);
  assert_false(bus_pipeline_is_settled(machine->pipeline));
  machine_expect_trip(machine, BUS_TRIP_1); /* housekeeping */
  machine_done(machine, NULL, 0);
  machine_committed(machine);
  machine_tick(machine, 10 * BUS_MILLISECOND);
  assert_true(bus_pipeline_is_settled(machine->pipeline));
  machine_free(machine);
}
