/* Jobs over a real Postgres: sums that are made again are those that events made, exports have each order once, and two
 * processes never do one step twice. */
#include "data_model.h"
#include "data_queries.h"
#include "data_statements.h"
#include "data_upkeep.h"

#include <store_link.h>

#include <stdio.h>
#include <test.h>

static const struct bus_service service = {.name = "data-svc",
                                           .statements = data_statements,
                                           .statement_count = DATA_STATEMENTS,
                                           .lock = data_lock,
                                           .load = data_load,
                                           .decide = data_decide,
                                           .store = data_store};

#define PLACED (INT64_C(1767225600) * BUS_SECOND) /* 2026-01-01T00:00:00Z */
enum { ORDERS = 43 * 6, DURATIONS = 43 };

static struct data_context context;
static struct migrated database;
static const struct bus_uuid job_id = {{0x4a, 0x6f, 0x62, [15] = 1}};

static struct link *connect_to(void) {
  struct link *link = link_connect(&database, &service);
  link->context = &context;
  return link;
}

static void run(struct link *link) {
  if (!link_run(link))
    fail_msg("%s", link->error.text);
}

/* Orders that took about each power of two of milliseconds, less and more; each tenth is OPEN. */
static void fill(struct link *link) {
  static struct order_event told[ORDERS];
  static struct order_item items[] = {{BUS_STR("SKU-7"), 1, 100}};
  for (size_t i = 0; i < ORDERS; i++) {
    bus_time duration = ((INT64_C(1) << i % DURATIONS) / 2 + (int64_t)(i / DURATIONS) - 2) * BUS_MILLISECOND;
    told[i] = (struct order_event){.customer_id = i % 3 ? BUS_STR("bob") : BUS_STR("ann"),
                                   .items = items,
                                   .item_count = 1,
                                   .total = (int64_t)i,
                                   .currency = BUS_STR("EUR"),
                                   .reason = i % 4 ? BUS_NO_STR : BUS_STR("timeout"),
                                   .placed_at = PLACED + (bus_time)i * 11 * BUS_MINUTE};
    told[i].at = told[i].placed_at + duration;
    memcpy(told[i].order_id.bytes, &(uint64_t){1 + i}, sizeof(uint64_t));
    link_add(link, i % 10 == 7 ? &order_created_type : i % 4 ? &order_confirmed_type : &order_cancelled_type, &told[i]);
  }
  run(link);
}

static struct link *begin(void) {
  context = (struct data_context){.settings = {.job_export_max = 1000}};
  migrated_open(&database, MIGRATIONS, "data_svc");
  migrated_do(&database, "SELECT reports.keep_months(120, 3)");
  assert_true(data_statements_make());
  struct link *link = connect_to();
  fill(link);
  return link;
}

static void end(struct link *link) {
  link_disconnect(link);
  migrated_close(&database);
}

static void put_job(const char *values) {
  char sql[1024];
  (void)snprintf(
      sql, sizeof sql,
      "INSERT INTO reports.jobs (job_id, owner, created_at, status, done, found, attempts, kind, since, until, "
      "place_at, customer_id, min_total) VALUES ('4a6f6200-0000-0000-0000-000000000001', 'op', now(), "
      "'QUEUED', 0, 0, 1, %s)",
      values);
  migrated_do(&database, sql);
}

/* Steps until it has ended; returns how many. */
static size_t finish(struct link *link) {
  size_t steps = 0;
  while (link_number(&database, "SELECT count(*) FROM reports.jobs WHERE finished_at IS NULL") > 0) {
    link_add_due(link, &job_id);
    run(link);
    steps++;
  }
  return steps;
}

#define REBUILD "'rebuild-sums', '2026-01-01Z', '2026-01-03Z', '2026-01-01Z', NULL, NULL"
#define DIFFERENCES                                                                                                    \
  "SELECT count(*) FROM (SELECT * FROM reports.rollups WHERE orders <> 0) a FULL JOIN kept b USING (grain, slot, "     \
  "currency, status, reason, bucket, orders, amount, refunded, duration_ms) WHERE a.grain IS NULL OR b.grain IS NULL"

TEST(sums_that_are_made_again_are_those_that_events_made)
{
  struct link *link = begin();
  migrated_do(&database, "CREATE TABLE kept AS SELECT * FROM reports.rollups");
  assert_true(link_number(&database, "SELECT count(DISTINCT bucket) FROM kept") > 80);
  migrated_do(&database,
              "DELETE FROM reports.rollups WHERE bucket % 3 = 0; UPDATE reports.rollups SET orders = orders + 1, "
              "amount = 7, refunded = 7, duration_ms = 7 WHERE bucket % 3 = 1; INSERT INTO reports.rollups "
              "SELECT grain, slot, 'USD', status, reason, bucket, 1, 1, 1, 1 FROM kept WHERE bucket % 3 = 2");
  assert_true(link_number(&database, DIFFERENCES) > 0);
  put_job(REBUILD);
  assert_int_equal(finish(link), 48);
  assert_int_equal(link_number(&database, DIFFERENCES), 0);
  assert_int_equal(link_number(&database, "SELECT done FROM reports.jobs WHERE status = 'DONE' AND total = 48"), 48);
  end(link);
}

