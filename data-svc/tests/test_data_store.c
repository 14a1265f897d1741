/* The store over a real Postgres: rows and sums are what the events tell, whatever their order and batches, with two
 * workers at once, and in the month of placement; old months go. */
#include "data_model.h"
#include "data_statements.h"
#include "data_upkeep.h"
#include "events.h"

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

/* Counts the differences between the sums that are kept and sums made of the rows. */
static const char misfits[] =
    "WITH o AS (SELECT g.grain, date_trunc(g.grain, placed_at, 'UTC') AS slot, coalesce(currency, '') AS currency, "
    "status, coalesce(reason, '') AS reason, count(*) AS orders, sum(coalesce(total, 0)) AS amount, "
    "sum(refunded) AS refunded, coalesce(sum(floor(extract(epoch FROM finished_at - placed_at) * 1000)), 0) AS "
    "duration_ms FROM reports.orders, (VALUES ('hour'), ('day')) AS g (grain) GROUP BY 1, 2, 3, 4, 5), "
    "r AS (SELECT grain, slot, currency, status, reason, sum(orders) AS orders, sum(amount) AS amount, "
    "sum(refunded) AS refunded, sum(duration_ms) AS duration_ms FROM reports.rollups WHERE orders <> 0 "
    "GROUP BY 1, 2, 3, 4, 5) SELECT count(*) FROM o FULL JOIN r USING (grain, slot, currency, status, reason, orders, "
    "amount, refunded, duration_ms) WHERE o.grain IS NULL OR r.grain IS NULL";

static struct data_context context = {.settings = {.job_export_max = 1000}};

static struct link *connect_to(const struct migrated *database) {
  struct link *link = link_connect(database, &service);
  link->context = &context;
  return link;
}

static void open_database(struct migrated *database) {
  migrated_open(database, MIGRATIONS, "data_svc");
  migrated_do(database, "SELECT reports.keep_months(120, 3)"); /* the events are of January 2026 */
  assert_true(data_statements_make());
}

static void add(struct link *link, size_t event) {
  link_add(link, events_inputs[event].type, events_inputs[event].body);
}

static void run(struct link *link) {
  if (!link_run(link))
    fail_msg("%s", link->error.text);
}

#define ROW                                                                                                            \
  "SELECT count(*) FROM reports.orders_2026_01 WHERE status = 'CONFIRMED' AND total = 499 AND currency = 'EUR' AND "   \
  "refunded = 300 AND reason IS NULL AND customer_id = 'ann' AND product_ids = '{SKU-1,SKU-2}' AND "                   \
  "quantities = '{2,1}' AND unit_prices = '{200,99}' AND finished_at - placed_at = '250 ms'"

static void assert_stored(const struct migrated *database) {
  assert_int_equal(link_number(database, ROW), 1);
  assert_int_equal(link_number(database, "SELECT count(*) FROM reports.orders"), 1);
  assert_int_equal(link_number(database, "SELECT count(*) FROM reports.lines_2026_01"), 2);
  assert_int_equal(link_number(database, misfits), 0);
  assert_int_equal(link_number(database, "SELECT amount FROM reports.rollups WHERE grain = 'day' AND orders = 1"), 499);
}

