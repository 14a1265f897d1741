/* Messages that did not get on, as all services tell them: put together, without the services that are silent. */
#include "api_fixture.h"
#include "test.h"

#include <bus/trail.h>
#include <orderbus_topology.h>
#include <stdio.h>

static struct bus_trail_outgoing outgoing = {.message_id = {{1}}, .type = BUS_STR("order.pay.v1"), .created_at = 1};
static struct bus_trail_dead dead = {.message_id = {{2}},
                                     .queue = BUS_STR("payment-svc"),
                                     .type = BUS_STR("payment.charge.v1"),
                                     .error = BUS_STR("BUS_E_DB_DATA"),
                                     .cause = BUS_STR("too long"),
                                     .at = 1};
static struct bus_trail_cause cause = {.queue = BUS_STR("payment-svc"),
                                       .type = BUS_STR("payment.charge.v1"),
                                       .error = BUS_STR("BUS_E_DB_DATA"),
                                       .cause = BUS_STR("too long"),
                                       .count = 4,
                                       .first_at = 1,
                                       .last_at = 2,
                                       .message_id = {{3}}};
static const struct bus_trail trail = {&outgoing, &dead, &cause, 1, 1, 1};

static void begin(int answer_ms) {
  set_up();
  point_to_order();
  fake.script.answers[0] = (struct fake_answer){answer_ms ? AT_MS(answer_ms) : NEVER, &bus_trail_type, &trail};
}

static bool has_trail(const struct bus_topology_part *part) {
  for (size_t i = 0; i < part->type_count; i++)
    if (part->types[i]->schema == &bus_trail_get_schema)
      return true;
  return false;
}

TEST(each_service_that_has_a_trail_is_asked_for_the_order)
{
  begin(10);
  assert_int_equal(call("GET /api/orders/{id}/trail", ""), 10); /* all at once */
  assert_int_equal(fake.status, 200);
  assert_non_null(strstr(fake.sent.data, fake.segment.data));
  int asked = 0;
  for (size_t i = 0; i < orderbus_topology.part_count; i++) {
    const struct bus_topology_part *part = orderbus_topology.parts[i];
    char text[128];
    if (!has_trail(part))
      continue;
    (void)snprintf(text, sizeof text, "{\"service\":\"%s\",\"message_id\":\"01000000", part->user.name);
    assert_json_has(text);
    (void)snprintf(text, sizeof text, "{\"service\":\"%s\",\"message_id\":\"02000000", part->user.name);
    assert_json_has(text);
    asked++;
  }
  assert_int_equal(fake.begun, asked);
  assert_true(asked >= 4);
  assert_json_has("\"silent\":[]");
  tear_down();
}

TEST(dead_letters_are_those_of_all_services_by_cause)
{
  begin(10);
  (void)call("GET /api/dead-letters", "");
  assert_int_equal(fake.status, 200);
  assert_true(bus_str_is(fake.sent, "{}"));
  assert_json_has("{\"service\":\"payment-svc\",\"queue\":\"payment-svc\",\"type\":\"payment.charge.v1\","
                  "\"error\":\"BUS_E_DB_DATA\",\"cause\":\"too long\",\"count\":4,");
  assert_json_has("\"silent\":[],\"next_cursor\":null}");
  tear_down();
}

TEST(a_service_that_gives_no_answer_is_named)
{
  begin(0);
  assert_int_equal(call("GET /api/dead-letters", ""), 2000); /* QUERY_TIMEOUT_MS, for all together */
  assert_int_equal(fake.status, 200);
  assert_json_has("{\"items\":[],\"silent\":[{\"service\":\"");
  assert_json_has("{\"service\":\"payment-svc\"}");
  tear_down();
}

TEST(without_memory_for_a_request_its_service_is_silent)
{
  begin(10);
  fake.script.no_memory = true;
  (void)call("GET /api/orders/{id}/trail", "");
  assert_int_equal(fake.status, 200);
  assert_json_has("\"outgoing\":[],\"dead\":[],\"silent\":[{");
  tear_down();
}
