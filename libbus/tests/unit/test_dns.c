/* runtime/dns.c against a server that answers well, wrongly, or not at all. */
#include <bus/clock.h>

#include <test.h>

#include <stdlib.h>

#include "../../src/runtime/dns.h"
#include "fake_dns.h"

static const char name[] = "_amqp._tcp.mq.example";

static void assert_no_hosts(const char *server, const char *cause) {
  struct bus_error err = {.code = BUS_OK};
  assert_null(dns_find(name, server, &err));
  if (!strstr(err.text, name) || !strstr(err.text, server) || !strstr(err.text, cause))
    fail_msg("%s, not %s", err.text, cause);
}

TEST(dns_hosts_in_their_order)
{
  struct dns_answer answer;
  char asked[SRV_NAME_MAX];
  dns_answer_begin(&answer, name, 0);
  dns_answer_add(&answer, 2, 0, 5673, "second");
  dns_answer_add(&answer, 1, 0, 5672, "first");
  struct fake_dns *dns = fake_dns_start(&answer);
  struct bus_error err;
  struct srv_records *records = dns_find(name, fake_dns_address(dns), &err);
  if (!records) {
    fail_msg("%s", err.text);
    return;
  }
  assert_int_equal(records->count, 2);
  assert_string_equal(records->items[0].target, "first");
  assert_int_equal(records->items[0].port, 5672);
  assert_string_equal(records->items[1].target, "second");
  assert_string_equal(fake_dns_asked(dns, asked), name);
  free(records);
  fake_dns_stop(dns);
}

TEST(dns_answers_without_hosts)
{
  static const struct {
    int code;
    const char *cause;
  } codes[] = {{0, "the name has no records SRV"},
               {2, "no answer from a server that knows the name"}, /* SERVFAIL */
               {3, "the name does not exist"}};
  struct dns_answer answer;
  struct fake_dns *dns = fake_dns_start(NULL);
  for (size_t i = 0; i < BUS_COUNT(codes); i++) {
    dns_answer_begin(&answer, name, codes[i].code);
    fake_dns_answer(dns, &answer);
    assert_no_hosts(fake_dns_address(dns), codes[i].cause);
  }
  dns_answer_begin(&answer, name, 0);
  dns_answer_add(&answer, 0, 0, 0, "");
  fake_dns_answer(dns, &answer);
  assert_no_hosts(fake_dns_address(dns), "no record SRV of it has a host name and a port");
  dns_answer_begin(&answer, name, 0);
  dns_answer_add_raw(&answer, 33, 1, "short", 5);
  fake_dns_answer(dns, &answer);
  assert_no_hosts(fake_dns_address(dns), "the answer is malformed");
  fake_dns_stop(dns);
}

TEST(dns_server_that_stays_silent_blocks_for_two_seconds)
{
  struct fake_dns *dns = fake_dns_start(NULL);
  int64_t before = bus_monotonic();
  assert_no_hosts(fake_dns_address(dns), "no answer from a server that knows the name");
  assert_in_range(bus_monotonic() - before, 3 * BUS_SECOND / 2, 7 * BUS_SECOND / 2);
  fake_dns_stop(dns);
}

TEST(dns_server_that_is_away)
{
  char address[32];
  struct fake_dns *dns = fake_dns_start(NULL);
  memcpy(address, fake_dns_address(dns), sizeof address);
  fake_dns_stop(dns);
  assert_no_hosts(address, "the server is away");
}

TEST(dns_server_that_is_malformed)
{
  struct bus_error err;
  assert_null(dns_find(name, "nowhere", &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
}