TEST(events_of_any_order_and_in_any_batches_are_stored_alike)
{
  static const size_t orders[][EVENTS] = {
      {0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {3, 0, 4, 1, 5, 2}, {1, 3, 2, 0, 4, 5}, {2, 4, 0, 5, 3, 1}};
  struct migrated database;
  open_database(&database);
  struct link *link = connect_to(&database);
  for (size_t round = 0; round < BUS_COUNT(orders) * EVENTS; round++) {
    migrated_do(&database, "TRUNCATE reports.orders, reports.lines, reports.rollups");
    for (size_t i = 0, batch = 1 + round % EVENTS; i < EVENTS; i++) {
      add(link, orders[round / EVENTS][i]);
      if ((i + 1) % batch == 0 || i + 1 == EVENTS)
        run(link);
    }
    assert_stored(&database);
  }
  link_disconnect(link);
  migrated_close(&database);
}

/* Both see no row at first. */
TEST(two_workers_with_the_first_events_of_an_order_wait_for_each_other)
{
  struct migrated database;
  open_database(&database);
  struct link *one = connect_to(&database), *two = connect_to(&database);
  add(one, 0);
  link_send_lock(one);
  assert_true(link_finish_lock(one));
  add(two, 1);
  add(two, 3);
  link_send_lock(two);
  link_await_waiter(&database);
  assert_true(link_decide_and_store(one));
  assert_true(link_finish_lock(two) && link_decide_and_store(two));
  assert_stored(&database);
  link_disconnect(one);
  link_disconnect(two);
  migrated_close(&database);
}

TEST(months_are_made_ahead_and_dropped_with_what_is_in_them)
{
  struct migrated database;
  open_database(&database);
  struct link *link = connect_to(&database);
  for (size_t i = 0; i < EVENTS; i++)
    add(link, i);
  run(link);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.months"), 124);
  assert_int_equal(link_number(&database, "SELECT reports.keep_months(120, 3)"), 0);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.months WHERE until > now() + '2 months'"), 2);
  migrated_do(&database, "SELECT reports.keep_months(1, 3)");
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.months"), 5);
  assert_int_equal(
      link_number(&database, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'reports.lines'::regclass"), 5);
  /* An event of a dropped month changes nothing. */
  add(link, 0);
  run(link);
  const struct data_action *action = link->effects.first->action;
  assert_int_equal(action->outcome, DATA_EXPIRED);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.orders"), 0);
  link_disconnect(link);
  migrated_close(&database);
}

/* Others read reports while months are dropped: the call gives way. */
TEST(months_in_use_are_dropped_later)
{
  struct migrated database;
  open_database(&database);
  char url[512];
  migrated_url(&database, url, sizeof url);
  PGconn *reader = PQconnectdb(url);
  PQclear(PQexec(reader, "BEGIN"));
  PQclear(PQexec(reader, "SELECT count(*) FROM reports.orders"));
  assert_int_equal(link_number(&database, "SELECT (reports.keep_months(1, 3) IS NULL)::int"), 1);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.months"), 124);
  PQfinish(reader);
  assert_int_equal(link_number(&database, "SELECT coalesce(reports.keep_months(1, 3), reports.keep_months(1, 3))"),
                   119);
  migrated_close(&database);
}

TEST(events_without_a_time_of_placement_are_counted_alone)
{
  struct migrated database;
  struct order_event old = *(const struct order_event *)events_inputs[1].body;
  old.placed_at = old.at = BUS_NO_TIME;
  open_database(&database);
  struct link *link = connect_to(&database);
  link_add(link, &order_confirmed_type, &old);
  run(link);
  assert_int_equal(((const struct data_action *)link->effects.first->action)->outcome, DATA_UNDATED);
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.rollups"), 0);
  link_disconnect(link);
  migrated_close(&database);
}

/* 5,000 orders with their events in a random order, in batches of up to 200: the sums are those of the rows. */
TEST(many_orders_in_random_batches_keep_the_sums)
{
  enum { ORDERS = 5000, TOLD = 2 * ORDERS };
  static struct order_event told[TOLD];
  static size_t places[TOLD];
  static struct order_item items[] = {{BUS_STR("SKU-7"), 1, 100}};
  uint64_t random = 88172645463325252u;
  struct migrated database;
  open_database(&database);
  struct link *link = connect_to(&database);
  for (size_t i = 0; i < TOLD; i++) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    bool is_final = i % 2 == 1;
    told[i] = (struct order_event){.customer_id = BUS_STR("bob"),
                                   .items = items,
                                   .item_count = 1,
                                   .total = is_final ? (int64_t)(i % 1000) : BUS_NO_INT64,
                                   .currency = is_final ? BUS_STR("EUR") : BUS_NO_STR,
                                   .reason = i % 10 == 3 ? BUS_STR("timeout") : BUS_NO_STR,
                                   .placed_at = EVENTS_PLACED + (bus_time)(i / 2) * BUS_MINUTE};
    told[i].at = told[i].placed_at + (bus_time)(is_final ? random % 5000000 : 0);
    memcpy(told[i].order_id.bytes, &(uint64_t){1 + i / 2}, sizeof(uint64_t));
    places[i] = i;
    size_t other = random % (i + 1);
    places[i] = places[other];
    places[other] = i;
  }
  for (size_t i = 0; i < TOLD; i++) {
    const struct order_event *event = &told[places[i]];
    bool is_final = places[i] % 2 == 1;
    link_add(link,
             !is_final            ? &order_created_type
             : event->reason.data ? &order_cancelled_type
                                  : &order_confirmed_type,
             event);
    if (link->input_count >= 1 + i % 200 || i + 1 == TOLD)
      run(link);
  }
  assert_int_equal(link_number(&database, "SELECT count(*) FROM reports.orders WHERE status <> 'OPEN'"), ORDERS);
  assert_int_equal(link_number(&database, misfits), 0);
  link_disconnect(link);
  migrated_close(&database);
}
