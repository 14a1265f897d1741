/* The edge that tests of handlers use: small limits, default times, no broker. */
#include "api_fixture.h"

#include "test.h"

#include <orderbus_topology.h>
#include <stdio.h>

static const struct edge_settings settings = {.access_log = BUS_ACCESS_ALL,
                                              .http_threads = 8,
                                              .accept_timeout_ms = 500,
                                              .accept_total_ms = 2000,
                                              .query_timeout_ms = 2000,
                                              .oidc_issuer = "https://shop.example",
                                              .prefer_wait_max_s = 30,
                                              .payment_default_token = "pm_card_visa"};
struct edge edge;
static struct order_item items[] = {{BUS_STR("A"), 2, BUS_NO_INT64}};
static struct order_view view = {.order_id = {{0x55}},
                                 .customer_id = BUS_STR("anonymous"),
                                 .items = items,
                                 .item_count = 1,
                                 .total = BUS_NO_INT64,
                                 .version = 1};
const struct order_answer says_accepted = {ORDER_ACCEPTED, &view}, says_final = {ORDER_FINAL, &view},
                          says_replayed = {ORDER_REPLAYED, &view}, says_reused = {ORDER_KEY_REUSED, NULL},
                          says_found = {ORDER_FOUND, &view}, says_not_found = {ORDER_NOT_FOUND, NULL};

void set_up(void) {
  struct bus_breaker_settings breaker = BUS_BREAKER_DEFAULTS;
  breaker.time_limit = settings.query_timeout_ms * BUS_MILLISECOND;
  edge = (struct edge){.settings = &settings,
                       .accepted = accepted_new(10),
                       .accepted_stock = accepted_new(10),
                       .orders = view_cache_new(&order_view_schema, 16, 5 * BUS_SECOND),
                       .products = view_cache_new(&product_view_schema, 16, 5 * BUS_SECOND)};
  struct bus_error err;
  assert_true(edge_services_open(&edge, &orderbus_topology, &breaker, &err));
  assert_true(edge_queues_open(&edge.queues, &orderbus_topology, &err));
  edge_health_open(&edge);
  edge_reads_init(&edge.reads);
  streams_init(&edge.streams);
  streams_init(&edge.feeds);
  feed_init(&edge.feed);
  instances_init(&edge.instances);
  memcpy(edge.instance, "7f", sizeof "7f");
  own_keys_init(&edge.own_keys);
  fake = (struct fake){.script = fake_silence, .now = AT_MS(1000000)};
}

void tear_down(void) {
  fake_end();
  own_keys_close(&edge.own_keys);
  edge_queues_close(&edge.queues);
  accepted_free(edge.accepted);
  accepted_free(edge.accepted_stock);
  view_cache_free(edge.orders);
  view_cache_free(edge.products);
}

int post_body(const char *body) {
  return call("POST /api/orders", body);
}

int post(void) {
  return post_body(FIXTURE_BODY);
}

static const struct bus_http_route *find(const char *route) {
  char name[64];
  for (size_t i = 0; i < edge_route_count(true); i++) {
    (void)snprintf(name, sizeof name, "%s %s", edge_routes[i].method, edge_routes[i].path);
    if (strcmp(name, route) == 0)
      return &edge_routes[i];
  }
  fail_msg("no route %s", route);
  return NULL;
}

int call(const char *route, const char *body) {
  int64_t begin = fake.now;
  fake_begin(body);
  if (fake_take(find(route)))
    fake.route->handler(&edge, NULL);
  return (int)((fake.now - begin) / BUS_MILLISECOND);
}

void answer(int index, int at_ms, const void *body) {
  fake.script.answers[index] = (struct fake_answer){AT_MS(at_ms), &order_answer_type, body};
}

void answer_read(int at_ms, const struct order_answer *said) {
  static struct order_answer one;
  static struct order_view order;
  static const struct order_answers answers = {&one, 1};
  one = *said;
  if (said->order) {
    order = *said->order;
    assert_true(bus_uuid_parse(fake.segment, &order.order_id));
    one.order = &order;
  }
  fake.script.answers[0] = (struct fake_answer){AT_MS(at_ms), &order_answers_type, &answers};
}

void confirm_only(int at_ms) {
  fake.script = fake_silence;
  fake.script.confirm_at = AT_MS(at_ms);
}

void point_to_order(void) {
  static char text[BUS_UUID_TEXT];
  struct bus_uuid id;
  order_id_of(BUS_STR("anonymous"), BUS_STR("k"), &id);
  bus_uuid_format(&id, text);
  fake.segment = bus_str(text);
}

void assert_json_has(const char *text) {
  if (fake.json.data == NULL || strstr(fake.json.data, text) == NULL)
    fail_msg("%s is not in %s", text, fake.json.data ? fake.json.data : "(nothing)");
}
