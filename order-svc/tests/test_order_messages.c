/* Every message of order-svc's own as golden JSON, both ways; bounds; cursors and ids. */
#include "order_messages.h"

#include <bus/hash.h>
#include <test.h>

#define ID "11223344-5566-5788-99aa-bbccddeeff01"
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define T0 "2026-01-01T00:00:00.000Z"
#define VIEW                                                                                                           \
  "{\"order_id\":\"" ID "\",\"customer_id\":\"c-1\",\"status\":\"REJECTED\",\"reason\":\"out_of_stock: SKU-1\","       \
  "\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2}],\"created_at\":\"" T0 "\",\"updated_at\":\"" T0               \
  "\",\"version\":2}"
#define EVENT(more) "{\"order_id\":\"" ID "\",\"customer_id\":\"c-1\"" more "}"

static const struct golden {
  const struct bus_message_type *type;
  const char *name, *json;
} goldens[] = {
    {&order_place_type, "order.place.v1",
     "{\"order_id\":\"" ID "\",\"customer_id\":\"c-1\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2}],"
     "\"payment_token\":\"pm_card_visa\",\"pay_later\":false,\"expected_total\":1998,\"request_hash\":\"" HASH
     "\",\"wait_ms\":5000}"},
    {&order_place_type, "order.place.v1",
     "{\"order_id\":\"" ID "\",\"customer_id\":\"c-1\",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2}],"
     "\"pay_later\":true,\"request_hash\":\"" HASH "\"}"},
    {&order_pay_type, "order.pay.v1",
     "{\"order_id\":\"" ID "\",\"customer_id\":\"c-1\",\"pay_id\":\"" ID "\",\"payment_token\":\"pm_card_visa\","
     "\"request_hash\":\"" HASH "\"}"},
    {&order_cancel_type, "order.cancel.v1",
     "{\"order_id\":\"" ID "\",\"customer_id\":\"c-1\",\"reason\":\"ordered twice\",\"accepted\":true}"},
    {&order_get_type, "order.get.v1", "{\"order_id\":\"" ID "\",\"customer_id\":\"c-1\"}"},
    {&order_get_many_type, "order.get-many.v1",
     "{\"orders\":[{\"order_id\":\"" ID "\",\"customer_id\":\"c-1\"},{\"order_id\":\"" ID "\"}]}"},
    {&order_list_type, "order.list.v1",
     "{\"customer_id\":\"c-1\",\"status\":\"CANCELLED\",\"cursor\":\"1767225600000000." ID "\",\"limit\":100}"},
    {&order_events_get_type, "order.events.v1",
     "{\"order_id\":\"" ID "\",\"customer_id\":\"c-1\",\"after_seq\":0,\"limit\":100}"},
    {&order_ping_type, "order.ping.v1", "{\"deep\":false}"},
    {&order_answer_type, "order.answer.v1", "{\"outcome\":\"accepted\",\"order\":" VIEW "}"},
    {&order_answer_type, "order.answer.v1", "{\"outcome\":\"not_found\"}"},
    {&order_answers_type, "order.answers.v1",
     "{\"answers\":[{\"outcome\":\"found\",\"order\":" VIEW
     "},{\"outcome\":\"not_found\"},{\"outcome\":\"left_out\"}]}"},
    {&order_page_type, "order.page.v1", "{\"items\":[" VIEW "],\"next_cursor\":\"1767225600000000." ID "\"}"},
    {&order_history_type, "order.history.v1",
     "{\"outcome\":\"found\",\"items\":[{\"seq\":1,\"type\":\"order.paid\",\"at\":\"" T0
     "\",\"data\":{\"amount\":1998}}],\"next_after_seq\":1}"},
    {&order_pong_type, "order.pong.v1", "{\"outbox_age_ms\":31000,\"intake_closed_ms\":6000,\"workers_down\":true}"},
    {&order_created_type, "order.created.v1", EVENT("")},
    {&order_confirmed_type, "order.confirmed.v1",
     EVENT(",\"items\":[{\"product_id\":\"SKU-1\",\"quantity\":2,\"unit_price\":999}],\"total\":1998,\"currency\":"
           "\"EUR\"")},
    {&order_confirmed_type, "order.confirmed.v1", EVENT(",\"total\":1998,\"currency\":\"EUR\"")}, /* as of old */
    {&order_rejected_type, "order.rejected.v1", EVENT(",\"reason\":\"out_of_stock: SKU-1\"")},
    {&order_cancelled_type, "order.cancelled.v1", EVENT(",\"total\":1998,\"currency\":\"EUR\",\"reason\":\"timeout\"")},
    {&order_refunded_type, "order.refunded.v1", EVENT(",\"refunded\":999,\"total\":1998,\"currency\":\"EUR\"")},
};

static struct bus_arena *arena;
static struct bus_problems problems;

static bool decode(const struct bus_message_type *type, const char *json, void **ret) {
  *ret = bus_arena_alloc(arena, type->schema->size);
  problems.count = 0;
  return bus_decode(type->schema, bus_str(json), BUS_IGNORE_UNKNOWN, arena, *ret, &problems);
}

TEST(golden_messages_are_read_and_written_the_same)
{
  for (size_t i = 0; i < BUS_COUNT(goldens); i++) {
    void *body;
    struct bus_str json;
    arena = bus_arena_new(1 << 20);
    assert_string_equal(goldens[i].type->type, goldens[i].name);
    assert_true(decode(goldens[i].type, goldens[i].json, &body));
    assert_true(bus_encode(goldens[i].type->schema, body, arena, &json));
    assert_true(bus_str_is(json, goldens[i].json));
    bus_arena_free(arena);
  }
}

