/* The edge's variables: defaults, the breaker's numbers, and the list of hosts. */
#include "settings.h"
#include "test.h"

#include <bus/error.h>
#include <bus/log.h>

struct variables {
  const char *names[4], *values[4];
};

static const char *lookup(void *context, const char *name) {
  const struct variables *variables = context;
  for (int i = 0; i < 4 && variables->names[i]; i++)
    if (strcmp(variables->names[i], name) == 0)
      return variables->values[i];
  return NULL;
}

#define URL "amqp://edge:secret@127.0.0.1:5673/orderbus"

TEST(defaults_are_those_of_the_documentation)
{
  struct variables variables = {{"RABBITMQ_URL"}, {URL}};
  struct bus_error err;
  assert_true(bus_config_read(&edge_option_table, 1, lookup, &variables, &err));
  assert_int_equal(edge_settings.port, 8080);
  assert_int_equal(edge_settings.admin_port, 8084);
  assert_string_equal(edge_settings.bind, "127.0.0.1");
  assert_int_equal(edge_settings.http_threads, 256);
  assert_int_equal(edge_settings.accept_timeout_ms, 500);
  assert_int_equal(edge_settings.accept_total_ms, 2000);
  assert_int_equal(edge_settings.query_timeout_ms, 2000);
  assert_int_equal(edge_settings.prefer_wait_max_s, 30);
  assert_string_equal(edge_settings.payment_default_token, "pm_card_visa");
  assert_string_equal(edge_settings.allowed_hosts, "localhost,127.0.0.1,[::1]");
  const struct bus_breaker_settings breaker = edge_breaker_settings(&edge_settings);
  assert_int_equal(edge_settings.access_log, BUS_ACCESS_ALL);
  assert_false(edge_settings.public_metrics);
  assert_int_equal(breaker.threshold, 5);
  assert_int_equal(breaker.share_percent, 50);
  assert_int_equal(breaker.first_rest, BUS_SECOND);
  assert_int_equal(breaker.time_limit, 2 * BUS_SECOND);
  assert_int_equal(breaker.window, 10 * BUS_SECOND);
  assert_int_equal(breaker.open_for, 30 * BUS_SECOND);
  assert_int_equal(breaker.success_threshold, 2);
  bus_config_done(&edge_option_table, 1);
}

TEST(a_missing_url_stops_the_start_with_its_name)
{
  struct variables variables = {{NULL}, {NULL}};
  struct bus_error err;
  assert_false(bus_config_read(&edge_option_table, 1, lookup, &variables, &err));
  assert_non_null(strstr(err.text, "RABBITMQ_URL"));
}

TEST(a_malformed_value_is_named_with_its_range_and_secrets_are_not_shown)
{
  struct variables variables = {{"RABBITMQ_URL", "HTTP_THREADS"}, {URL, "many"}};
  struct bus_error err;
  assert_false(bus_config_read(&edge_option_table, 1, lookup, &variables, &err));
  assert_non_null(strstr(err.text, "HTTP_THREADS"));
  assert_non_null(strstr(err.text, "4096"));
  assert_null(strstr(err.text, "secret"));
}

TEST(hosts_are_names_between_commas)
{
  struct edge_list hosts;
  struct bus_error err;
  assert_true(edge_hosts_parse("localhost,127.0.0.1,[::1]", &hosts, &err));
  assert_string_equal(hosts.items[0], "localhost");
  assert_string_equal(hosts.items[1], "127.0.0.1");
  assert_string_equal(hosts.items[2], "[::1]");
  assert_null(hosts.items[3]);
}

TEST(empty_or_too_many_hosts_are_refused_by_name)
{
  struct edge_list hosts;
  struct bus_error err;
  char longer[EDGE_LIST_TEXT + 1] = "";
  memset(longer, 'a', sizeof longer - 1);
  const char *const bad[] = {
      "", ",", "a,,b", "a,", ",a", "1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,20,1,2,3,4,5,6,7,8,9,30,1,2,3", longer};
  for (size_t i = 0; i < BUS_COUNT(bad); i++) {
    assert_false(edge_hosts_parse(bad[i], &hosts, &err));
    assert_non_null(strstr(err.text, "ALLOWED_HOSTS"));
  }
}

