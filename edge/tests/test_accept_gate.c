/* The gate: five late answers in a row shut it, one request a second looks, an answer opens it. */
#include "accept_gate.h"
#include "test.h"

#include <pthread.h>

static bool leave(struct accept_gate *gate, enum accept_ending ending) {
  (void)accept_gate_enter(gate, 0);
  return accept_gate_leave(gate, ending);
}

static void time_out(struct accept_gate *gate, int times) {
  for (int i = 0; i < times; i++) {
    enum accept_patience patience = accept_gate_enter(gate, 0);
    assert_int_equal(patience, ACCEPT_WAIT);
    (void)accept_gate_leave(gate, ACCEPT_TIMED_OUT);
  }
}

TEST(it_waits_until_five_answers_in_a_row_came_late)
{
  struct accept_gate gate = {0};
  time_out(&gate, 4);
  assert_false(accept_gate_is_shut(&gate));
  assert_int_equal(accept_gate_enter(&gate, 0), ACCEPT_WAIT);
  assert_true(accept_gate_leave(&gate, ACCEPT_TIMED_OUT));
  assert_true(accept_gate_is_shut(&gate));
}

TEST(an_answer_in_between_starts_the_count_again)
{
  struct accept_gate gate = {0};
  time_out(&gate, 4);
  assert_false(leave(&gate, ACCEPT_ANSWERED));
  time_out(&gate, 4);
  assert_false(accept_gate_is_shut(&gate));
}

TEST(what_says_nothing_does_not_count)
{
  struct accept_gate gate = {0};
  time_out(&gate, 4);
  for (int i = 0; i < 10; i++)
    assert_false(leave(&gate, ACCEPT_UNKNOWN));
  assert_false(accept_gate_is_shut(&gate));
  time_out(&gate, 1);
  assert_true(accept_gate_is_shut(&gate));
}

TEST(while_it_is_shut_one_request_a_second_looks)
{
  struct accept_gate gate = {0};
  time_out(&gate, 5);
  int probes = 0;
  for (int64_t now = 0; now < 10 * BUS_SECOND; now += BUS_SECOND / 10) {
    enum accept_patience patience = accept_gate_enter(&gate, now);
    probes += patience == ACCEPT_PROBE;
    assert_true(patience != ACCEPT_WAIT);
    assert_false(accept_gate_leave(&gate, patience == ACCEPT_PROBE ? ACCEPT_TIMED_OUT : ACCEPT_UNKNOWN));
  }
  assert_int_equal(probes, 10);
  assert_true(accept_gate_is_shut(&gate));
}

TEST(a_probe_that_is_answered_opens_it)
{
  struct accept_gate gate = {0};
  time_out(&gate, 5);
  assert_true(leave(&gate, ACCEPT_ANSWERED));
  assert_false(accept_gate_is_shut(&gate));
  assert_int_equal(accept_gate_enter(&gate, 0), ACCEPT_WAIT);
}

TEST(a_probe_that_learned_nothing_changes_nothing)
{
  struct accept_gate gate = {0};
  time_out(&gate, 5);
  assert_false(leave(&gate, ACCEPT_UNKNOWN));
  assert_int_equal(accept_gate_enter(&gate, BUS_SECOND - 1), ACCEPT_CONFIRM);
  assert_int_equal(accept_gate_enter(&gate, BUS_SECOND), ACCEPT_PROBE);
}

TEST(an_answer_to_one_that_waited_from_before_opens_it_too)
{
  struct accept_gate gate = {0};
  time_out(&gate, 5);
  assert_true(accept_gate_leave(&gate, ACCEPT_ANSWERED));
  assert_false(accept_gate_is_shut(&gate));
}

enum { THREADS = 8, ROUNDS = 20000 };
struct crowd {
  struct accept_gate gate;
  atomic_int probes, changes;
};

static void *hammer(void *argument) {
  struct crowd *crowd = argument;
  for (int i = 0; i < ROUNDS; i++) {
    if (accept_gate_enter(&crowd->gate, 7) == ACCEPT_PROBE)
      atomic_fetch_add(&crowd->probes, 1);
    if (accept_gate_leave(&crowd->gate, ACCEPT_TIMED_OUT))
      atomic_fetch_add(&crowd->changes, 1);
  }
  return NULL;
}

TEST(of_many_threads_one_shuts_it_and_one_probes)
{
  struct crowd crowd = {.changes = 0};
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, hammer, &crowd), 0);
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  assert_int_equal(atomic_load(&crowd.changes), 1);
  assert_int_equal(atomic_load(&crowd.probes), 1);
  assert_int_equal(atomic_load(&crowd.gate.timeouts), ACCEPT_GATE_TIMEOUTS);
}