TEST(who_sends_what_where)
{
  assert_string_equal(order_place_type.senders[0], "edge");
  assert_int_equal(order_place_type.exchange, BUS_EXCHANGE_CMD);
  assert_string_equal(order_created_type.senders[0], "order-svc");
  assert_int_equal(order_created_type.exchange, BUS_EXCHANGE_EVENT);
  assert_int_equal(order_get_type.exchange, BUS_EXCHANGE_QUERY);
  assert_int_equal(order_answer_type.exchange, BUS_EXCHANGE_REPLY);
  assert_null(order_answer_type.senders[0]);
}

/* Each is the golden order.place with one member changed for the worse. */
TEST(what_no_order_may_be_is_refused)
{
  static const struct {
    const char *member, *bad;
  } cases[] = {
      {"\"" ID "\"", "\"11223344\""},
      {"\"c-1\"", "\"\""},
      {"\"c-1\"", "\"a b\""},
      {"\"c-1\"", "7"},
      {"[{\"product_id\":\"SKU-1\",\"quantity\":2}]", "[]"},
      {"\"SKU-1\"", "\"SKU,1\""},
      {"\"quantity\":2", "\"quantity\":0"},
      {"\"quantity\":2", "\"quantity\":1001"},
      {"\"quantity\":2", "\"quantity\":1.5"},
      {"\"pm_card_visa\"", "\"\""},
      {"1998", "-1"},
      {"1998", "1000000000001"},
      {"\"" HASH "\"", "\"abc\""},
      {"5000", "60001"},
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    char json[1024];
    void *body;
    arena = bus_arena_new(1 << 20);
    const char *whole = goldens[0].json, *at = strstr(whole, cases[i].member);
    assert_non_null(at);
    (void)snprintf(json, sizeof json, "%.*s%s%s", (int)(at - whole), whole, cases[i].bad, at + strlen(cases[i].member));
    assert_false(decode(&order_place_type, json, &body));
    assert_int_equal(problems.count, 1);
    bus_arena_free(arena);
  }
}

TEST(members_of_later_versions_are_ignored)
{
  void *body;
  arena = bus_arena_new(1 << 20);
  assert_true(decode(&order_cancel_type, "{\"order_id\":\"" ID "\",\"priority\":1}", &body));
  assert_null(((struct order_cancel *)body)->customer_id.data);
  bus_arena_free(arena);
}

/* ---- cursors ---- */

static const struct bus_uuid id = {
    {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x57, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01}};

TEST(a_cursor_there_and_back)
{
  static const bus_time times[] = {0, 1, INT64_C(1767225600000000), INT64_C(99999999999999999)};
  for (size_t i = 0; i < BUS_COUNT(times); i++) {
    char text[ORDER_CURSOR_TEXT];
    bus_time time;
    struct bus_uuid found;
    order_cursor_format(times[i], &id, text);
    assert_true(order_cursor_parse(bus_str(text), &time, &found));
    assert_true(time == times[i]);
    assert_true(bus_uuid_equal(&found, &id));
  }
}

TEST(what_is_no_cursor_is_refused)
{
  static const char *const texts[] = {
      "",
      ".",
      "1",
      "1.",
      "." ID,
      "x." ID,
      "-1." ID,
      "1.11223344",
      "1." ID "0",
      "1 ." ID,
      "123456789012345678." ID,
      "1.1122334455665788-99aa-bbccddeeff01",
  };
  for (size_t i = 0; i < BUS_COUNT(texts); i++) {
    bus_time time = 42;
    struct bus_uuid found;
    assert_false(order_cursor_parse(bus_str(texts[i]), &time, &found));
    assert_true(time == 42);
  }
}

/* ---- ids ---- */

static struct bus_uuid id_of(const char *customer, const char *key) {
  struct bus_uuid made;
  order_id_of(bus_str(customer), bus_str(key), &made);
  return made;
}

TEST(an_id_is_the_same_for_ever)
{
  char text[BUS_UUID_TEXT];
  struct bus_uuid made = id_of("c-1", "key-1");
  bus_uuid_format(&made, text);
  assert_string_equal(text, "1127e831-4254-5999-b6d4-db4eb395aff0");
}

TEST(z6_ids_depend_on_customer_and_key_and_where_one_ends)
{
  const struct bus_uuid ids[] = {id_of("c-1", "key-1"), id_of("c-1", "key-2"), id_of("c-2", "key-1"),
                                 id_of("c-1k", "ey-1"), id_of("", "c-1key-1")};
  for (size_t i = 0; i < BUS_COUNT(ids); i++) {
    assert_int_equal(ids[i].bytes[6] >> 4, 5);
    for (size_t j = 0; j < i; j++)
      assert_false(bus_uuid_equal(&ids[i], &ids[j]));
  }
}

TEST(the_longest_names)
{
  char customer[64], key[255];
  struct bus_uuid first, second;
  memset(customer, 'c', sizeof customer);
  memset(key, 'k', sizeof key);
  order_id_of((struct bus_str){customer, 64}, (struct bus_str){key, 255}, &first);
  key[254] = 'x';
  order_id_of((struct bus_str){customer, 64}, (struct bus_str){key, 255}, &second);
  assert_false(bus_uuid_equal(&first, &second));
}
