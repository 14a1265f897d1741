/* The pair of a certificate and its key among the variables of TLS. */
#include <bus/tls_options.h>

#include "test.h"

TEST(tls_options_an_empty_path_is_none)
{
  assert_null(bus_tls_path(NULL));
  assert_null(bus_tls_path(""));
  assert_string_equal(bus_tls_path("/ca.pem"), "/ca.pem");
}

TEST(tls_options_certificate_and_key_come_together)
{
  struct bus_error err;
  const struct bus_tls_files none = {.ca = "/ca.pem", .cert = "", .key = NULL}, both = {.cert = "/c", .key = "/k"},
                             cert = {.cert = "/c", .key = ""}, key = {.key = "/k"};
  assert_true(bus_tls_files_check(&none, "RABBITMQ", &err));
  assert_true(bus_tls_files_check(&both, "RABBITMQ", &err));
  assert_false(bus_tls_files_check(&cert, "RABBITMQ", &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_string_equal(err.text, "RABBITMQ_CERT_FILE is set and RABBITMQ_KEY_FILE is not: set both or none");
  assert_false(bus_tls_files_check(&key, "TLS", &err));
  assert_string_equal(err.text, "TLS_KEY_FILE is set and TLS_CERT_FILE is not: set both or none");
}
