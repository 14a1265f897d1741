/* URLs and addresses: a table of what is refused, and of what is not. */
#include "notify_url.h"

#include <test.h>

static struct notify_policy policy(bool allow_local) {
  struct notify_policy made = {.allow_local = allow_local};
  struct bus_error err;
  assert_true(notify_ports_parse("443,8443", &made, &err));
  return made;
}

static bool is_allowed(const char *url, bool allow_local, char why[WEBHOOK_REASON_MAX + 1]) {
  struct notify_policy made = policy(allow_local);
  return notify_url_check(bus_str(url), &made, why);
}

TEST(url_P6_of_a_public_host_is_taken)
{
  static const char *const urls[] = {"https://example.org",
                                     "https://example.org/hooks?key=a%20b",
                                     "https://example.org:443/",
                                     "https://example.org:8443/x",
                                     "https://93.184.216.34/x",
                                     "https://[2606:2800:220:1:248:1893:25c8:1946]:8443/x",
                                     "https://xn--bcher-kva.example/x",
                                     "https://a.example?x=1"};
  char why[WEBHOOK_REASON_MAX + 1];
  for (size_t i = 0; i < BUS_COUNT(urls); i++)
    if (!is_allowed(urls[i], false, why))
      fail_msg("%s: %s", urls[i], why);
}

TEST(url_P6_of_all_else_is_refused)
{
  static const struct {
    const char *url, *why;
  } cases[] = {
      {"http://example.org/x", "https://"},
      {"HTTPS://example.org/x", "https://"},
      {"ftp://example.org/x", "https://"},
      {"file:///etc/passwd", "https://"},
      {"gopher://example.org/", "https://"},
      {"https://ann:secret@example.org/x", "user or password"},
      {"https://example.org@127.0.0.1/", "user or password"},
      {"https://example.org:22/x", "one of 443, 8443"},
      {"https://example.org:0443x/", "one of 443, 8443"},
      {"https://example.org:/x", "one of 443, 8443"},
      {"https://example.org:99999/", "one of 443, 8443"},
      {"https:///x", "name its host"},
      {"https://?x", "name its host"},
      {"https://-example.org/", "name its host"},
      {"https://exa_mple.org/", "name its host"},
      {"https://127.1/", "name its host"},
      {"https://2130706433/", "name its host"},
      {"https://0x7f.1/", "name its host"},
      {"https://[::1/", "https://host"},
      {"https://[fe80::1%25eth0]/", "name its host"},
      {"https://[::1]x/", "https://host"},
      {"https://example.org/#part", "fragment"},
      {"https://example.org/a b", "characters"},
      {"https://example.org/\\x", "characters"},
      {"https://ex\xC3\xA4mple.org/", "characters"},
      {"https://127.0.0.1/", "private or reserved"},
      {"https://10.0.0.1:8443/", "private or reserved"},
      {"https://169.254.169.254/latest/meta-data/", "private or reserved"},
      {"https://[::1]/", "private or reserved"},
      {"https://[::ffff:10.0.0.1]/", "private or reserved"},
  };
  char why[WEBHOOK_REASON_MAX + 1];
  for (size_t i = 0; i < BUS_COUNT(cases); i++) {
    if (is_allowed(cases[i].url, false, why))
      fail_msg("taken: %s", cases[i].url);
    if (!strstr(why, cases[i].why) || strncmp(why, "url must ", 9) != 0)
      fail_msg("%s: %s", cases[i].url, why);
  }
}

TEST(url_P6_local_use_takes_loopback_and_no_other_private_address)
{
  char why[WEBHOOK_REASON_MAX + 1];
  assert_true(is_allowed("http://127.0.0.1:18080/x", true, why));
  assert_true(is_allowed("https://localhost:1/x", true, why));
  assert_true(is_allowed("http://[::1]:9/x", true, why));
  assert_false(is_allowed("http://10.0.0.1/x", true, why));
  assert_false(is_allowed("http://169.254.169.254/x", true, why));
  assert_false(is_allowed("http://a@localhost/x", true, why));
}

TEST(address_P6_classes)
{
  static const char *const refused[] = {"0.0.0.0",
                                        "0.255.255.255",
                                        "10.0.0.0",
                                        "10.255.255.255",
                                        "100.64.0.0",
                                        "100.127.255.255",
                                        "127.0.0.1",
                                        "127.255.255.255",
                                        "169.254.0.0",
                                        "169.254.169.254",
                                        "172.16.0.0",
                                        "172.31.255.255",
                                        "192.0.0.1",
                                        "192.0.2.1",
                                        "192.88.99.1",
                                        "192.168.0.0",
                                        "192.168.255.255",
                                        "198.18.0.0",
                                        "198.19.255.255",
                                        "198.51.100.1",
                                        "203.0.113.1",
                                        "224.0.0.1",
                                        "239.255.255.255",
                                        "240.0.0.1",
                                        "255.255.255.255",
                                        "::",
                                        "::1",
                                        "::ffff:10.0.0.1",
                                        "::ffff:127.0.0.1",
                                        "::10.0.0.1",
                                        "64:ff9b::a00:1",
                                        "64:ff9b:1::a00:1",
                                        "100::1",
                                        "2001::1",
                                        "2001:0:4136::1",
                                        "2001:10::1",
                                        "2001:20::1",
                                        "2001:db8::1",
                                        "2002:a00:1::1",
                                        "3fff::1",
                                        "fc00::1",
                                        "fd00:ec2::254",
                                        "fe80::1",
                                        "fec0::1",
                                        "ff02::1",
                                        "4000::1",
                                        "::ffff:169.254.169.254"};
  static const char *const allowed[] = {
      "1.1.1.1",         "9.255.255.255",   "11.0.0.0",       "100.63.255.255", "100.128.0.0",     "126.255.255.255",
      "128.0.0.0",       "169.253.255.255", "169.255.0.0",    "172.15.255.255", "172.32.0.0",      "192.0.1.0",
      "192.167.255.255", "192.169.0.0",     "198.17.255.255", "198.20.0.0",     "223.255.255.255", "::ffff:1.1.1.1",
      "2001:200::1",     "2606:4700::1111", "2a00::1",        "3ffe::1"};
  struct bus_address address;
  for (size_t i = 0; i < BUS_COUNT(refused); i++) {
    assert_true(bus_address_parse(bus_str(refused[i]), &address));
    if (notify_address_is_allowed(&address, false))
      fail_msg("allowed: %s", refused[i]);
  }
  for (size_t i = 0; i < BUS_COUNT(allowed); i++) {
    assert_true(bus_address_parse(bus_str(allowed[i]), &address));
    if (!notify_address_is_allowed(&address, false))
      fail_msg("refused: %s", allowed[i]);
  }
}

TEST(lists_of_settings_are_strict)
{
  static const char *const wrong[] = {"",  ",",     "443,", ",443", "443,,8443",
                                      "0", "65536", "x",    "1 2",  "1,2,3,4,5,6,7,8,9"};
  struct notify_policy made;
  struct bus_error err;
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    if (notify_ports_parse(wrong[i], &made, &err))
      fail_msg("taken: %s", wrong[i]);
  assert_non_null(strstr(err.text, "WEBHOOK_PORTS"));
  assert_true(notify_schedule_parse("5,300", &made, &err));
  assert_int_equal(made.schedule_count, 2);
  assert_true(made.schedule[1] == 300 * BUS_SECOND);
  assert_false(notify_schedule_parse("5,604801", &made, &err));
  assert_non_null(strstr(err.text, "RETRY_SCHEDULE_S"));
}
