/* Conditions that hold between steps: each must be seen where it does not hold. */
#include "machine.h"
#include "machine_rig.h"

#include <test.h>

enum { TOO_MANY = 1 << 20, WINDOW = 8192, RING_LEAST = 64 };

#define EXPECT_SEEN(field, value)                                                                                      \
  do {                                                                                                                 \
    __typeof__(field) right_ = (field);                                                                                \
    assert_true(bus_pipeline_is_valid(machine->pipeline));                                                             \
    (field) = (value);                                                                                                 \
    assert_false(bus_pipeline_is_valid(machine->pipeline));                                                            \
    (field) = right_;                                                                                                  \
  } while (false)

/* Both links stand, one delivery was settled and acked, one is read and waits, one event is not confirmed. */
static struct machine *under_way(void) {
  static const uint8_t first[] = {1};
  struct machine *machine = machine_new();
  machine_connect(machine);
  machine_deliver(machine, 1, 1);
  machine_tick(machine, 0);
  machine_done(machine, first, 1);
  machine_committed(machine);
  machine_tick(machine, 95 * BUS_MILLISECOND);
  assert_non_null(machine_action(machine, BUS_DO_ACK, 0));
  machine_deliver(machine, 2, 2);
  return machine;
}

TEST(acks_that_do_not_fit_are_seen)
{
  struct machine *machine = under_way();
  struct acks *acks = &machine->pipeline->acks;
  EXPECT_SEEN(acks->ring, NULL);
  EXPECT_SEEN(acks->acked, acks->settled + 1);
  EXPECT_SEEN(acks->settled, acks->highest + 1);
  EXPECT_SEEN(acks->ring[2], 0); /* the oldest that is open has no message left */
  machine_free(machine);
}

TEST(a_delivery_beyond_the_ring_leaves_it_valid)
{
  struct acks acks;
  assert_true(acks_init(&acks, 1));
  assert_false(acks_received(&acks, RING_LEAST, 1));
  assert_true(acks_is_valid(&acks));
  acks_free(&acks);
}

TEST(an_intake_that_does_not_fit_is_seen)
{
  struct machine *machine = under_way();
  struct intake *intake = &machine->pipeline->intake;
  assert_int_equal(intake->filling->count, 1);
  EXPECT_SEEN(intake->draining, intake->filling);
  EXPECT_SEEN(intake->filling->arena, NULL);
  EXPECT_SEEN(intake->filling->count, TOO_MANY);
  EXPECT_SEEN(intake->filling->next, 1);
  EXPECT_SEEN(intake->draining->next, TOO_MANY);
  EXPECT_SEEN(intake->deferred.arena, NULL);
  EXPECT_SEEN(intake->pushed, 2);
  machine_free(machine);
}

TEST(a_ledger_that_does_not_fit_is_seen)
{
  struct machine *machine = under_way();
  struct ledger *ledger = &machine->pipeline->ledger;
  EXPECT_SEEN(ledger->confirmed_in_trip, 1);
  EXPECT_SEEN(ledger->confirmed.count, TOO_MANY);
  EXPECT_SEEN(ledger->unroutable_in_trip, 1);
  EXPECT_SEEN(ledger->unroutable.count, TOO_MANY);
  machine_free(machine);
}

TEST(links_that_do_not_fit_are_seen)
{
  struct machine *machine = under_way();
  struct links *links = &machine->pipeline->links;
  EXPECT_SEEN(links->broker.state, LINK_AWAY); /* a queue is read */
  EXPECT_SEEN(links->hosts.hosts, 0);
  machine_free(machine);
}

TEST(a_window_that_does_not_fit_is_seen)
{
  struct machine *machine = under_way();
  struct window *window = &machine->pipeline->window;
  assert_int_equal(window_count(window), 1);
  EXPECT_SEEN(window->bytes, 0);
  EXPECT_SEEN(window->next_seq, window->lowest_open + WINDOW);
  EXPECT_SEEN(window->up, false);
  size_t bytes = window->bytes;
  window->bytes = 0;
  window->slips[window->lowest_open].open = false; /* the oldest counts, and is closed */
  assert_false(bus_pipeline_is_valid(machine->pipeline));
  window->slips[window->lowest_open].open = true;
  window->bytes = bytes;
  machine_free(machine);
}

TEST(other_parts_that_do_not_fit_are_seen)
{
  struct machine *machine = under_way();
  struct bus_pipeline *pipeline = machine->pipeline;
  EXPECT_SEEN(pipeline->holds.count, 1);
  EXPECT_SEEN(pipeline->pace.rate, -1.0);
  EXPECT_SEEN(pipeline->pace.arrivals, -1.0);
  EXPECT_SEEN(pipeline->pace.took, -1);
  EXPECT_SEEN(pipeline->stall.since, -1);
  EXPECT_SEEN(pipeline->stall.commit_at, -1);
  EXPECT_SEEN(pipeline->stall.deadlines_at, -1);
  EXPECT_SEEN(pipeline->stall.due_at, -1);
  machine_free(machine);
}

TEST(a_batch_that_does_not_fit_is_seen)
{
  struct machine *machine = under_way();
  struct batch *batch = &machine->pipeline->batch;
  EXPECT_SEEN(batch->count, 1); /* between batches */
  machine_tick(machine, 0);
  machine_expect_trip(machine, BUS_TRIP_1);
  EXPECT_SEEN(batch->count, batch->room + 1);
  EXPECT_SEEN(batch->bisect.count, SEGMENTS_MAX + 1);
  struct bisect halved = batch->bisect;
  halved.segments[0] = (struct segment){4, 4};
  halved.segments[1] = (struct segment){0, 4};
  halved.count = 2;
  assert_true(bisect_is_valid(&halved));
  halved.segments[1].count = 0;
  assert_false(bisect_is_valid(&halved));
  halved.segments[1].count = 3; /* the fourth is in neither */
  assert_false(bisect_is_valid(&halved));
  machine_free(machine);
}
