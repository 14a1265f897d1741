/* publish.c: a commit that is too large for one step, for the socket or for the broker, and answers. */
#include "machine.h"
#include "machine_rig.h"

#include <test.h>

enum { LITTLE_ROOM = 66, EFFECTS = 100, BATCH = 30, LARGE = 1 << 20 };

static const uint8_t first[] = {1};
static const struct body body = {1};
static const int actions[EFFECTS];

static struct bus_service altered; /* the machine keeps a pointer to it */

/* The service with another decision; its events do not travel together. */
static struct machine *deciding(void (*decide)(void *model, const struct bus_input *input,
                                               struct bus_effects *effects)) {
  struct machine *machine = machine_new();
  altered = *machine->pipeline->setup.service;
  altered.decide = decide ? decide : altered.decide;
  machine->pipeline->setup.service = &altered;
  machine->settings.bundle_max = 1;
  machine_connect(machine);
  return machine;
}

/* The commit of one message. */
static struct machine *committed(struct machine *machine) {
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  machine_done(machine, first, 1);
  machine_expect_trip(machine, BUS_TRIP_2);
  machine_committed(machine);
  return machine;
}

static size_t count_of(const struct machine *machine, enum bus_pipeline_action_kind kind) {
  size_t count = 0;
  while (machine_action(machine, kind, count))
    count++;
  return count;
}

/* ---- more than a step has room for ---- */

static void emit_many(void *model, const struct bus_input *input, struct bus_effects *effects) {
  (void)model;
  for (size_t i = 0; i < EFFECTS; i++)
    bus_emit(effects, &part_rig_happened, &input->envelope->message_id, &body);
}

static void act_often(void *model, const struct bus_input *input, struct bus_effects *effects) {
  (void)model, (void)input;
  for (size_t i = 0; i < EFFECTS; i++)
    bus_act(effects, &actions[i]);
}

/* A step without room is no broker without confirms: the connection stays, however long the steps take. */
TEST(a_large_commit_is_published_in_several_steps)
{
  struct machine *machine = deciding(emit_many);
  machine->pipeline->actions.room = LITTLE_ROOM;
  (void)committed(machine);
  size_t published = count_of(machine, BUS_DO_PUBLISH), steps = 1;
  for (; published < EFFECTS; steps++) {
    assert_in_range(count_of(machine, BUS_DO_PUBLISH), 1, LITTLE_ROOM);
    machine_expect_phase(machine, "publishing");
    machine_tick(machine, 6 * BUS_SECOND);
    assert_null(machine_action(machine, BUS_DO_CLOSE_BROKER, 0));
    assert_int_equal(machine_action(machine, BUS_DO_PUBLISH, 0)->publish.seq, published + 1);
    published += count_of(machine, BUS_DO_PUBLISH);
    if (published < EFFECTS)
      assert_int_equal(machine->actions.wake_at, machine->now); /* it goes on at once */
  }
  assert_true(steps > 2 && published == EFFECTS);
  machine_expect_phase(machine, "idle");
  machine_free(machine);
}

TEST(many_actions_of_a_service_are_carried_out_in_several_steps)
{
  struct machine *machine = deciding(act_often);
  machine->pipeline->actions.room = LITTLE_ROOM;
  (void)committed(machine);
  for (size_t next = 0, steps = 0; next < EFFECTS; steps++) {
    const struct bus_pipeline_action *action;
    assert_in_range(steps, 0, 2);
    for (size_t n = 0; (action = machine_action(machine, BUS_DO_SERVICE, n)) != NULL; n++)
      assert_ptr_equal(action->service, &actions[next++]);
    machine_tick(machine, 0);
  }
  machine_expect_phase(machine, "idle");
  machine_free(machine);
}

TEST(a_batch_is_settled_in_a_step_of_its_own_where_it_has_no_room)
{
  uint8_t ids[BATCH];
  struct machine *machine = deciding(NULL);
  for (size_t i = 0; i < BATCH; i++) {
    ids[i] = (uint8_t)(i + 1);
    machine_deliver(machine, ids[i], ids[i]);
  }
  machine_tick(machine, 0);
  machine_done(machine, ids, BATCH);
  machine->pipeline->actions.room = LITTLE_ROOM;
  machine_committed(machine);
  assert_int_equal(count_of(machine, BUS_DO_PUBLISH), BATCH);
  assert_int_equal(count_of(machine, BUS_DO_COUNT_MESSAGE), 0);
  machine_expect_phase(machine, "publishing");
  machine_tick(machine, 0);
  assert_int_equal(count_of(machine, BUS_DO_COUNT_MESSAGE), BATCH);
  assert_int_equal(acks_pending(&machine->pipeline->acks), BATCH);
  machine_free(machine);
}

