/* Messages that are kept for later: inputs that are tried again, and deliveries that a tier or a dead queue is to take.
 */
#include "blame.h"
#include "holds.h"
#include "machine.h"
#include "machine_rig.h"

#include <bus/history.h>
#include <test.h>

/* ---- inputs that are tried again ---- */

static struct entry delivered(uint8_t id, uint64_t epoch) {
  struct bus_delivery delivery = machine_delivery(id, id);
  return (struct entry){
      .input.kind = BUS_INPUT_DELIVERY, .envelope = delivery.envelope, .raw = delivery.body, .tag = id, .epoch = epoch};
}

static size_t take_all(struct intake *intake, struct entry **entries) {
  return intake_take_deferred(intake, entries, 4);
}

/* The broker brings the older one again. */
TEST(a_message_of_an_older_connection_is_not_tried_again)
{
  struct parts *parts = parts_new();
  struct bus_arena *scratch = bus_arena_new(1 << 16);
  struct entry *entries[4], older = delivered(1, 1), newer = delivered(2, 2);
  assert_true(intake_defer(&parts->intake, &older) && intake_defer(&parts->intake, &newer));
  assert_int_equal(take_all(&parts->intake, entries), 2);
  assert_true(intake_defer(&parts->intake, entries[0]) && intake_defer(&parts->intake, entries[1]));
  assert_true(intake_deferred_done(&parts->intake, 2, scratch));
  assert_int_equal(take_all(&parts->intake, entries), 1);
  assert_int_equal(entries[0]->tag, 2);
  bus_arena_free(scratch);
  parts_free(parts);
}

TEST(a_local_input_is_tried_again_with_its_body_or_without_one)
{
  struct parts *parts = parts_new();
  int64_t body = 42;
  struct entry *entries[4], full = {.input = {.kind = BUS_INPUT_COMPLETION, .body = &body}, .body_size = sizeof body},
                            empty = {.input.kind = BUS_INPUT_COMPLETION};
  assert_true(intake_defer(&parts->intake, &full) && intake_defer(&parts->intake, &empty));
  body = 0;
  assert_int_equal(take_all(&parts->intake, entries), 2);
  assert_int_equal(*(const int64_t *)entries[0]->input.body, 42);
  assert_int_equal(entries[1]->body_size, 0);
  parts_free(parts);
}

TEST(a_local_input_of_one_byte_is_tried_again_with_it)
{
  struct parts *parts = parts_new();
  struct entry *entries[4], entry = {.input = {.kind = BUS_INPUT_COMPLETION, .body = "x"}, .body_size = 1};
  assert_true(intake_defer(&parts->intake, &entry));
  assert_int_equal(take_all(&parts->intake, entries), 1);
  assert_memory_equal(entries[0]->input.body, "x", 1);
  parts_free(parts);
}

/* Tried beside others, it would take them along if it crashes the process. */
TEST(a_suspect_that_is_tried_again_is_a_batch_of_its_own)
{
  struct parts *parts = parts_new();
  struct entry *entries[4];
  for (uint8_t id = 1; id <= 3; id++) {
    struct entry entry = delivered(id, 1);
    entry.alone = id == 2;
    assert_true(intake_defer(&parts->intake, &entry));
  }
  for (uint64_t tag = 1; tag <= 3; tag++) {
    assert_int_equal(take_all(&parts->intake, entries), 1);
    assert_int_equal(entries[0]->tag, tag);
  }
  parts_free(parts);
}

static bool defer_within(struct entry *entry, size_t room) {
  struct parts *parts = parts_new();
  bus_arena_free(parts->intake.deferred.arena);
  parts->intake.deferred.arena = bus_arena_new(room);
  bool kept = intake_defer(&parts->intake, entry);
  assert_int_equal(intake_deferred_count(&parts->intake), kept);
  parts_free(parts);
  return kept;
}

/* An envelope without its body is no message. */
TEST(an_input_without_room_for_its_body_is_not_kept)
{
  enum { LARGE = 4096, SMALL = 1024 };
  static const char body[LARGE];
  struct entry delivery = delivered(1, 1),
               local = {.input = {.kind = BUS_INPUT_COMPLETION, .body = body}, .body_size = LARGE};
  assert_true(defer_within(&delivery, SMALL));
  delivery.raw = (struct bus_str){body, LARGE};
  assert_false(defer_within(&delivery, SMALL) || defer_within(&local, SMALL));
  assert_true(defer_within(&delivery, (size_t)2 * LARGE) && defer_within(&local, (size_t)2 * LARGE));
}

