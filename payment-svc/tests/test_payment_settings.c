/* payment-svc's variables: defaults, what is refused, and what becomes of them. */
#include "sample.h"

#include <payment_settings.h>
#include <stdlib.h>
#include <test.h>

struct variable {
  const char *name, *value;
};

static const char *lookup(void *context, const char *name) {
  for (const struct variable *variable = context; variable->name; variable++)
    if (strcmp(variable->name, name) == 0)
      return variable->value;
  return NULL;
}

static bool read_settings(struct variable *variables, struct payment_settings *settings, struct bus_error *err) {
  const struct bus_option_table table = {payment_options, BUS_COUNT(payment_options), settings};
  memset(settings, 0, sizeof *settings);
  return bus_config_read(&table, 1, lookup, variables, err) && payment_settings_check(settings, err);
}

static void settings_done(struct payment_settings *settings) {
  const struct bus_option_table table = {payment_options, BUS_COUNT(payment_options), settings};
  bus_config_done(&table, 1);
}

TEST(settings_defaults_are_the_designs)
{
  struct variable variables[] = {{"PSP_KEY", "sk_test_12345"}, {NULL, NULL}};
  struct payment_settings settings;
  struct bus_error err;
  assert_true(read_settings(variables, &settings, &err));
  const struct payment_policy policy = payment_policy_of(&settings), meant = {PAYMENT_POLICY_DEFAULTS};
  assert_memory_equal(&policy, &meant, sizeof policy);
  const struct bus_breaker_settings breaker = payment_breaker_of(&settings), standard = BUS_BREAKER_DEFAULTS;
  assert_int_equal(breaker.threshold, standard.threshold);
  assert_int_equal(breaker.share_percent, standard.share_percent);
  assert_int_equal(breaker.first_rest, standard.first_rest);
  assert_int_equal(breaker.time_limit, 7 * BUS_SECOND);
  assert_int_equal(breaker.window, standard.window);
  assert_int_equal(breaker.open_for, standard.open_for);
  assert_int_equal(breaker.success_threshold, standard.success_threshold);
  const struct bus_http_client_settings http = payment_http_of(&settings);
  assert_int_equal(http.connect_timeout_ms, 2000);
  assert_int_equal(http.read_timeout_ms, 5000);
  assert_int_equal(http.total_timeout_ms, 7000);
  assert_int_equal(http.max_connections, 32);
  assert_int_equal(http.max_response, 65536);
  assert_true(http.allow_plain);
  assert_null(http.ca_file);
  settings_done(&settings);
}

TEST(settings_table_is_complete)
{
  for (size_t i = 0; i < BUS_COUNT(payment_options); i++) {
    assert_non_null(payment_options[i].name);
    assert_non_null(payment_options[i].description);
    assert_int_equal(payment_options[i].secret, strcmp(payment_options[i].name, "PSP_KEY") == 0);
  }
}

TEST(settings_wrong_ones_are_named)
{
  static const struct {
    struct variable variable;
    const char *named;
  } cases[] = {
      {{"PSP_KEY", NULL}, "PSP_KEY"},
      {{"PSP_KEY", "sk test 12345"}, "PSP_KEY"},
      {{"PSP_KEY", "sk_test\r\nX: y"}, "PSP_KEY"},
      {{"PSP_URL", "http://psp.example"}, "PSP_URL"},
      {{"PSP_URL", "https://psp.example/v1"}, "PSP_URL"},
      {{"PSP_LEASE_MS", "8999"}, "PSP_LEASE_MS"},
      {{"PSP_TIMEOUT_MS", "29000"}, "PSP_LEASE_MS"},
      {{"RETRY_SLOW_MAX_MS", "29999"}, "RETRY_SLOW_MAX_MS"},
      {{"RETRY_MAX_ATTEMPTS", "0"}, "RETRY_MAX_ATTEMPTS"},
      {{"PSP_CONCURRENCY", "many"}, "PSP_CONCURRENCY"},
      {{"PSP_KEY_LIFE_S", "86400"}, "PSP_KEY_LIFE_S"}, /* the PSP may have forgotten the key by then */
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    struct variable variables[] = {cases[i].variable, {"PSP_KEY", "sk_test_12345"}, {NULL, NULL}};
    if (!cases[i].variable.value)
      variables[1].name = "UNUSED";
    struct payment_settings settings;
    struct bus_error err = {.code = BUS_OK};
    assert_false(read_settings(variables, &settings, &err));
    assert_int_equal(err.code, BUS_E_CONFIG);
    if (!strstr(err.text, cases[i].named) || strstr(err.text, "sk"))
      fail_msg("%s", err.text);
    settings_done(&settings);
  }
}

TEST(settings_plain_http_elsewhere_on_purpose)
{
  struct variable variables[] = {
      {"PSP_KEY", "sk_test_12345"}, {"PSP_URL", "http://psp-sandbox:8090"}, {"PSP_ALLOW_PLAIN", "true"}, {NULL, NULL}};
  struct payment_settings settings;
  struct bus_error err;
  assert_true(read_settings(variables, &settings, &err));
  assert_true(payment_http_of(&settings).allow_plain);
  settings_done(&settings);
}

TEST(settings_https_forbids_plain)
{
  struct variable variables[] = {
      {"PSP_KEY", "sk_test_12345"}, {"PSP_URL", "https://api.stripe.com"}, {"PSP_CA_FILE", "/ca.pem"}, {NULL, NULL}};
  struct payment_settings settings;
  struct bus_error err;
  assert_true(read_settings(variables, &settings, &err));
  assert_false(payment_http_of(&settings).allow_plain);
  assert_string_equal(payment_http_of(&settings).ca_file, "/ca.pem");
  settings_done(&settings);
}
