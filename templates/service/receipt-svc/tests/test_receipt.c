/* receipt-svc over a broker, a database and a clock in memory: an order gets one receipt, whatever comes twice. */
#include "receipt.h"
#include "receipt_messages.h"

#include <bus/testing.h>
#include <order_messages.h>
#include <orderbus_topology.h>
#include <test.h>

extern const struct bus_topology_part receipt_topology;

static const struct bus_program program = {
    .part = &receipt_topology, .topology = &orderbus_topology, .commands = &receipt_commands};
static const struct bus_uuid order_id = {{9}};

static struct bus_test *begin(void) {
  struct bus_test *test;
  struct bus_error err;
  if (!bus_test_new(&program, &test, &err))
    fail_msg("%s", err.text);
  return test;
}

static void run(struct bus_test *test) {
  struct bus_error err;
  if (!bus_test_run(test, &err))
    fail_msg("%s", err.text);
}

static void confirm(struct bus_test *test) {
  const struct order_event event = {
      .order_id = order_id, .customer_id = BUS_STR("customer-1"), .total = 1, .currency = BUS_STR("EUR")};
  (void)bus_test_send(test, &order_confirmed_type, &order_id, &event);
  run(test);
}

static void expect_one_receipt(const struct bus_test *test) {
  assert_int_equal(bus_test_row_count(test, &receipt_columns), 1);
  assert_non_null(bus_test_row(test, &receipt_columns, &order_id));
  assert_int_equal(bus_test_published_count(test), 1);
  assert_true(bus_uuid_equal(&BUS_TEST_PUBLISHED(test, receipt_issued, 0)->order_id, &order_id));
}

TEST(a_confirmed_order_gets_one_receipt)
{
  struct bus_test *test = begin();
  confirm(test);
  bus_test_send_again(test); /* the same message */
  confirm(test);             /* another one about the same order */
  expect_one_receipt(test);
  bus_test_free(test);
}

TEST(a_transaction_that_fails_is_tried_again)
{
  static const enum bus_errc codes[] = {BUS_E_DB_CONFLICT, BUS_E_DB_CONNECTION, BUS_E_DB_FAULT};
  for (size_t i = 0; i < BUS_COUNT(codes); i++) {
    struct bus_test *test = begin();
    bus_test_refuse_commit(test, codes[i]);
    confirm(test);
    expect_one_receipt(test);
    bus_test_free(test);
  }
}
