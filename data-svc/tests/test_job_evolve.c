/* Jobs: what a step changes, when they end, and what may be asked of them. */
#include "job.h"

#include <test.h>

#define DAY (24 * BUS_HOUR)
#define FROM (INT64_C(1767225600) * BUS_SECOND) /* 2026-01-01T00:00:00Z */

static const struct job_limits limits = {.since = FROM, .export_max = 3000};

static struct job make(enum job_kind kind, bus_time from, bus_time to) {
  const struct job asked = {.kind = (int)kind,
                            .from = from,
                            .to = to,
                            .order_status = -1,
                            .min_total = BUS_NO_INT64,
                            .max_total = BUS_NO_INT64};
  struct job job;
  job_make(&asked, 7, &job);
  assert_int_equal(job.status, JOB_QUEUED);
  assert_int_equal(job.attempts, 1);
  return job;
}

TEST(an_export_walks_until_nothing_is_left)
{
  struct job job = make(JOB_EXPORT_ORDERS, FROM + 1, FROM + DAY), before = job;
  struct job_walk walk = {
      .walked = JOB_WALK_MAX, .fitting = 5, .last_at = FROM + BUS_HOUR, .last_id = {{9}}, .total = 2500};
  assert_int_equal(job.place_at, FROM + DAY);
  job_evolve_step(&job, &walk, &limits, 8);
  assert_true(job_copies_orders(&before, &job) && !job_makes_sums(&before, &job) && job_is_open(&job));
  assert_int_equal(job.done, JOB_WALK_MAX);
  assert_int_equal(job.total, 2500);
  assert_int_equal(job.started_at, 8);
  assert_int_equal(job.place_at, FROM + BUS_HOUR);
  assert_int_equal(job.place_id.bytes[0], 9);
  before = job;
  walk = (struct job_walk){.walked = 10, .fitting = 0, .last_at = FROM + 2, .total = BUS_NO_INT64};
  job_evolve_step(&job, &walk, &limits, 9);
  assert_false(job_copies_orders(&before, &job));
  assert_int_equal(job.status, JOB_DONE);
  assert_int_equal(job.done, JOB_WALK_MAX + 10);
  assert_int_equal(job.total, job.done);
  assert_int_equal(job.found, 5);
  assert_int_equal(job.finished_at, 9);
  assert_int_equal(job.started_at, 8);
}

TEST(an_export_that_finds_too_much_fails_and_a_retry_goes_on)
{
  struct job job = make(JOB_EXPORT_ORDERS, FROM, FROM + DAY);
  const struct job_walk walk = {.walked = JOB_WALK_MAX, .fitting = JOB_WALK_MAX, .last_at = FROM + BUS_HOUR};
  const struct job_limits more = {.since = FROM, .export_max = 4000};
  job_evolve_step(&job, &walk, &limits, 8);
  struct job before = job;
  job_evolve_step(&job, &walk, &limits, 9);
  assert_int_equal(job.status, JOB_FAILED);
  assert_non_null(job.error.data);
  assert_int_equal(job.place_at, before.place_at);
  assert_int_equal(job.found, JOB_WALK_MAX);
  assert_false(job_copies_orders(&before, &job));
  assert_true(job_evolve_retried(&job));
  assert_int_equal(job.status, JOB_QUEUED);
  assert_int_equal(job.attempts, 2);
  assert_true(!job.error.data && job.finished_at == BUS_NO_TIME);
  assert_true(job_evolve_retried(&job)); /* the same request again */
  assert_int_equal(job.attempts, 2);
  job_evolve_step(&job, &walk, &more, 10);
  assert_int_equal(job.status, JOB_RUNNING);
  assert_int_equal(job.found, 2 * JOB_WALK_MAX);
}

TEST(a_rebuild_makes_the_hours_of_whole_days)
{
  struct job job = make(JOB_REBUILD_SUMS, FROM + BUS_HOUR, FROM + DAY + 1);
  size_t days = 0;
  assert_int_equal(job.from, FROM);
  assert_int_equal(job.to, FROM + 2 * DAY);
  for (int64_t hour = 0; hour < 48; hour++) {
    struct job before = job;
    assert_true(job_is_open(&job));
    assert_int_equal(job.place_at, FROM + hour * BUS_HOUR);
    job_evolve_step(&job, NULL, &limits, 8);
    assert_true(job_makes_sums(&before, &job) && !job_copies_orders(&before, &job));
    assert_int_equal(job_ends_day(&before), hour % 24 == 23);
    days += job_ends_day(&before);
  }
  assert_int_equal(days, 2);
  assert_int_equal(job.status, JOB_DONE);
  assert_int_equal(job.done, 48);
  assert_int_equal(job.total, 48);
}

TEST(sums_of_orders_that_are_not_kept_are_not_touched)
{
  const struct job_limits later = {.since = FROM + 1};
  struct job job = make(JOB_REBUILD_SUMS, FROM, FROM + DAY), before = job;
  job_evolve_step(&job, NULL, &later, 8);
  assert_int_equal(job.status, JOB_FAILED);
  assert_false(job_makes_sums(&before, &job));
  assert_int_equal(job.done, 0);
}

TEST(open_jobs_alone_are_cancelled_and_failed_ones_retried)
{
  static const struct {
    enum job_status status;
    bool cancels, retries;
  } cases[] = {{JOB_QUEUED, true, true},
               {JOB_RUNNING, true, true},
               {JOB_DONE, false, false},
               {JOB_FAILED, false, true},
               {JOB_CANCELLED, true, false}};
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct job job = make(JOB_EXPORT_ORDERS, FROM, FROM + DAY);
    job.status = (int)cases[i].status;
    job.finished_at = job_is_open(&job) ? BUS_NO_TIME : 5;
    struct job other = job;
    assert_int_equal(job_evolve_cancelled(&job, 9), cases[i].cancels);
    assert_int_equal(job.status, cases[i].cancels ? JOB_CANCELLED : (int)cases[i].status);
    assert_int_equal(job.finished_at, job_is_open(&other) ? 9 : 5);
    assert_int_equal(job_evolve_retried(&other), cases[i].retries);
  }
}

TEST(a_task_is_the_same_by_all_that_it_says)
{
  struct job job = make(JOB_EXPORT_ORDERS, FROM, FROM + DAY), other = job;
  assert_true(job_is_same_task(&job, &other));
  other.to++;
  assert_false(job_is_same_task(&job, &other));
  other = job;
  other.customer_id = BUS_STR("ann");
  assert_false(job_is_same_task(&job, &other));
  other = job;
  other.max_total = 1;
  assert_false(job_is_same_task(&job, &other));
}
