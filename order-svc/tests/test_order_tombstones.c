/* A cancel that comes before its order, over a real Postgres: in whatever batches, workers and turns they come. */
#include "database.h"
#include "order_statements.h"
#include "saga.h"

#include <bus/clock.h>

static struct migrated database;
static struct link *link;
static struct saga_bodies bodies;
static char text[4096];

static void begin(void) {
  migrated_open(&database, MIGRATIONS, "order_svc");
  link = order_database_open(&database);
  saga_bodies_init(&bodies);
  bodies.cancel.accepted = true;
}

static void end(void) {
  link_disconnect(link);
  migrated_close(&database);
}

static void tell(const struct bus_message_type *type, const void *body) {
  order_database_tell(link, type, body);
}

static void assert_says(const char *sql, const char *expected) {
  database_assert_says(&database, sql, expected);
}

static void assert_cancelled_untouched(const char *reason_line) {
  assert_says("SELECT status || ' ' || stock_settled || ' ' || payment_settled FROM orders.order_list",
              "CANCELLED true true\n");
  assert_says("SELECT reason FROM orders.orders", reason_line);
  assert_says("SELECT seq || ' ' || type FROM orders.order_events ORDER BY seq",
              "1 order.created\n2 order.compensating\n3 stock.returned\n4 order.cancelled\n");
}

TEST(a_cancel_in_a_batch_before_its_order_is_kept)
{
  begin();
  bodies.cancel.reason = BUS_STR("too dear");
  tell(&order_cancel_type, &bodies.cancel);
  assert_text(order_database_said(link, 0), "{\"outcome\":\"cancel_accepted\"}");
  tell(&order_cancel_type, &bodies.cancel);
  assert_says("SELECT customer_id || ' ' || reason FROM orders.tombstones", "c-1 too dear\n");
  tell(&order_place_type, &bodies.place);
  assert_cancelled_untouched("customer: too dear\n");
  tell(&order_place_type, &bodies.place);
  assert_true(
      bus_str_equal((struct bus_str){order_database_said(link, 0).data, 22}, BUS_STR("{\"outcome\":\"replayed\",")));
  end();
}

TEST(a_cancel_that_is_not_marked_is_told_of_one_that_is_kept)
{
  begin();
  bodies.cancel.accepted = false;
  tell(&order_cancel_type, &bodies.cancel);
  assert_text(order_database_said(link, 0), "{\"outcome\":\"not_found\"}");
  assert_says("SELECT count(*) FROM orders.tombstones", "0\n");
  bodies.cancel.accepted = true;
  tell(&order_cancel_type, &bodies.cancel);
  bodies.cancel.accepted = false;
  tell(&order_cancel_type, &bodies.cancel);
  assert_text(order_database_said(link, 0), "{\"outcome\":\"cancel_accepted\"}");
  end();
}

TEST(each_customer_has_a_tombstone_of_his_own)
{
  begin();
  bodies.cancel.customer_id = BUS_STR("c-2");
  tell(&order_cancel_type, &bodies.cancel);
  bodies.cancel.customer_id = BUS_NO_STR;
  tell(&order_cancel_type, &bodies.cancel);
  assert_says("SELECT coalesce(customer_id, 'anybody') FROM orders.tombstones ORDER BY 1", "anybody\nc-2\n");
  tell(&order_place_type, &bodies.place);
  assert_cancelled_untouched("customer\n");
  end();
}

TEST(z1_a_tombstone_of_someone_else_leaves_the_order_alone)
{
  begin();
  bodies.cancel.customer_id = BUS_STR("c-2");
  tell(&order_cancel_type, &bodies.cancel);
  tell(&order_place_type, &bodies.place);
  assert_says("SELECT status FROM orders.order_list", "PENDING\n");
  end();
}

/* Until a session waits for the guard. */
static void await_waiting(void) {
  int64_t until = bus_monotonic() + 2 * BUS_SECOND; /* of the 3 s that a session waits for a lock */
  do
    assert_true(bus_monotonic() < until);
  while (strcmp(database_ask(&database,
                             "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = "
                             "(SELECT oid FROM pg_database WHERE datname = current_database())",
                             text, sizeof text),
                "1\n") != 0);
}

/* The two have no row in common: without the guard each would miss what the other writes. */
TEST(an_order_at_another_worker_waits_for_its_cancel)
{
  begin();
  struct link *other = order_database_open(&database);
  link_add(link, &order_cancel_type, &bodies.cancel);
  link_send_lock(link);
  assert_true(link_finish_lock(link));
  link_add(other, &order_place_type, &bodies.place);
  link_send_lock(other);
  await_waiting();
  assert_true(link_decide_and_store(link));
  assert_true(link_finish_lock(other));
  assert_true(link_decide_and_store(other));
  assert_cancelled_untouched("customer\n");
  link_disconnect(other);
  end();
}

TEST(a_cancel_at_another_worker_waits_for_its_order)
{
  begin();
  struct link *other = order_database_open(&database);
  link_add(link, &order_place_type, &bodies.place);
  link_send_lock(link);
  assert_true(link_finish_lock(link));
  link_add(other, &order_cancel_type, &bodies.cancel);
  link_send_lock(other);
  await_waiting();
  assert_true(link_decide_and_store(link));
  assert_true(link_finish_lock(other));
  assert_true(link_decide_and_store(other));
  assert_says("SELECT status FROM orders.order_list", "COMPENSATING\n");
  assert_says("SELECT count(*) FROM orders.tombstones", "0\n");
  link_disconnect(other);
  end();
}

TEST(orders_at_two_workers_do_not_wait_for_each_other)
{
  begin();
  struct link *other = order_database_open(&database);
  struct order_place second = bodies.place;
  second.order_id.bytes[15]++;
  link_add(link, &order_place_type, &bodies.place);
  link_add(other, &order_place_type, &second);
  link_send_lock(link);
  link_send_lock(other);
  assert_true(link_finish_lock(link) && link_finish_lock(other));
  link_disconnect(other);
  end();
}

TEST(tombstones_are_kept_as_long_as_the_inbox)
{
  begin();
  tell(&order_cancel_type, &bodies.cancel);
  bodies.cancel.order_id.bytes[15]++;
  tell(&order_cancel_type, &bodies.cancel);
  assert_says("UPDATE orders.tombstones SET received_at = now() - interval '23 hours' RETURNING 'aged'",
              "aged\naged\n");
  assert_says("UPDATE orders.tombstones SET received_at = now() - interval '25 hours' WHERE order_id = '"
              "11223344-5566-5788-99aa-bbccddeeff01' RETURNING 'old'",
              "old\n");
  (void)order_database_statement(link, PURGE_TOMBSTONES, 24);
  assert_says("SELECT order_id FROM orders.tombstones", "11223344-5566-5788-99aa-bbccddeeff02\n");
  end();
}