TEST(a_full_batch_is_published_and_settled_in_one_step)
{
  enum { FULL = 200 };
  uint8_t ids[FULL];
  struct machine *machine = deciding(NULL);
  for (size_t i = 0; i < FULL; i++) {
    ids[i] = (uint8_t)(i + 1);
    machine_deliver(machine, ids[i], ids[i]);
  }
  machine_tick(machine, 0);
  machine_done(machine, ids, FULL);
  machine_committed(machine);
  assert_int_equal(count_of(machine, BUS_DO_PUBLISH), FULL);
  assert_int_equal(count_of(machine, BUS_DO_COUNT_MESSAGE), FULL);
  machine_expect_phase(machine, "idle");
  machine_free(machine);
}

/* ---- more than there is memory for ---- */

/* How many messages are planned with so much room; 0: it does not suffice. */
static size_t planned_within(size_t room, const struct bus_effects *effects, const struct turn *turn) {
  struct bus_effects copy = *effects;
  struct outgoings outgoings;
  size_t messages = 0;
  copy.arena = bus_arena_new(room);
  assert_non_null(copy.arena);
  if (outgoings_plan(&outgoings, turn, &copy, BUS_BUNDLE_MAX))
    for (size_t i = 0; i < outgoings.count; i++)
      messages += outgoing_messages(&outgoings.items[i]);
  bus_arena_free(copy.arena);
  return messages;
}

/* The outbox gets those that are planned: another would be lost with its commit. */
TEST(all_events_of_a_commit_are_planned_or_none)
{
  enum { STEP = 16 };
  struct parts *parts = parts_new();
  struct bus_arena *arena = bus_arena_new((size_t)1 << 20);
  struct bus_uuid_source ids;
  struct bus_effects effects;
  const struct bus_input input = {.kind = BUS_INPUT_COMPLETION};
  const struct bus_uuid order = {{1}};
  size_t failed = 0;
  bus_uuid_source_init(&ids, (const uint64_t[4]){1, 2, 3, 4});
  bus_effects_init(&effects, arena, &ids, 1000, "thing");
  bus_effects_begin(&effects, &input);
  for (size_t i = 0; i < EFFECTS; i++)
    bus_emit(&effects, &part_rig_type, &order, &body);
  assert_int_equal(bus_effects_end(&effects), BUS_DONE);
  for (size_t planned = 0; planned == 0; failed++) {
    planned = planned_within(failed * STEP, &effects, &parts->turn);
    assert_true(planned == 0 || planned == EFFECTS);
  }
  assert_true(failed > 1);
  bus_arena_free(arena);
  parts_free(parts);
}

/* ---- more than the socket takes ---- */

static size_t notify(struct machine *machine, size_t len) {
  static const char text[LARGE];
  static const struct bus_envelope envelope = {.type = {"thing.changed.v1", 16}};
  const struct bus_publication notice = {
      .exchange = BUS_EXCHANGE_EVENT, .envelope = &envelope, .body = {text, len}, .transient = true};
  machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_NOTICE, .notice = &notice});
  return count_of(machine, BUS_DO_PUBLISH);
}

/* A body is sent while nothing is unconfirmed, however large it is. */
TEST(a_large_body_waits_until_what_was_sent_is_confirmed)
{
  struct machine *machine = deciding(NULL);
  assert_int_equal(notify(machine, LARGE), 1);
  assert_int_equal(notify(machine, 1), 0);
  machine_confirm(machine, 1, true);
  assert_int_equal(notify(machine, 1), 1);
  assert_int_equal(notify(machine, LARGE), 0);
  assert_int_equal(notify(machine, 1), 1);
  machine_free(machine);
}

/* ---- answers ---- */

static struct bus_asker asker;

static void answer(void *model, const struct bus_input *input, struct bus_effects *effects) {
  (void)model, (void)input;
  bus_answer_to(effects, &asker, &part_rig_answer, &body);
}

/* An aggregate may have kept its asker since a version that did not check the address. */
TEST(an_answer_goes_to_a_reply_queue_or_nowhere)
{
  static const char *const addresses[] = {"owner.reply.7", "things"};
  for (size_t i = 0; i < BUS_COUNT(addresses); i++) {
    asker = (struct bus_asker){bus_str(addresses[i]), {{9}}};
    struct machine *machine = committed(deciding(answer));
    const struct bus_pipeline_action *publish = machine_action(machine, BUS_DO_PUBLISH, 0);
    assert_int_equal(publish != NULL, i == 0);
    assert_int_equal(machine->actions.counts[BUS_COUNT_ANSWERS_DROPPED], i);
    if (publish) {
      assert_int_equal(publish->publish.publication.exchange, BUS_EXCHANGE_REPLY);
      assert_true(bus_str_is(publish->publish.publication.key, addresses[i]));
    }
    machine_free(machine);
  }
}
