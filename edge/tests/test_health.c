/* /health over a scripted bus: what each check asks, and what makes it DOWN. */
#include "api_fixture.h"
#include "test.h"

#include <bus/pong.h>
#include <orderbus_topology.h>
#include <payment_messages.h>

static const struct bus_health_check *check(const char *name) {
  size_t i = 0;
  while (i < edge.check_count && strcmp(edge.checks[i].name, name) != 0)
    i++;
  assert_true(i < edge.check_count);
  return &edge.checks[i];
}

static bool is_up(const char *name) {
  const struct bus_health_check *asked = check(name);
  return asked->is_up(asked->context ? asked->context : &edge, 2000);
}

static void pong(const struct bus_message_type *type, const void *body) {
  fake_begin("");
  fake.script = fake_silence;
  fake.script.answers[0] = (struct fake_answer){AT_MS(3), type, body};
}

/* The answer comes from the thread that answers queries, which has its own database session. */
TEST(a_service_whose_workers_have_no_database_is_down)
{
  set_up();
  const struct order_pong orders[] = {{0, 0, false}, {0, 0, true}};
  const struct bus_pong others[] = {{false}, {true}};
  for (int down = 0; down < 2; down++) {
    pong(&order_pong_type, &orders[down]);
    assert_int_equal(is_up("order_service"), !down);
    pong(&inventory_pong_type, &others[down]);
    assert_int_equal(is_up("inventory_service"), !down);
    pong(&payment_pong_type, &others[down]);
    assert_int_equal(is_up("payment_service"), !down);
  }
  tear_down();
}

TEST(a_service_that_is_silent_or_answers_nonsense_is_down)
{
  set_up();
  fake_begin("");
  fake.script = fake_silence;
  int64_t begun = fake.now;
  assert_false(is_up("order_service"));
  assert_int_equal(fake.now - begun, BUS_SECOND);
  pong(&order_pong_type, NULL);
  assert_false(is_up("order_service"));
  fake.script.no_memory = true;
  assert_false(is_up("order_service"));
  tear_down();
}

static void assert_missing(const char *text) {
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_str why = check("commands")->why(&edge, arena);
  assert_true(bus_str_is(why, text));
  bus_arena_free(arena);
}

static void return_it(void) {
  confirm_only(5);
  fake.script.unroutable_at = AT_MS(3);
}

TEST(no_binding_for_order_place_is_down_until_one_is_routed_again)
{
  set_up();
  assert_true(is_up("commands"));
  return_it();
  post();
  assert_int_equal(fake.status, 503);
  assert_false(is_up("commands"));
  assert_missing("no queue is bound for order.place");
  assert_true(edge_is_ready(&edge)); /* reads are served */
  fake.script = fake_silence;        /* the broker says nothing: nothing new is known */
  post();
  assert_false(is_up("commands"));
  confirm_only(5);
  post();
  assert_int_equal(fake.status, 202);
  assert_true(is_up("commands"));
  tear_down();
}

/* Every service of the topology that takes a ping of the edge has a part in /health. */
TEST(services_are_those_of_the_topology)
{
  const struct bus_message_type *type;
  size_t pings = 0;
  set_up();
  for (size_t i = 0; (type = bus_topology_type_at(&orderbus_topology, i)); i++)
    pings += strstr(type->type, ".ping.") != NULL;
  assert_int_equal(edge.check_count, pings + 3);
  tear_down();
}

TEST(every_command_without_a_binding_is_named)
{
  set_up();
  return_it();
  post();
  return_it();
  point_to_order();
  (void)call("POST /api/orders/{id}/cancel", "{}");
  return_it();
  (void)call("POST /api/inventory/update", "{\"idempotency_key\":\"k\",\"product_id\":\"A\",\"on_hand\":1}");
  assert_missing("no queue is bound for inventory.set-stock, order.place, order.cancel");
  confirm_only(5);
  answer(0, 20, &says_accepted);
  post();
  assert_missing("no queue is bound for inventory.set-stock, order.cancel");
  assert_false(is_up("commands"));
  tear_down();
}

TEST(a_closed_intake_is_named)
{
  set_up();
  assert_true(is_up("order_intake"));
  (void)intake_report(&edge.intake, 5 * BUS_SECOND, fake.now);
  assert_false(is_up("order_intake"));
  assert_true(check("order_intake")->why(&edge, NULL).len > 0);
  assert_true(edge_is_ready(&edge));
  fake.now += 10 * BUS_SECOND; /* order-svc has gone away */
  assert_true(is_up("order_intake"));
  tear_down();
}
