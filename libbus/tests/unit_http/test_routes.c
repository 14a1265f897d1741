/* Which route a request takes, and what tells 404 from 405. */
#include "../../src/http/routes.h"
#include "test.h"

static void handler(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  (void)exchange;
}

static const struct bus_http_route routes[] = {
    {.method = "POST", .path = "/api/orders", .handler = handler, .body_limit = 65536},
    {.method = "GET", .path = "/api/orders", .handler = handler},
    {.method = "GET", .path = "/api/orders/{id}", .handler = handler},
    {.method = "POST", .path = "/api/orders/{id}/cancel", .handler = handler},
    {.method = "GET", .path = "/a/{x}/b/{y}", .handler = handler},
    {.method = "GET", .path = "/health", .handler = handler},
    {.method = "GET", .path = "/", .handler = handler},
    {.method = "GET", .path = "/first/known", .handler = handler},
    {.method = "GET", .path = "/first/{any}", .handler = handler},
    {.method = "GET", .path = "/second/{any}", .handler = handler},
    {.method = "POST", .path = "/second/known", .handler = handler},
};

static enum http_match_result match(const char *method, const char *path, struct http_match *ret) {
  return http_match(routes, BUS_COUNT(routes), method, bus_str(path), ret);
}

static void assert_route(const char *method, const char *path, size_t index) {
  struct http_match found;
  assert_int_equal(match(method, path, &found), HTTP_MATCHED);
  assert_ptr_equal(found.route, &routes[index]);
}

static void assert_no_path(const char *path) {
  struct http_match found;
  assert_int_equal(match("GET", path, &found), HTTP_NO_PATH);
  assert_null(found.route);
}

TEST(a_method_and_a_path_choose_the_route)
{
  assert_route("POST", "/api/orders", 0);
  assert_route("GET", "/api/orders", 1);
  assert_route("GET", "/api/orders/x", 2);
  assert_route("POST", "/api/orders/x/cancel", 3);
  assert_route("GET", "/", 6);
}

TEST(the_first_entry_that_fits_wins)
{
  assert_route("GET", "/first/known", 7);
  assert_route("GET", "/first/other", 8);
}

/* As tools read the OpenAPI document: a path without parameters is matched before one with parameters. */
TEST(a_literal_path_has_its_own_methods_alone)
{
  struct http_match found;
  assert_route("POST", "/second/known", 10);
  assert_route("GET", "/second/other", 9);
  assert_int_equal(match("GET", "/second/known", &found), HTTP_NO_METHOD);
  assert_string_equal(found.allow, "POST");
}

TEST(segments_are_given_in_order)
{
  struct http_match found;
  assert_int_equal(match("GET", "/a/1/b/22", &found), HTTP_MATCHED);
  assert_int_equal(found.segment_count, 2);
  assert_true(bus_str_is(found.segments[0], "1"));
  assert_true(bus_str_is(found.segments[1], "22"));
}

TEST(e10_paths_match_exactly_and_in_their_case)
{
  static const char *const paths[] = {"/API/orders",     "/api/Orders",  "/api/orders/",
                                      "/api/order",      "/api/orderss", "/api",
                                      "/api/orders/x/y", "/health/",     "/healthz",
                                      "/a/1/b/",         "/a//b/2",      "",
                                      "/api/orders/x/",  "//",           "/x"};
  for (size_t i = 0; i < BUS_COUNT(paths); i++)
    assert_no_path(paths[i]);
}

TEST(head_goes_where_get_goes)
{
  assert_route("HEAD", "/api/orders", 1);
  struct http_match found;
  assert_int_equal(match("HEAD", "/api/orders/x/cancel", &found), HTTP_NO_METHOD);
}

TEST(e9_a_method_that_the_path_has_not_is_told_what_it_has)
{
  static const char *const methods[] = {"PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "FOO", "DELETE", "get"};
  struct http_match found;
  for (size_t i = 0; i < BUS_COUNT(methods); i++) {
    assert_int_equal(match(methods[i], "/api/orders", &found), HTTP_NO_METHOD);
    assert_string_equal(found.allow, "POST, GET, HEAD");
    assert_int_equal(match(methods[i], "/api/orders/x/cancel", &found), HTTP_NO_METHOD);
    assert_string_equal(found.allow, "POST");
  }
}

TEST(method_labels_are_bounded)
{
  assert_string_equal(http_method_label("POST"), "POST");
  assert_string_equal(http_method_label("HEAD"), "HEAD");
  assert_string_equal(http_method_label("PROPFIND"), "other");
  assert_string_equal(http_method_label(""), "other");
}

static bool is_refused(struct bus_http_route route) {
  struct bus_error err = {0};
  bool accepted = http_routes_check(&route, 1, &err);
  assert_true(accepted || err.code == BUS_E_CONFIG);
  return !accepted;
}

TEST(a_table_that_cannot_work_is_refused)
{
  struct bus_error err;
  assert_true(http_routes_check(routes, BUS_COUNT(routes), &err));
  assert_true(is_refused((struct bus_http_route){.method = "GET", .path = "/a"}));
  assert_true(is_refused((struct bus_http_route){.method = "BREW", .path = "/a", .handler = handler}));
  assert_true(is_refused((struct bus_http_route){.method = "GET", .path = "a", .handler = handler}));
  assert_true(is_refused((struct bus_http_route){.method = "GET", .path = "", .handler = handler}));
  assert_true(is_refused(
      (struct bus_http_route){.method = "GET", .path = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", .handler = handler}));
}

struct request {
  struct bus_str id;
  struct bus_uuid *list;
  size_t list_count;
};
static const struct bus_schema item = {.name = "item"};
static const struct bus_field id[] = {
    BUS_FIELD_STRING(struct request, id, BUS_ID, 1, BUS_ID_MAX, BUS_REQUIRED, "thing")};
static const struct bus_field list[] = {
    BUS_FIELD_ARRAY(struct request, list, list_count, struct bus_uuid, &item, 0, 9, BUS_OPTIONAL, "things")};

static struct bus_http_route row(const char *path, const struct bus_http_input *input, size_t body_limit) {
  return (struct bus_http_route){
      .method = "POST", .path = path, .handler = handler, .input = input, .body_limit = body_limit};
}

TEST(an_input_that_cannot_work_is_refused)
{
  const struct bus_schema *good = BUS_TABLE(struct request, id), *bad = BUS_TABLE(struct request, list);
  const size_t size = sizeof(struct request);
  assert_false(is_refused(row("/{id}", &(struct bus_http_input){.size = size, .path = good}, 0)));
  assert_true(is_refused(row("/", &(struct bus_http_input){.size = size, .path = good}, 0)));
  assert_true(is_refused(row("/{id}", &(struct bus_http_input){.size = size, .query = good}, 0)));
  assert_true(is_refused(row("/{id}", &(struct bus_http_input){.size = 1, .path = good}, 0)));
  assert_true(is_refused(row("/", &(struct bus_http_input){.size = size, .query = bad}, 0)));
  assert_false(is_refused(row("/", &(struct bus_http_input){.size = size, .body = bad}, 9)));
  assert_true(is_refused(row("/", &(struct bus_http_input){.size = size, .body = bad}, 0)));
  assert_true(is_refused(row("/", &(struct bus_http_input){.size = size}, 9)));
  assert_true(is_refused(row("/", &(struct bus_http_input){.size = size, .key = &id[0]}, 0)));
}