TEST(origins_are_schemes_and_authorities)
{
  struct edge_list origins;
  struct bus_error err;
  assert_true(edge_origins_parse("", &origins, &err));
  assert_null(origins.items[0]);
  assert_true(edge_origins_parse("https://shop.example,http://localhost:3000,http://[::1]:80", &origins, &err));
  assert_string_equal(origins.items[1], "http://localhost:3000");
  assert_null(origins.items[3]);
  assert_true(edge_origins_parse("*", &origins, &err));
  static const char *const bad[] = {
      "shop.example", "https://shop.example/", "https://", "https://Shop.example", "https://a,,https://b", "null", "**",
      "https://a b"};
  for (size_t i = 0; i < BUS_COUNT(bad); i++) {
    assert_false(edge_origins_parse(bad[i], &origins, &err));
    assert_non_null(strstr(err.text, "CORS_ORIGINS"));
  }
}

static bool starts(const char *auth, const char *bind, const char *issuer, const char *algorithms) {
  struct bus_error err;
  int mode = strcmp(auth, "own") == 0 ? EDGE_AUTH_OWN : EDGE_AUTH_OIDC;
  const struct edge_settings settings = {.auth = strcmp(auth, "off") == 0 ? EDGE_AUTH_OFF : mode,
                                         .bind = bind,
                                         .oidc_issuer = issuer,
                                         .oidc_algorithms = algorithms};
  return edge_settings_check(&settings, &err);
}

TEST(A3_without_tokens_the_edge_is_on_loopback)
{
  assert_true(starts("off", "127.0.0.1", "", "") && starts("off", "127.1.2.3", "", "") &&
              starts("off", "[::1]", "", ""));
  assert_false(starts("off", "0.0.0.0", "", "") || starts("off", "[::]", "", "") || starts("off", "10.0.0.1", "", "") ||
               starts("off", "", "", ""));
  assert_true(starts("oidc", "0.0.0.0", "https://id.example/realm", "ES256"));
  assert_true(starts("own", "0.0.0.0", "our shop", "")); /* any text: the keys come by the bus */
  assert_false(starts("oidc", "127.0.0.1", "", "ES256") || starts("own", "127.0.0.1", "", "ES256"));
  static const char *const lists[] = {"", "HS256", "ES256,none", "ES256,,RS256", "es256", "ES256 "};
  for (size_t i = 0; i < BUS_COUNT(lists); i++)
    assert_false(starts("oidc", "127.0.0.1", "https://id.example", lists[i]));
  assert_true(starts("oidc", "127.0.0.1", "https://id.example", "RS256,ES256,PS256"));
}

TEST(P1_key_sets_come_by_https_or_from_loopback)
{
  static const char *const safe[] = {"https://id.example", "https://id.example:8443/a", "http://127.0.0.1:9",
                                     "http://localhost/x", "http://[::1]:80/"};
  static const char *const unsafe[] = {"",
                                       "id.example",
                                       "https://",
                                       "https:///x",
                                       "HTTPS://id.example",
                                       "http://id.example",
                                       "http://127.0.0.1.example",
                                       "http://localhost.example",
                                       "http://127.0.0.1@id.example",
                                       "https://u:p@id.example",
                                       "https://id.example/a b",
                                       "https://id.example\\x",
                                       "https://id.example#x",
                                       "file:///etc/passwd"};
  for (size_t i = 0; i < BUS_COUNT(safe); i++)
    assert_true(edge_url_is_safe(bus_str(safe[i]), true));
  for (size_t i = 0; i < BUS_COUNT(unsafe); i++)
    if (edge_url_is_safe(bus_str(unsafe[i]), true))
      fail_msg("taken: %s", unsafe[i]);
  assert_false(edge_url_is_safe(bus_str(safe[2]), false));
}
