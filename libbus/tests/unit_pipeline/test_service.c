/* The functions of a service: those that fail, those that need no trip, and verdicts that put a message off or refuse
 * it. */
#include "machine.h"
#include "machine_rig.h"

#include "args.h"
#include "own.h"
#include "rows.h"
#include "trip.h"

#include <stdio.h>
#include <test.h>

static const uint8_t first[] = {1};

/* The pipeline asks its service through the setup, which it keeps a copy of. */
static struct bus_service altered;

static struct bus_service *copy_of_the_service(void) {
  struct machine *machine = machine_new();
  altered = *machine->pipeline->setup.service;
  machine_free(machine);
  return &altered;
}

static struct machine *connected(void) {
  struct machine *machine = machine_new();
  machine->pipeline->setup.service = &altered;
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

/* ---- functions that fail ---- */

static bool load_nothing(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)model, (void)rows, (void)count;
  return bus_fail(err, BUS_E_DB_DATA, "a row that no version wrote");
}

static bool load_what_is_there(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)model, (void)rows, (void)count, (void)err;
  return true;
}

static bool lock_nothing(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                         struct bus_sql *sql, void **ret_model) {
  (void)context, (void)inputs, (void)count, (void)arena, (void)sql;
  *ret_model = NULL;
  return true;
}

static bool refuse_to_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                           struct bus_sql *sql, void **ret_model) {
  (void)context, (void)inputs, (void)count, (void)arena, (void)sql, (void)ret_model;
  return false;
}

static bool refuse_to_store(void *model, struct bus_sql *sql) {
  (void)model, (void)sql;
  return false;
}

static void decide_too_much(void *model, const struct bus_input *input, struct bus_effects *effects) {
  (void)model, (void)input;
  effects->failed = true; /* as an effect without memory leaves it */
}

static void conclude_too_much(void *model, struct bus_effects *effects) {
  (void)model;
  effects->failed = true;
}

static void conclude_what_is_refused(void *model, struct bus_effects *effects) {
  (void)model;
  effects->failed = effects->refused = true; /* as a type of another service leaves it */
  (void)snprintf(effects->reason, sizeof effects->reason, "%s", "thing.forgotten.v1: not in the topology");
}

static void decide_nothing(void *model, const struct bus_input *input, struct bus_effects *effects) {
  (void)model, (void)input, (void)effects;
}

/* The transaction of one message that the altered service gets is rolled back. */
static void expect_rollback(void) {
  struct machine *machine = first_trip();
  machine_done(machine, first, 1);
  machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
  machine_free(machine);
}

TEST(rows_that_cannot_be_loaded_roll_back)
{
  copy_of_the_service()->load = load_nothing;
  expect_rollback();
}

TEST(effects_that_cannot_be_carried_out_roll_back)
{
  const int64_t done = 1;
  copy_of_the_service()->decide = decide_too_much;
  expect_rollback();
  struct machine *machine = connected();
  assert_true(bus_pipeline_push(machine->pipeline, BUS_INPUT_COMPLETION, &done, sizeof done));
  machine_tick(machine, 0);
  machine_done(machine, NULL, 0);
  machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
  machine_free(machine);
}

TEST(a_conclusion_that_fails_rolls_back)
{
  copy_of_the_service()->conclude = conclude_too_much;
  expect_rollback();
}

TEST(a_conclusion_that_is_refused_rolls_back_with_its_reason)
{
  copy_of_the_service()->conclude = conclude_what_is_refused;
  struct machine *machine = first_trip();
  machine_done(machine, first, 1);
  const struct bus_pipeline_action *counted = machine_action(machine, BUS_DO_COUNT_BATCH, 0);
  assert_non_null(counted);
  assert_int_equal(counted->batch.error->code, BUS_E_INVALID);
  assert_string_equal(counted->batch.error->text, "thing.forgotten.v1: not in the topology");
  machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
  machine_free(machine);
}

TEST(a_store_without_memory_rolls_back)
{
  copy_of_the_service()->store = refuse_to_store;
  expect_rollback();
}

