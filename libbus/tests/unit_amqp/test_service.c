/* A broker that DNS names: its hosts are asked for anew, and tried in order. */
#include "connection_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "fake_dns.h"

static uint16_t port_of(const struct fake_broker *broker) {
  return (uint16_t)strtol(strrchr(fake_broker_url(broker), ':') + 1, NULL, 10);
}

static const char url[] = "amqp+srv://tester:secret@mq.example/test";

static struct dns_answer answer_of(const uint16_t *ports) {
  struct dns_answer answer;
  dns_answer_begin(&answer, "_amqp._tcp.mq.example", 0);
  for (uint16_t i = 0; ports[i]; i++)
    dns_answer_add(&answer, i, 0, ports[i], "localhost");
  return answer;
}

TEST(service_hosts_are_tried_in_order)
{
  char asked[SRV_NAME_MAX];
  struct fake_broker *broker = fake_broker_start();
  const struct dns_answer answer = answer_of((const uint16_t[]){1, 2, port_of(broker), 3, 0});
  struct fake_dns *dns = fake_dns_start(&answer);
  const struct bus_amqp_settings settings = {.url = url, .dns_server = fake_dns_address(dns), .open_timeout_ms = 2000};
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  if (!bus_amqp_open(&settings, &amqp, &err))
    fail_msg("%s", err.text);
  assert_string_equal(fake_dns_asked(dns, asked), "_amqp._tcp.mq.example");
  assert_int_equal(strtol(strchr(bus_amqp_peer(amqp), ':') + 1, NULL, 10), port_of(broker));
  bus_amqp_free(amqp);
  fake_broker_stop(broker);
  fake_dns_stop(dns);
}

static void assert_away(const struct bus_amqp_settings *settings, const char *cause) {
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  assert_false(bus_amqp_open(settings, &amqp, &err));
  assert_null(amqp);
  assert_int_equal(err.code, BUS_E_AMQP_CONNECTION);
  if (!strstr(err.text, "_amqp._tcp.mq.example") || !strstr(err.text, cause) || strstr(err.text, "secret"))
    fail_msg("%s", err.text);
}

TEST(service_that_dns_does_not_know_is_a_lost_connection)
{
  struct dns_answer answer;
  dns_answer_begin(&answer, "_amqp._tcp.mq.example", 3);
  struct fake_dns *dns = fake_dns_start(&answer);
  struct bus_amqp_settings settings = {.url = url, .dns_server = fake_dns_address(dns), .open_timeout_ms = 500};
  assert_away(&settings, "the name does not exist");
  answer = answer_of((const uint16_t[]){1, 2, 0});
  fake_dns_answer(dns, &answer);
  assert_away(&settings, "port 2"); /* the last that was tried */
  fake_dns_stop(dns);
}

TEST(service_tries_eight_hosts)
{
  const struct dns_answer answer = answer_of((const uint16_t[]){1, 2, 3, 4, 5, 6, 7, 8, 9, 0});
  struct fake_dns *dns = fake_dns_start(&answer);
  const struct bus_amqp_settings settings = {.url = url, .dns_server = fake_dns_address(dns), .open_timeout_ms = 500};
  assert_away(&settings, "port 8");
  fake_dns_stop(dns);
}

TEST(service_with_a_wrong_dns_server_does_not_start)
{
  const struct bus_amqp_settings settings = {.url = url, .dns_server = "localhost"};
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  assert_false(bus_amqp_open(&settings, &amqp, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
}
