/* The accept mode: five late answers in a row make the confirm enough, one request a second probes, an answer ends it.
 */
#include "accept_mode.h"
#include "test.h"

#include <pthread.h>

static bool leave(struct accept_mode *mode, enum accept_ending ending) {
  (void)accept_mode_enter(mode, 0);
  return accept_mode_leave(mode, ending);
}

static void time_out(struct accept_mode *mode, int times) {
  for (int i = 0; i < times; i++) {
    enum accept_patience patience = accept_mode_enter(mode, 0);
    assert_int_equal(patience, ACCEPT_WAIT);
    (void)accept_mode_leave(mode, ACCEPT_TIMED_OUT);
  }
}

TEST(it_waits_until_five_answers_in_a_row_came_late)
{
  struct accept_mode mode = {0};
  time_out(&mode, 4);
  assert_false(accept_mode_is_confirm(&mode));
  assert_int_equal(accept_mode_enter(&mode, 0), ACCEPT_WAIT);
  assert_true(accept_mode_leave(&mode, ACCEPT_TIMED_OUT));
  assert_true(accept_mode_is_confirm(&mode));
}

TEST(an_answer_in_between_starts_the_count_again)
{
  struct accept_mode mode = {0};
  time_out(&mode, 4);
  assert_false(leave(&mode, ACCEPT_ANSWERED));
  time_out(&mode, 4);
  assert_false(accept_mode_is_confirm(&mode));
}

TEST(what_says_nothing_does_not_count)
{
  struct accept_mode mode = {0};
  time_out(&mode, 4);
  for (int i = 0; i < 10; i++)
    assert_false(leave(&mode, ACCEPT_UNKNOWN));
  assert_false(accept_mode_is_confirm(&mode));
  time_out(&mode, 1);
  assert_true(accept_mode_is_confirm(&mode));
}

TEST(while_the_confirm_is_enough_one_request_a_second_looks)
{
  struct accept_mode mode = {0};
  time_out(&mode, 5);
  int probes = 0;
  for (int64_t now = 0; now < 10 * BUS_SECOND; now += BUS_SECOND / 10) {
    enum accept_patience patience = accept_mode_enter(&mode, now);
    probes += patience == ACCEPT_PROBE;
    assert_true(patience != ACCEPT_WAIT);
    assert_false(accept_mode_leave(&mode, patience == ACCEPT_PROBE ? ACCEPT_TIMED_OUT : ACCEPT_UNKNOWN));
  }
  assert_int_equal(probes, 10);
  assert_true(accept_mode_is_confirm(&mode));
}

TEST(a_probe_that_is_answered_ends_it)
{
  struct accept_mode mode = {0};
  time_out(&mode, 5);
  assert_true(leave(&mode, ACCEPT_ANSWERED));
  assert_false(accept_mode_is_confirm(&mode));
  assert_int_equal(accept_mode_enter(&mode, 0), ACCEPT_WAIT);
}

TEST(a_probe_that_learned_nothing_changes_nothing)
{
  struct accept_mode mode = {0};
  time_out(&mode, 5);
  assert_false(leave(&mode, ACCEPT_UNKNOWN));
  assert_int_equal(accept_mode_enter(&mode, BUS_SECOND - 1), ACCEPT_CONFIRM);
  assert_int_equal(accept_mode_enter(&mode, BUS_SECOND), ACCEPT_PROBE);
}

TEST(an_answer_to_one_that_waited_from_before_ends_it_too)
{
  struct accept_mode mode = {0};
  time_out(&mode, 5);
  assert_true(accept_mode_leave(&mode, ACCEPT_ANSWERED));
  assert_false(accept_mode_is_confirm(&mode));
}

enum { THREADS = 8, ROUNDS = 20000 };
struct crowd {
  struct accept_mode mode;
  atomic_int probes, changes;
};

static void *hammer(void *argument) {
  struct crowd *crowd = argument;
  for (int i = 0; i < ROUNDS; i++) {
    if (accept_mode_enter(&crowd->mode, 7) == ACCEPT_PROBE)
      atomic_fetch_add(&crowd->probes, 1);
    if (accept_mode_leave(&crowd->mode, ACCEPT_TIMED_OUT))
      atomic_fetch_add(&crowd->changes, 1);
  }
  return NULL;
}

TEST(of_many_threads_one_ends_the_waiting_and_one_probes)
{
  struct crowd crowd = {.changes = 0};
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, hammer, &crowd), 0);
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  assert_int_equal(atomic_load(&crowd.changes), 1);
  assert_int_equal(atomic_load(&crowd.probes), 1);
  assert_int_equal(atomic_load(&crowd.mode.timeouts), ACCEPT_MODE_TIMEOUTS);
}
