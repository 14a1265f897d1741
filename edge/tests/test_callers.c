/* Handlers with a caller: whose orders a token may place, read, list and cancel. */
#include "api_fixture.h"
#include "test.h"

static const struct bus_token_claims first = {.sub = "c-1"}, second = {.sub = "c-2"},
                                     shop = {.sub = "shop", .scope = "orders orders:on-behalf"},
                                     operator= {.sub = "o-1", .role = BUS_ROLE_OPERATOR};

#define BODY "{\"idempotency_key\":\"k\",\"items\":[{\"product_id\":\"A\",\"quantity\":1}]"

static void assert_sent(const char *text) {
  if (fake.sent.data == NULL || strstr(fake.sent.data, text) == NULL)
    fail_msg("%s was not sent: %s", text, fake.sent.data ? fake.sent.data : "(nothing)");
}

static void place_as(const struct bus_token_claims *caller, const char *rest) {
  char body[256];
  snprintf(body, sizeof body, BODY "%s}", rest);
  fake.caller = caller;
  fake.sent = BUS_NO_STR;
  answer(0, 5, &says_accepted);
  post_body(body);
}

TEST(Z3_the_customer_of_an_order_is_the_caller)
{
  set_up();
  place_as(&first, "");
  assert_int_equal(fake.status, 202);
  assert_sent("\"customer_id\":\"c-1\"");
  place_as(&first, ",\"customer_id\":\"c-1\"");
  assert_int_equal(fake.status, 202);
  place_as(&first, ",\"customer_id\":\"c-2\"");
  assert_int_equal(fake.status, 403);
  assert_null(fake.sent.data);
  assert_non_null(strstr(fake_header("WWW-Authenticate").data, "insufficient_scope"));
  place_as(&operator, ",\"customer_id\":\"c-2\"");
  assert_int_equal(fake.status, 403);
  place_as(&shop, ",\"customer_id\":\"c-2\"");
  assert_int_equal(fake.status, 202);
  assert_sent("\"customer_id\":\"c-2\"");
  place_as(NULL, ",\"customer_id\":\"c-2\"");
  assert_sent("\"customer_id\":\"c-2\"");
  tear_down();
}

TEST(Z6_an_idempotency_key_is_the_callers_own)
{
  struct bus_uuid id;
  char text[BUS_UUID_TEXT];
  set_up();
  place_as(&second, "");
  order_id_of(BUS_STR("c-2"), BUS_STR("k"), &id);
  bus_uuid_format(&id, text);
  assert_sent(text);
  tear_down();
}

TEST(Z1_queries_and_cancels_name_the_caller)
{
  set_up();
  point_to_order();
  static const char *const routes[] = {"GET /api/orders/{id}", "GET /api/orders/{id}/events",
                                       "POST /api/orders/{id}/cancel", "GET /api/orders",
                                       "GET /api/orders/{id}/stream"};
  for (size_t i = 0; i < BUS_COUNT(routes); i++) {
    fake.caller = &first;
    call(routes[i], i == 2 ? "{}" : "");
    assert_sent("\"customer_id\":\"c-1\"");
    fake.caller = &operator;
    call(routes[i], i == 2 ? "{}" : "");
    assert_null(strstr(fake.sent.data, "customer_id"));
  }
  tear_down();
}

TEST(Z1_a_list_of_another_customer_is_empty_and_not_asked_for)
{
  set_up();
  fake.caller = &first;
  fake.query = "customer_id=c-2";
  int begun = fake.begun;
  call("GET /api/orders", "");
  assert_int_equal(fake.status, 200);
  assert_json_has("\"items\":[]");
  assert_int_equal(fake.begun, begun);
  fake.caller = &operator;
  call("GET /api/orders", "");
  assert_sent("\"customer_id\":\"c-2\"");
  tear_down();
}