TEST(two_jobs_in_one_batch_make_the_same_sums)
{
  static const struct bus_uuid other_id = {{2}};
  struct link *link = begin();
  migrated_do(&database, "CREATE TABLE kept AS SELECT * FROM reports.rollups");
  put_job(REBUILD);
  migrated_do(&database, "INSERT INTO reports.jobs SELECT j.* FROM reports.jobs k, LATERAL jsonb_populate_record(k, "
                         "'{\"job_id\": \"02000000-0000-0000-0000-000000000000\"}') j");
  for (int hour = 0; hour < 48; hour++) {
    link_add_due(link, &job_id);
    link_add_due(link, &other_id);
    run(link);
  }
  assert_int_equal(link_number(&database, DIFFERENCES), 0);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.jobs WHERE status = 'DONE'"), 2);
  end(link);
}

/* A batch may hold an event of an hour whose sums are made again: it counts once. */
TEST(events_of_the_same_batch_count_once)
{
  static const struct order_event told = {.order_id = {{0xff}},
                                          .customer_id = BUS_STR("bob"),
                                          .total = 5,
                                          .currency = BUS_STR("EUR"),
                                          .placed_at = PLACED + BUS_MINUTE,
                                          .at = PLACED + 2 * BUS_MINUTE};
  struct link *link = begin();
  put_job(REBUILD);
  int64_t before = link_number(&database, "SELECT sum(orders) FROM reports.rollups WHERE grain = 'hour'");
  link_add(link, &order_confirmed_type, &told);
  link_add_due(link, &job_id);
  link_add_due(link, &job_id); /* one step in a batch */
  run(link);
  assert_int_equal(link_number(&database, "SELECT done FROM reports.jobs"), 1);
  assert_int_equal(link_number(&database, "SELECT sum(orders) FROM reports.rollups WHERE grain = 'hour'"), before + 1);
  end(link);
}

TEST(an_export_has_each_order_that_fits_once)
{
  struct link *link = begin();
  put_job("'export-orders', '2026-01-01T00:11Z', '2026-01-02T00:00Z', '2026-01-02T00:00Z', 'bob', 50");
  migrated_do(&database, "INSERT INTO reports.orders SELECT gen_random_uuid(), '2026-01-01T12:00Z'::timestamptz + n * "
                         "interval '1 ms', 'eve', 'REJECTED', NULL, NULL, NULL, 0, now(), '{A}', '{1}', NULL FROM "
                         "generate_series(1, 4000) AS n");
  assert_int_equal(finish(link), 3); /* 4,130 orders in all */
  assert_int_equal(
      link_number(&database, "SELECT count(*) FROM reports.exported e JOIN reports.orders o USING (order_id, "
                             "placed_at, customer_id, status, total, product_ids)"),
      link_number(&database, "SELECT count(*) FROM reports.orders WHERE customer_id = 'bob' AND total >= 50 AND "
                             "placed_at >= '2026-01-01T00:11Z' AND placed_at < '2026-01-02'"));
  assert_int_equal(link_number(&database,
                               "SELECT found - (SELECT count(*) FROM reports.exported) FROM reports.jobs WHERE "
                               "status = 'DONE' AND total = done AND done = 4130"),
                   0);
  end(link);
}

TEST(an_export_that_finds_too_much_fails)
{
  struct link *link = begin();
  context.settings.job_export_max = 10;
  put_job("'export-orders', '2026-01-01Z', '2026-01-02Z', '2026-01-02Z', NULL, NULL");
  assert_int_equal(finish(link), 1);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.jobs WHERE status = 'FAILED' AND found = 0"),
                   1);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.exported"), 0);
  end(link);
}

/* A step waits for events that are under way, and another process leaves its job alone. */
TEST(two_processes_never_do_one_step)
{
  struct link *one = begin(), *two = connect_to();
  put_job(REBUILD);
  link_add_due(one, &job_id);
  link_send_lock(one);
  assert_true(link_finish_lock(one));
  link_add_due(two, &job_id);
  link_send_lock(two);
  link_await_waiter(&database); /* for the locks of orders */
  assert_true(link_decide_and_store(one));
  assert_true(link_finish_lock(two) && link_decide_and_store(two));
  assert_int_equal(link_number(&database, "SELECT done FROM reports.jobs"), 2);
  migrated_do(&database, "UPDATE reports.jobs SET status = 'CANCELLED', finished_at = now()");
  link_add_due(one, &job_id);
  run(one);
  assert_int_equal(link_number(&database, "SELECT done FROM reports.jobs WHERE status = 'CANCELLED'"), 2);
  link_disconnect(two);
  end(one);
}

TEST(jobs_that_ended_long_ago_are_deleted_with_what_they_exported)
{
  static const int64_t days[] = {3};
  struct link *link = begin();
  put_job("'export-orders', '2026-01-01Z', '2026-01-02Z', '2026-01-02Z', NULL, NULL");
  (void)finish(link);
  assert_true(link_number(&database, "SELECT count(*) FROM reports.exported") > 0);
  migrated_do(&database, "UPDATE reports.jobs SET finished_at = now() - interval '71 hours'");
  (void)link_statement(link, PURGE_JOBS, days, 1);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.jobs"), 1);
  migrated_do(&database, "UPDATE reports.jobs SET finished_at = now() - interval '73 hours'");
  (void)link_statement(link, PURGE_JOBS, days, 1);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.jobs"), 0);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.exported"), 0);
  end(link);
}