/* No transaction was begun: there is none to roll back, and the message stays the broker's. */
TEST(a_lock_without_memory_sends_no_trip)
{
  copy_of_the_service()->lock = refuse_to_lock;
  struct machine *machine = connected();
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  const struct bus_pipeline_action *trip = machine_action(machine, BUS_DO_TRIP, 0);
  assert_true(!trip || trip->trip.purpose != BUS_TRIP_ROLLBACK);
  assert_null(machine_action(machine, BUS_DO_ACK, 0));
  machine_free(machine);
}

TEST(a_query_that_needs_no_rows_makes_no_trip)
{
  struct bus_service *service = copy_of_the_service();
  service->store = NULL;
  service->lock = lock_nothing;
  service->load = load_what_is_there;
  service->decide = decide_nothing;
  struct machine *machine = connected();
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  assert_null(machine_action(machine, BUS_DO_TRIP, 0));
  assert_int_equal(machine_action(machine, BUS_DO_COUNT_MESSAGE, 0)->message.outcome, BUS_MESSAGE_DONE);
  machine->pipeline->links.pooled = true; /* a pooler's session is set in any case */
  machine_deliver(machine, 2, 2);
  machine_tick(machine, 0);
  machine_expect_trip(machine, BUS_TRIP_QUERY);
  machine_done(machine, NULL, 0);
  service->lock = refuse_to_lock;
  machine_deliver(machine, 3, 3);
  machine_tick(machine, 0);
  assert_null(machine_action(machine, BUS_DO_TRIP, 0));
  machine_free(machine);
}

/* ---- verdicts of a service ---- */

static void put_off(void *model, const struct bus_input *input, struct bus_effects *effects) {
  (void)model, (void)input;
  bus_retry(effects, "not yet");
}

static void refuse(void *model, const struct bus_input *input, struct bus_effects *effects) {
  (void)model, (void)input;
  bus_park(effects, "never");
}

/* An operator's tools group dead letters by their class. */
TEST(a_message_that_a_service_puts_off_or_refuses_travels_with_its_cause)
{
  for (int parks = 0; parks < 2; parks++) {
    copy_of_the_service()->decide = parks ? refuse : put_off;
    struct machine *machine = first_trip();
    machine_done(machine, first, 1);
    machine_committed(machine);
    const struct bus_pipeline_action *held = machine_action(machine, BUS_DO_PUBLISH, 0);
    assert_non_null(held);
    assert_int_equal(held->publish.publication.exchange, parks ? BUS_EXCHANGE_DEAD : BUS_EXCHANGE_RETRY);
    assert_true(bus_str_is(held->publish.publication.cause, parks ? "never" : "not yet"));
    assert_true(bus_str_is(held->publish.publication.cause_class, parks ? "permanent" : "retryable"));
    assert_int_equal(held->publish.publication.envelope->attempt, !parks);
    assert_true(held->publish.publication.mandatory); /* else a missing queue would swallow it */
    assert_int_equal(machine->actions.counts[BUS_COUNT_HELD], 1);
    machine_free(machine);
  }
}

static void emit_the_owners(void *model, const struct bus_input *input, struct bus_effects *effects) {
  (void)model;
  bus_emit(effects, &part_rig_type, &input->envelope->message_id, input->body);
}

/* Its transaction is rolled back, so that no row of it stays; the second try settles it without a decision. */
TEST(a_message_over_which_the_service_sends_anothers_type_is_parked_with_the_cure)
{
  copy_of_the_service()->decide = emit_the_owners;
  struct machine *machine = first_trip();
  machine_done(machine, first, 1);
  machine_expect_trip(machine, BUS_TRIP_ROLLBACK);
  machine_done(machine, NULL, 0);
  machine_expect_trip(machine, BUS_TRIP_1);
  machine_done(machine, NULL, 0);
  machine_expect_trip(machine, BUS_TRIP_2);
  machine_committed(machine);
  const struct bus_pipeline_action *held = machine_action(machine, BUS_DO_PUBLISH, 0);
  assert_non_null(held);
  assert_int_equal(held->publish.publication.exchange, BUS_EXCHANGE_DEAD);
  assert_true(bus_str_is(held->publish.publication.cause,
                         "thing.do.v1: thing may not send it, owner may: name thing in the type's senders, or send a "
                         "type of its own"));
  machine_free(machine);
}

