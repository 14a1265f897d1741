/* GET /api/products/{id}: from the cache, from inventory-svc, and from there again after a change. */
#include "api_fixture.h"
#include "test.h"

static struct product_view product = {.product_id = BUS_STR("A"),
                                      .name = BUS_STR("Product"),
                                      .price = 1,
                                      .currency = BUS_STR("EUR"),
                                      .version = 3,
                                      .stock_version = BUS_NO_INT64};
static const struct inventory_answer found = {INVENTORY_FOUND, &product}, none = {INVENTORY_NOT_FOUND, NULL};

static void begin(void) {
  set_up();
  product.version = 3;
  fake.segment = BUS_STR("A");
  fake.script = fake_silence;
  fake.script.answers[0] = (struct fake_answer){AT_MS(2), &inventory_answer_type, &found};
  edge_listener_calls.attached(&edge);
}

static void get(int status, int asked) {
  (void)call("GET /api/products/{product}", "");
  assert_int_equal(fake.status, status);
  assert_int_equal(fake.begun, asked);
}

static void hear_of(const char *id) {
  struct product_get changed = {bus_str(id)};
  const struct products_changed changes = {&changed, 1};
  edge_listener_calls.event(&edge, &product_changed_type, BUS_STR("inventory-svc"), &changes);
}

TEST(a_product_is_asked_for_once_until_it_changes)
{
  begin();
  get(200, 1);
  assert_json_has("\"version\":3");
  get(200, 1);
  assert_json_has("\"version\":3");
  assert_true(bus_str_is(fake_header("ETag"), "3"));
  hear_of("B");
  get(200, 1);
  product.version = 4;
  hear_of("A");
  get(200, 2);
  assert_json_has("\"version\":4");
  fake.now += 5 * BUS_SECOND;
  get(200, 3);
  tear_down();
}

TEST(a_cached_product_answers_a_condition)
{
  begin();
  get(200, 1);
  fake.none_match = BUS_STR("3");
  get(304, 1);
  tear_down();
}

TEST(each_read_asks_while_events_are_missed)
{
  begin();
  get(200, 1);
  edge_listener_calls.lost(&edge);
  get(200, 2);
  get(200, 3);
  edge_listener_calls.attached(&edge);
  get(200, 4);
  get(200, 4);
  tear_down();
}

TEST(a_product_that_is_not_there_is_asked_for_again)
{
  begin();
  fake.script.answers[0].body = &none;
  get(404, 1);
  get(404, 2);
  tear_down();
}

TEST(who_has_written_a_product_reads_it_anew)
{
  begin();
  get(200, 1);
  (void)call("POST /api/inventory/update", "{\"idempotency_key\":\"k\",\"product_id\":\"A\",\"on_hand\":5}");
  int asked = fake.begun;
  get(200, asked + 1);
  (void)call("DELETE /api/products/{product}", "");
  asked = fake.begun;
  get(200, asked + 1);
  tear_down();
}
