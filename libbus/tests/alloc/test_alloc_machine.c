/* The whole machine without memory, at any place: a message is lost by nothing of it, and acked by nothing but a commit
 * or the confirm of its retry. */
#include "torture.h"

#include "machine.h"
#include "machine_rig.h"

#include "test.h"

enum { STEPS = 120, LIMIT_STEP = 16, LIMIT_MAX = 1 << 17 };

/* A driver's and a broker's part. */
struct world {
  struct machine *machine;
  uint64_t published; /* highest sequence number that is not confirmed */
  bool held, committed, settled;
  uint64_t acked;
  struct bus_str body; /* of the message that comes alone */
};

#define REFUSED BUS_STR("{\"n\":1000}")

static const uint8_t ids[] = {1, 2, 3};

static void note(struct world *world) {
  const struct bus_pipeline_action *action;
  for (size_t n = 0; (action = machine_action(world->machine, BUS_DO_PUBLISH, n)) != NULL; n++) {
    world->published = action->publish.seq;
    world->held = world->held || action->publish.kind == BUS_SENT_HELD;
  }
  action = machine_action(world->machine, BUS_DO_ACK, 0);
  if (action) {
    assert_true(world->committed || (world->held && world->published == 0));
    world->acked = action->tag;
  }
}

static bool answer_trip(struct world *world) {
  const struct bus_pipeline_action *trip = machine_action(world->machine, BUS_DO_TRIP, 0);
  if (!trip)
    return false;
  enum bus_trip_kind purpose = trip->trip.purpose;
  if (world->machine->unsent) {
    machine_failed(world->machine, BUS_E_NOMEM, purpose == BUS_TRIP_2 || purpose == BUS_TRIP_ROLLBACK, false);
  } else if (purpose == BUS_TRIP_2) {
    world->committed = true;
    machine_committed(world->machine);
  } else {
    machine_done(world->machine, ids, purpose == BUS_TRIP_1 ? BUS_COUNT(ids) : 0);
  }
  return true;
}

static bool reopen(const struct world *world) {
  static const struct bus_error gone = {BUS_E_AMQP_CONNECTION, "gone"};
  struct machine *machine = world->machine;
  if (machine_action(machine, BUS_DO_CLOSE_BROKER, 0))
    machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_DOWN, .error = &gone});
  else if (machine_action(machine, BUS_DO_OPEN_DATABASE, 0))
    machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_DATABASE_UP});
  else if (machine_action(machine, BUS_DO_OPEN_BROKER, 0))
    machine_step(machine, (struct bus_pipeline_event){.kind = BUS_ON_BROKER_UP});
  else
    return false;
  return true;
}

static void go_on(struct world *world) {
  if (reopen(world) || answer_trip(world))
    return;
  if (world->published > 0) {
    struct bus_pipeline_event event = {.kind = BUS_ON_CONFIRM};
    event.confirm.seq = world->published;
    event.confirm.multiple = event.confirm.ack = true;
    world->published = 0;
    machine_step(world->machine, event);
  } else {
    machine_tick(world->machine, 30 * BUS_MILLISECOND);
  }
}

/* A bundle and a message: a batch of three. Returns whether both were acked. */
static bool carry(struct world *world) {
  const int64_t pushed = 1;
  machine_deliver_bundle(world->machine, 1, ids, 2);
  note(world);
  if (!machine_action(world->machine, BUS_DO_CLOSE_BROKER, 0)) {
    world->machine->body = world->body;
    machine_deliver(world->machine, 2, 3);
    note(world);
  }
  (void)bus_pipeline_push(world->machine->pipeline, BUS_INPUT_DEADLINE, &pushed, sizeof pushed);
  for (int step = 0; step < STEPS && world->acked < 2; step++) {
    go_on(world);
    note(world);
  }
  return world->acked == 2;
}

static bool any_call(struct bus_arena *arena, const void *context) {
  (void)arena;
  bus_refusals_pause(true);
  struct world world = {.machine = machine_new(), .body = context ? REFUSED : BUS_NO_STR};
  machine_connect(world.machine);
  bus_refusals_pause(false);
  bool done = carry(&world);
  bus_refusals_over();
  machine_free(world.machine);
  return done;
}

static bool keep(struct bus_arena *arena, const void *context) {
  (void)arena, (void)context;
  bus_refusals_pause(true);
  struct machine *machine = machine_new();
  machine_connect(machine);
  bus_refusals_pause(false);
  machine_deliver(machine, 1, 1);
  bus_refusals_over();
  bool kept = !machine_action(machine, BUS_DO_CLOSE_BROKER, 0);
  assert_int_equal(intake_count(&machine->pipeline->intake), kept);
  machine_free(machine);
  return kept;
}

/* The broker gives it to another one when the connection ends. */
TEST(a_delivery_is_kept_or_its_connection_ends)
{ torture_ours(keep, NULL); }

TEST(a_batch_survives_any_allocation_that_fails)
{ torture_ours(any_call, NULL); }

TEST(a_message_that_is_parked_survives_any_allocation_that_fails)
{ torture_ours(any_call, ids); }

static void limit(struct bus_arena **arena, size_t bytes) {
  bus_arena_free(*arena);
  *arena = bus_arena_new(bytes);
  assert_non_null(*arena);
}

/* More and more room, until a batch fits. */
static void with_little_room(bool inputs, struct bus_str body) {
  bool done = false;
  size_t bytes = 0, failed = 0;
  for (; !done; bytes += LIMIT_STEP, failed++) {
    assert_true(bytes < LIMIT_MAX);
    struct world world = {.machine = machine_new(), .body = body};
    struct bus_pipeline *pipeline = world.machine->pipeline;
    machine_connect(world.machine);
    limit(inputs ? &pipeline->intake.generations[0].arena : &pipeline->work, bytes);
    limit(inputs ? &pipeline->intake.generations[1].arena : &pipeline->batch.before, bytes);
    if (inputs)
      limit(&pipeline->intake.deferred.arena, bytes);
    done = carry(&world) && world.committed && (body.data || !world.held);
    machine_free(world.machine);
  }
  assert_true(failed > 1);
}

TEST(a_batch_survives_any_lack_of_room_for_its_work)
{ with_little_room(false, BUS_NO_STR); }

TEST(a_batch_survives_any_lack_of_room_for_its_inputs)
{ with_little_room(true, BUS_NO_STR); }

TEST(a_message_that_is_parked_survives_any_lack_of_room)
{
  with_little_room(false, REFUSED);
  with_little_room(true, REFUSED);
}