TEST(Z1_orders_of_another_user_are_not_there)
{
  static const char *const routes[] = {"GET /api/users/{user}/orders", "GET /api/orders/user/{user}"};
  set_up();
  for (size_t i = 0; i < BUS_COUNT(routes); i++) {
    fake.segment = BUS_STR("c-2");
    fake.caller = &first;
    int begun = fake.begun;
    call(routes[i], "");
    assert_int_equal(fake.status, 404);
    assert_int_equal(fake.begun, begun);
    static const struct bus_token_claims *const callers[] = {&second, &operator};
    for (size_t j = 0; j < BUS_COUNT(callers); j++) {
      fake.caller = callers[j];
      fake.sent = BUS_NO_STR;
      call(routes[i], "");
      assert_sent("\"customer_id\":\"c-2\"");
    }
  }
  tear_down();
}

TEST(a_status_that_comes_by_itself_is_no_clients_to_set)
{
  set_up();
  point_to_order();
  fake.caller = &first;
  call("PUT /api/orders/{id}/status", "{\"status\":\"CONFIRMED\"}");
  assert_int_equal(fake.status, 409);
  assert_int_equal(fake.begun, 0);
  call("PUT /api/orders/{id}/status", "{\"status\":\"SOLD\"}");
  assert_int_equal(fake.status, 400);
  call("PUT /api/orders/{id}/status", "{\"status\":\"CANCELLED\",\"reason\":\"late\"}");
  assert_sent("\"reason\":\"late\"");
  assert_sent("\"customer_id\":\"c-1\"");
  tear_down();
}

/* The rows of a new route say nothing unless somebody thinks of it. */
TEST(Z4_a_route_of_the_api_is_public_only_if_it_stands_here)
{
  static const char *const public_paths[] = {"/api/inventory/{product}", "/api/products", "/api/products/{product}",
                                             "/api/openapi.json", NULL};
  static const char *const public_writes[] = {
      "/api/auth/register", "/api/auth/login", "/api/auth/refresh", "/api/auth/logout",
      "/api/auth/forgot",   "/api/auth/reset", "/api/auth/token",   NULL};
  static const char *const signed_writes[] = {"/webhooks/psp", NULL};
  size_t closed = 0;
  for (size_t i = 0; i < edge_route_count(true); i++) {
    const struct bus_http_route *route = &edge_routes[i];
    bool is_api = strncmp(route->path, "/api/", strlen("/api/")) == 0;
    bool is_open = route->access == BUS_ROUTE_PUBLIC;
    closed += !is_open;
    bool reads = strcmp(route->method, "GET") == 0;
    if (is_api && is_open && !bus_str_is_one_of(bus_str(route->path), reads ? public_paths : public_writes))
      fail_msg("%s %s needs no token", route->method, route->path);
    if (!is_api && !reads && is_open && !bus_str_is_one_of(bus_str(route->path), signed_writes))
      fail_msg("%s %s writes and needs no token", route->method, route->path);
  }
  assert_true(closed >= 7);
}

/* An order that the edge knows from the confirm alone. */
TEST(Z1_an_accepted_order_is_there_for_its_customer_alone)
{
  struct bus_uuid id;
  char text[BUS_UUID_TEXT];
  set_up();
  fake.caller = &first;
  confirm_only(5);
  post_body(BODY "}");
  assert_int_equal(fake.status, 202);
  order_id_of(BUS_STR("c-1"), BUS_STR("k"), &id);
  bus_uuid_format(&id, text);
  fake.segment = bus_str(text);
  static const struct {
    const struct bus_token_claims *caller;
    int status;
  } expected[] = {{&second, 404}, {&operator, 404 }, {&first, 200}};
  for (size_t i = 0; i < BUS_COUNT(expected); i++) {
    fake.caller = expected[i].caller;
    answer_read(10, &says_not_found);
    call("GET /api/orders/{id}", "");
    assert_int_equal(fake.status, expected[i].status);
  }
  tear_down();
}