/* ---- types and suspects ---- */

/* The last record is shared, and no record before it is touched. */
TEST(types_beyond_the_records_share_the_last_one)
{
  static struct bus_message_type types[TYPE_RECORDS + 2];
  static struct stall stall;
  for (size_t i = 0; i < TYPE_RECORDS; i++)
    assert_ptr_equal(stall_type(&stall, &types[i]), &stall.types[i]);
  for (size_t i = TYPE_RECORDS; i < BUS_COUNT(types); i++)
    assert_ptr_equal(stall_type(&stall, &types[i]), &stall.types[TYPE_RECORDS - 1]);
  assert_ptr_equal(stall_type(&stall, &types[0]), &stall.types[0]);
}

static struct entry counted(int64_t tries, bool refused) {
  struct suspects suspects = {.counted = {{0}}};
  struct entry entry = delivered(1, 1);
  entry.alone = true;
  entry.ruling.refused = refused;
  entry.ruling.cause.code = refused ? BUS_E_DECODE : BUS_OK;
  suspects_count(&suspects, &entry, tries);
  assert_true(entry.suspect && bus_uuid_equal(&suspects.counted, &entry.envelope.message_id));
  return entry;
}

TEST(a_suspect_is_parked_for_its_crashes_unless_it_is_refused_already)
{
  struct entry entry = counted(SUSPECT_TRIES, false);
  assert_false(entry.ruling.refused);
  entry = counted(SUSPECT_TRIES + 1, false);
  assert_true(entry.ruling.refused && entry.ruling.verdict == BUS_PARK);
  assert_int_equal(entry.ruling.cause.code, BUS_E_CRASHED);
  entry = counted(SUSPECT_TRIES + 1, true);
  assert_int_equal(entry.ruling.cause.code, BUS_E_DECODE);
}

/* The statement that counts it lies in the work arena, which has no room here. */
TEST(a_suspect_that_cannot_be_counted_is_tried_all_the_same)
{
  for (int room = 0; room < 2; room++) {
    struct machine *machine = machine_new();
    struct bus_delivery delivery = machine_delivery(1, 1);
    delivery.envelope.redelivered = true;
    machine_connect(machine);
    if (!room) {
      bus_arena_free(machine->pipeline->work);
      machine->pipeline->work = bus_arena_new(0);
    }
    machine_deliver_as(machine, &delivery);
    machine_tick(machine, 0);
    machine_expect_trip(machine, room ? BUS_TRIP_SUSPECT : BUS_TRIP_1);
    machine_free(machine);
  }
}

/* ---- held deliveries ---- */

static size_t lines;

static void count_errors(void *context, enum bus_level level, const char *msg, const struct bus_log_field *fields) {
  (void)context, (void)msg, (void)fields;
  lines += level == BUS_ERROR;
}

static void hold(struct parts *parts, struct holds *holds, uint8_t id) {
  struct entry entry = delivered(id, 1);
  entry.ruling = (struct ruling){.verdict = BUS_RETRY, .cause = {.code = BUS_E_LATER}};
  assert_true(holds_add(holds, &parts->turn, &entry));
}

TEST(the_next_held_message_is_the_one_that_is_due_first)
{
  struct parts *parts = parts_new();
  struct holds holds = {.first = NULL};
  struct window window = {.up = false};
  for (uint8_t id = 1; id <= 3; id++)
    hold(parts, &holds, id);
  holds.first->again_at = 300;
  holds.first->next->again_at = 100;
  holds.first->next->next->again_at = 200;
  assert_true(window_init(&window, 0));
  assert_true(holds_next(&holds, &window) == INT64_MAX); /* no connection */
  window.up = true;
  assert_int_equal(holds_next(&holds, &window), 100);
  holds.first->next->sent = true;
  assert_int_equal(holds_next(&holds, &window), 200);
  window_free(&window);
  holds_free(&holds);
  parts_free(parts);
}

