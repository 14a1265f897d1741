/* bus/message.h: exchange names and routing keys. */
#include <bus/message.h>

#include "test.h"

static void assert_key(const char *type, const char *expected) {
  struct bus_message_type message = {.type = type};
  assert_true(bus_str_is(bus_message_key(&message), expected));
}

TEST(message_key_is_the_type_without_its_version)
{
  assert_key("inventory.reserve.v1", "inventory.reserve");
  assert_key("inventory.reserve.v12", "inventory.reserve");
  assert_key("stock.set-stock.v2", "stock.set-stock");
  assert_key("a.v1", "a");
}

TEST(message_key_ends_at_the_last_version)
{
  assert_key("a.v1.v2", "a.v1");
  assert_key("a.value.v2", "a.value");
}

TEST(message_key_of_a_type_without_version_is_the_type)
{
  assert_key("order", "order");
  assert_key("", "");
  assert_key("v1", "v1");
}

TEST(message_exchange_names)
{
  assert_string_equal(bus_exchange_name(BUS_EXCHANGE_CMD), "bus.cmd");
  assert_string_equal(bus_exchange_name(BUS_EXCHANGE_EVENT), "bus.event");
  assert_string_equal(bus_exchange_name(BUS_EXCHANGE_QUERY), "bus.query");
  assert_string_equal(bus_exchange_name(BUS_EXCHANGE_REPLY), "bus.reply");
  assert_string_equal(bus_exchange_name(BUS_EXCHANGE_RETRY), "bus.retry");
  assert_string_equal(bus_exchange_name(BUS_EXCHANGE_DEAD), "bus.dead");
  assert_string_equal(bus_exchange_name(BUS_EXCHANGE_BACK), "bus.back");
  char name[BUS_KEY_MAX];
  bus_exchange_of(BUS_EXCHANGE_RETRY, BUS_STR("order-svc"), name);
  assert_string_equal(name, "bus.retry.order-svc");
  bus_exchange_of(BUS_EXCHANGE_CMD, BUS_STR("order-svc"), name);
  assert_string_equal(name, "bus.cmd");
  assert_string_equal(bus_exchange_name((enum bus_exchange)99), "bus.?");
}
