/* Orders that are paid later over a real Postgres: what is counted, and which attempts are known again. */
#include "database.h"
#include "order_statements.h"
#include "saga.h"

static struct migrated database;
static struct link *link;
static struct saga_bodies bodies;

static void begin(void) {
  migrated_open(&database, MIGRATIONS, "order_svc");
  link = order_database_open(&database);
  saga_bodies_init(&bodies);
  bodies.place.pay_later = true;
  bodies.place.payment_token = BUS_NO_STR;
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

TEST(an_attempt_is_known_again_and_the_row_is_the_fold_of_its_log)
{
  begin();
  tell(&order_place_type, &bodies.place);
  tell(&stock_reserved_type, &bodies.reserved);
  assert_says("SELECT status || ' ' || shelf FROM orders.orders", "7 7\n");
  tell(&order_pay_type, &bodies.pay);
  bodies.refusal.attempt = 1;
  tell(&payment_declined_type, &bodies.refusal);
  tell(&order_pay_type, &bodies.pay); /* the same key */
  assert_says("SELECT attempts FROM orders.orders", "1\n");
  bodies.pay.pay_id.bytes[0] = 9;
  tell(&order_pay_type, &bodies.pay);
  assert_says("SELECT attempts FROM orders.orders", "2\n");
  bodies.captured.attempt = 2;
  tell(&payment_captured_type, &bodies.captured);
  assert_says("SELECT status || ' ' || shelf FROM orders.orders", "4 4\n");
  end();
}

static void place_as(const char *customer, uint8_t number) {
  struct order_place place = bodies.place;
  place.customer_id = bus_str(customer);
  place.order_id.bytes[15] = number;
  tell(&order_place_type, &place);
}

/* The limit of the links is five, as by default. */
TEST(open_orders_are_counted_by_customer)
{
  begin();
  for (uint8_t i = 0; i < 6; i++)
    place_as("c-1", i);
  place_as("c-2", 6);
  assert_says("SELECT string_agg(customer_id || status, ' ' ORDER BY order_id) FROM orders.orders",
              "c-10 c-10 c-10 c-10 c-10 c-15 c-20\n");
  const struct stock_rejected rejected = {bodies.place.order_id, STOCK_OUT_OF_STOCK, BUS_NO_STR};
  struct stock_rejected first = rejected;
  first.order_id.bytes[15] = 0;
  tell(&stock_rejected_type, &first); /* it is open no longer */
  place_as("c-1", 7);
  assert_says("SELECT status FROM orders.orders ORDER BY order_id DESC LIMIT 1", "0\n");
  end();
}