/* The time counts from the machine's start, which may be seconds ago. */
TEST(the_first_message_that_no_queue_takes_is_a_line_at_any_time)
{
  struct parts *parts = parts_new();
  struct holds holds = {.first = NULL};
  hold(parts, &holds, 1);
  parts->setup.log.write = count_errors;
  lines = 0;
  for (parts->turn.now = BUS_SECOND; parts->turn.now <= 12 * BUS_SECOND; parts->turn.now += BUS_SECOND) {
    holds.first->sent = true;
    holds_refused(&holds, &parts->turn, holds.first, "returned");
    assert_int_equal(lines, parts->turn.now < 11 * BUS_SECOND ? 1 : 2);
  }
  holds_free(&holds);
  parts_free(parts);
}

TEST(an_empty_text_is_held_as_it_came)
{
  struct parts *parts = parts_new();
  struct holds holds = {.first = NULL};
  struct entry entry = delivered(1, 1);
  entry.ruling = (struct ruling){.verdict = BUS_RETRY, .cause = {.code = BUS_E_LATER}};
  entry.envelope.app_id = BUS_STR("");
  assert_true(holds_add(&holds, &parts->turn, &entry));
  const struct bus_envelope *held = &holds.first->envelope;
  assert_true(bus_str_is(held->app_id, "") && bus_str_is(held->user_id, "owner"));
  assert_null(held->reply_to.data);
  holds_free(&holds);
  parts_free(parts);
}

TEST(the_history_of_a_held_message_tells_when_it_failed)
{
  struct parts *parts = parts_new();
  struct holds holds = {.first = NULL};
  struct bus_failure last;
  parts->turn.wall = 1700000000 * BUS_SECOND;
  hold(parts, &holds, 1);
  assert_true(bus_history_last(holds.first->envelope.history, &last));
  assert_true(last.at == parts->turn.wall && holds.first->envelope.first_failed_at == parts->turn.wall);
  holds_free(&holds);
  parts_free(parts);
}

/* ---- what cannot be read ---- */

static const struct bus_pipeline_action *parked(struct machine *machine, const struct bus_delivery *delivery) {
  machine_connect(machine);
  machine_deliver_as(machine, delivery);
  machine_tick(machine, 0);
  machine_done(machine, NULL, 0);
  machine_expect_trip(machine, BUS_TRIP_2);
  assert_false(machine->unsent);
  machine_committed(machine);
  const struct bus_pipeline_action *publish = machine_action(machine, BUS_DO_PUBLISH, 0);
  assert_non_null(publish);
  assert_int_equal(publish->publish.publication.exchange, BUS_EXCHANGE_DEAD);
  assert_null(machine_action(machine, BUS_DO_PUBLISH, 1));
  return publish;
}

TEST(a_message_without_a_type_is_parked)
{
  struct machine *machine = machine_new();
  struct bus_delivery delivery = machine_delivery(1, 1);
  delivery.envelope.type = BUS_NO_STR;
  assert_non_null(strstr(parked(machine, &delivery)->publish.publication.cause.data, "type is missing"));
  machine_free(machine);
}

/* The driver passes no body on that is over the limit. */
TEST(a_bundle_without_a_body_is_parked_whole)
{
  struct machine *machine = machine_new();
  struct bus_delivery delivery = machine_delivery(1, 1);
  delivery.envelope.bundle = true;
  delivery.envelope.bundle_count = 2;
  delivery.body = BUS_NO_STR;
  const struct bus_publication publication = parked(machine, &delivery)->publish.publication;
  assert_true(publication.envelope->bundle);
  assert_non_null(strstr(publication.cause.data, "body is missing"));
  machine_free(machine);
}

/* The type is unknown, too, which alone would be retried: a later version may know it, but cut no such bundle. */
TEST(a_bundle_that_cannot_be_cut_is_parked_with_its_bytes)
{
  struct machine *machine = machine_new();
  struct bus_delivery delivery = machine_delivery(1, 1);
  delivery.envelope.type = BUS_STR("thing.do.v9");
  delivery.envelope.bundle = true;
  delivery.envelope.bundle_count = 2;
  delivery.body = BUS_STR("[{\"n\":1},");
  const struct bus_publication publication = parked(machine, &delivery)->publish.publication;
  assert_true(publication.envelope->bundle);
  assert_true(bus_str_is(publication.body, "[{\"n\":1},"));
  machine_free(machine);
}
