/* Addresses, networks, and the client behind trusted proxies. */
#include <bus/network.h>

#include "test.h"

static bool parses(const char *text) {
  struct bus_address address;
  return bus_address_parse(bus_str(text), &address);
}

TEST(addresses_have_one_spelling_of_numbers)
{
  static const char *const good[] = {"192.0.2.1", "0.0.0.0",     "255.255.255.255",
                                     "::",        "2001:db8::1", "::ffff:192.0.2.1"};
  static const char *const bad[] = {"",
                                    "192.0.2",
                                    "192.0.2.256",
                                    "192.0.2.01",
                                    "0x7f.1",
                                    "1.2.3.4 ",
                                    "[::1]",
                                    "2001:db8::1%lo",
                                    "2001:db8:::1",
                                    "localhost",
                                    "1.2.3.4/8",
                                    "3232235521",
                                    "2001:0db8:0000:0000:0000:0000:0000:0000:0001"};
  for (size_t i = 0; i < BUS_COUNT(good); i++)
    assert_true(parses(good[i]));
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    if (parses(bad[i]))
      fail_msg("%s is no address", bad[i]);
}

static bool same(const char *peer, const char *plain) {
  struct bus_address a, b;
  assert_true(bus_address_parse(bus_str(plain), &b));
  return bus_address_parse_peer(bus_str(peer), &a) && memcmp(&a, &b, sizeof a) == 0;
}

TEST(a_peer_may_have_a_port_and_brackets)
{
  struct bus_address address;
  static const char *const bad[] = {"192.0.2.1:",
                                    "192.0.2.1:x",
                                    "192.0.2.1:99999",
                                    "[2001:db8::1",
                                    "[]",
                                    "[2001:db8::1]443",
                                    "[2001:db8::1]:",
                                    "unknown",
                                    "[",
                                    ":1",
                                    "[2001:db8::1]:4:5"};
  assert_true(same("192.0.2.1:4711", "192.0.2.1"));
  assert_true(same("[2001:db8::1]:443", "2001:db8::1"));
  assert_true(same("[2001:db8::1]", "2001:db8::1"));
  assert_true(same("::ffff:192.0.2.1", "192.0.2.1"));
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    if (bus_address_parse_peer(bus_str(bad[i]), &address))
      fail_msg("%s is no peer", bad[i]);
}

static bool has(const char *networks, const char *text) {
  struct bus_networks parsed;
  struct bus_address address;
  struct bus_error err;
  assert_true(bus_networks_parse(networks, &parsed, &err));
  assert_true(bus_address_parse(bus_str(text), &address));
  return bus_networks_have(&parsed, &address);
}

TEST(networks_have_their_addresses_alone)
{
  assert_false(has("", "127.0.0.1"));
  assert_true(has("10.0.0.0/8, 192.0.2.1", "10.255.0.1"));
  assert_true(has("10.0.0.0/8,192.0.2.1", "192.0.2.1"));
  assert_false(has("10.0.0.0/8,192.0.2.1", "192.0.2.2"));
  assert_false(has("10.0.0.0/8", "11.0.0.1"));
  assert_true(has("172.16.0.0/12", "172.31.255.255"));
  assert_false(has("172.16.0.0/12", "172.32.0.0"));
  assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
  assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
  assert_true(has("127.0.0.0/8", "::ffff:127.0.0.1"));
  assert_false(has("::1", "127.0.0.1"));
  assert_true(has("0.0.0.0/0", "8.8.8.8"));
  assert_false(has("0.0.0.0/0", "2001:db8::1"));
}

TEST(a_list_that_is_no_list_of_networks_is_refused)
{
  static const char *const bad[] = {"10.0.0.0/33",  "10.0.0.1/8",     "10.0.0.0/",   "proxy.example",
                                    "10.0.0.0/8,,", "2001:db8::/129", "10.0.0.0/-1", "1.2.3.4;5.6.7.8"};
  struct bus_networks parsed;
  struct bus_error err;
  char many[BUS_NETWORKS_MAX * 8 + 64] = "";
  for (size_t i = 0; i < BUS_COUNT(bad); i++)
    if (bus_networks_parse(bad[i], &parsed, &err))
      fail_msg("%s is no list of networks", bad[i]);
  for (size_t i = 0; i <= BUS_NETWORKS_MAX; i++)
    memcpy(many + 8 * i, "1.2.3.4,", 9);
  assert_false(bus_networks_parse(many, &parsed, &err));
}

/* The client that a chain names; header: entries from left to right. */
static bool client_is(const char *peer, const char *const *entries, size_t count, const char *wanted) {
  struct bus_networks trusted;
  struct bus_address client, expected;
  struct bus_error err;
  assert_true(bus_networks_parse("10.0.0.0/8", &trusted, &err));
  assert_true(bus_address_parse(bus_str(peer), &client) && bus_address_parse(bus_str(wanted), &expected));
  while (count > 0 && bus_forwarded_step(&trusted, bus_str(entries[count - 1]), &client))
    count--;
  return memcmp(&client, &expected, sizeof client) == 0;
}
#define CLIENT(peer, wanted, ...)                                                                                      \
  client_is(peer, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),     \
            wanted)

TEST(R2_the_client_is_the_last_address_that_no_trusted_proxy_has)
{
  assert_true(CLIENT("192.0.2.9", "192.0.2.9", "203.0.113.1"));
  assert_true(CLIENT("10.0.0.1", "203.0.113.1", "203.0.113.1"));
  assert_true(CLIENT("10.0.0.1", "203.0.113.1", "1.1.1.1", "203.0.113.1"));
  assert_true(CLIENT("10.0.0.1", "203.0.113.1", "1.1.1.1", " 203.0.113.1:1234", "10.0.0.7 "));
  assert_true(CLIENT("10.0.0.1", "10.0.0.9", "10.0.0.9", "10.0.0.7"));
  assert_true(CLIENT("10.0.0.1", "10.0.0.7", "203.0.113.1", "unknown", "10.0.0.7"));
  assert_true(CLIENT("10.0.0.1", "10.0.0.1", ""));
}

TEST(a_limit_counts_half_of_an_ipv6_address)
{
  struct bus_address v4, v6;
  assert_true(bus_address_parse(BUS_STR("192.0.2.1"), &v4) && bus_address_parse(BUS_STR("2001:db8::1"), &v6));
  assert_int_equal(bus_address_counted(&v4), 16);
  assert_int_equal(bus_address_counted(&v6), 8);
}
