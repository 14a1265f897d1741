/* Tests of shipping-svc over a broker, a database and a clock in memory; with DATABASE_URL its statements in that one.
 */
#include "shipping.h"

#include <bus/testing.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static struct bus_error err;
static const struct bus_uuid order_id = {{1}};

static void fail(const char *what, int line) {
  fprintf(stderr, "shipping_test.c:%d: %s does not hold. %s\n", line, what, err.text);
  exit(EXIT_FAILURE);
}

static struct bus_test *begin(void) {
  struct bus_test *test;
  CHECK(bus_test_new(&shipping_program, &test, &err));
  return test;
}

static void confirm(struct bus_test *test, int64_t quantity) {
  struct order_item item = {.quantity = quantity};
  BUS_TEST_SEND(test, order_confirmed, &order_id,
                &(struct order_confirmed){.order_id = order_id, .items = &item, .item_count = 1});
  CHECK(bus_test_run(test, &err));
}

static void an_order_gets_one_shipment(void) {
  struct bus_test *test = begin();
  confirm(test, 2);
  confirm(test, 5);
  const struct shipment *shipment = bus_test_row(test, &shipment_table, &order_id);
  CHECK(shipment && shipment->pieces == 2 && shipment->created_at == BUS_TEST_BEGIN);
  CHECK(bus_test_published_count(test) == 1 && BUS_TEST_PUBLISHED(test, shipment_created, 0)->pieces == 2);
  BUS_TEST_SEND(test, shipment_get, &order_id, &(struct shipment_get){.order_id = order_id});
  CHECK(bus_test_run(test, &err) && BUS_TEST_PUBLISHED(test, shipment_found, 0)->pieces == 2);
  bus_test_free(test);
}

static void an_order_that_fits_no_parcel_is_a_dead_letter(void) {
  struct bus_test *test = begin();
  confirm(test, SHIPPING_PIECES_MAX + 1);
  CHECK(bus_test_dead_count(test) == 1 && !bus_test_row(test, &shipment_table, &order_id));
  CHECK(bus_str_is(bus_test_dead(test, 0)->cause, "101 pieces: a parcel holds at most 100"));
  bus_test_free(test);
}

static void a_commit_that_fails_is_tried_again(void) {
  struct bus_test *test = begin();
  bus_test_refuse_commit(test, BUS_E_DB_CONNECTION);
  confirm(test, 1);
  CHECK(bus_test_row(test, &shipment_table, &order_id) && bus_test_published_count(test) == 1);
  bus_test_free(test);
}

int main(void) {
  const char *database_url = getenv("DATABASE_URL");
  an_order_gets_one_shipment();
  an_order_that_fits_no_parcel_is_a_dead_letter();
  a_commit_that_fails_is_tried_again();
  if (database_url)
    CHECK(bus_test_statements(&shipping_program, database_url, &err));
  puts(database_url ? "all hold, and the statements fit the database" : "all hold");
  return EXIT_SUCCESS;
}