static char line[256];

static void keep_line(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)context;
  if (level == BUS_WARN)
    (void)snprintf(line, sizeof line, "%s", msg);
  for (; level == BUS_WARN && fields->kind != BUS_LOG_END; fields++)
    if (strcmp(fields->name, "cause") == 0)
      (void)snprintf(line + strlen(line), sizeof line - strlen(line), "; %.*s", (int)fields->text.len,
                     fields->text.data);
}

TEST(a_query_that_a_service_refuses_is_a_line_at_most_one_a_second)
{
  struct bus_service *service = copy_of_the_service();
  service->store = NULL;
  service->lock = lock_nothing;
  service->load = load_what_is_there;
  service->decide = refuse;
  struct machine *machine = connected();
  machine->pipeline->setup.log.write = keep_line;
  line[0] = '\0';
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  assert_string_equal(line, "query dropped: its asker gets no answer; never");
  line[0] = '\0';
  machine_deliver(machine, 2, 2);
  machine_tick(machine, 0);
  assert_string_equal(line, "");
  machine_deliver(machine, 3, 3);
  machine_tick(machine, BUS_SECOND);
  assert_string_equal(line, "query dropped: its asker gets no answer; never");
  machine_free(machine);
}

static void expect_text(const struct pg_param *param, const char *text) {
  assert_non_null(memmem(param->data, param->len, text, strlen(text)));
}

TEST(a_parked_message_is_recorded_with_its_type_and_cause)
{
  enum { TYPE = 2, CAUSE = 6 }; /* parameters */
  copy_of_the_service()->decide = refuse;
  struct machine *machine = first_trip();
  machine_done(machine, first, 1);
  machine_expect_trip(machine, BUS_TRIP_2);
  const struct bus_args *args = machine_action(machine, BUS_DO_TRIP, 0)->trip.sql->first;
  while (args && (args->registry != BUS_REGISTRY_OWN || args->index != OWN_PARKED_INSERT))
    args = args->after;
  assert_non_null(args);
  if (args) {
    expect_text(&args->params[TYPE], "thing.do.v1");
    expect_text(&args->params[CAUSE], "never");
  }
  machine_free(machine);
}

/* ---- rows that are due ---- */

static PGresult *due_rows(size_t count) {
  PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  char name[] = "order_id";
  PGresAttDesc column = {.name = name, .format = 1, .typid = 2950, .typlen = 16, .atttypmod = -1};
  assert_true(result && PQsetResultAttrs(result, 1, &column));
  for (size_t i = 0; i < count; i++) {
    struct bus_uuid id = {{7, (uint8_t)i}};
    assert_true(PQsetvalue(result, (int)i, 0, (char *)id.bytes, sizeof id.bytes));
  }
  return result;
}

static void push_due(struct machine *machine, size_t count) {
  const struct bus_rows rows = {due_rows(count)};
  bus_pipeline_push_due(machine->pipeline, &rows);
  PQclear(rows.result);
}

TEST(each_row_that_is_due_waits_once)
{
  (void)copy_of_the_service();
  struct machine *machine = connected();
  push_due(machine, 2);
  push_due(machine, 3);
  assert_int_equal(bus_pipeline_pushed(machine->pipeline), 3);
  machine_free(machine);
}

TEST(rows_that_are_due_and_do_not_fit_are_left)
{
  const int64_t done = 1;
  size_t pushed = 0;
  (void)copy_of_the_service();
  struct machine *machine = connected();
  while (bus_pipeline_push(machine->pipeline, BUS_INPUT_COMPLETION, &done, sizeof done))
    pushed++;
  push_due(machine, 2);
  assert_int_equal(bus_pipeline_pushed(machine->pipeline), pushed);
  machine_free(machine);
}
