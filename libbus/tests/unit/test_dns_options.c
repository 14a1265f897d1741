/* core/dns_options.c: the address of a DNS server. */
#include <bus/dns_options.h>

#include <test.h>

TEST(dns_server_of_a_variable)
{
  struct bus_dns_server server;
  assert_true(bus_dns_server_parse("127.0.0.1:8600", &server, NULL));
  assert_int_equal(server.port, 8600);
  assert_memory_equal(server.address, ((const uint8_t[]){127, 0, 0, 1}), 4);
  assert_true(bus_dns_server_parse("10.0.0.255:65535", &server, NULL));
  assert_int_equal(server.port, 65535);
}

TEST(dns_servers_of_the_system)
{
  struct bus_dns_server server = {.port = 1};
  assert_true(bus_dns_server_parse("", &server, NULL));
  assert_int_equal(server.port, 0);
  server.port = 1;
  assert_true(bus_dns_server_parse(NULL, &server, NULL));
  assert_int_equal(server.port, 0);
}

TEST(dns_server_that_is_malformed_is_named)
{
  static const char *const wrong[] = {
      "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",    "127.0.0.1:65536",          "127.0.0.1:53x", ":53", "localhost:53",
      "1.2.3:53",  "[::1]:53",   "127.0.0.1:53:1", "1111111111111111111111:53"};
  for (size_t i = 0; i < BUS_COUNT(wrong); i++) {
    struct bus_error err = {.code = BUS_OK};
    if (bus_dns_server_check(wrong[i], &err))
      fail_msg("taken: %s", wrong[i]);
    assert_int_equal(err.code, BUS_E_CONFIG);
    assert_non_null(strstr(err.text, wrong[i]));
  }
}
