/* core/srv.c: which URLs name a service, what an answer of DNS lists, and the order of RFC 2782. */
#include "srv.h"

#include <test.h>

#include <stdio.h>

#include "dns_answer.h"

static const char asked[] = "_amqp._tcp.example";

/* ---- URLs ---- */

TEST(srv_urls_name_a_service)
{
  static const struct {
    const char *url, *name, *plain;
  } urls[] = {
      {"amqp+srv://u:p@mq.example/v", "_amqp._tcp.mq.example", "amqp://u:p@mq.example/v"},
      {"amqps+srv://u:p@mq.example", "_amqps._tcp.mq.example", "amqps://u:p@mq.example"},
      {"postgresql+srv://u:p@service.consul/db", "_postgresql._tcp.service.consul",
       "postgresql://u:p@service.consul/db"},
      {"postgres+srv://u:p?w@db_1/db?sslmode=verify-full", "_postgresql._tcp.db_1",
       "postgres://u:p?w@db_1/db?sslmode=verify-full"},
      {"postgres+srv://db-1?user=u", "_postgresql._tcp.db-1", "postgres://db-1?user=u"},
  };
  for (size_t i = 0; i < BUS_COUNT(urls); i++) {
    char name[SRV_NAME_MAX], plain[128];
    struct bus_error err;
    assert_true(srv_is_url(urls[i].url));
    assert_true(srv_url_name(urls[i].url, name, &err));
    assert_string_equal(name, urls[i].name);
    assert_true(srv_url_plain(urls[i].url, plain, sizeof plain));
    assert_string_equal(plain, urls[i].plain);
    assert_false(srv_url_plain(urls[i].url, plain, strlen(urls[i].plain)));
  }
}

TEST(srv_other_urls_name_none)
{
  static const char *const urls[] = {"amqp://u:p@h/v", "amqp+srv:/u:p@h", "http+srv://h", "postgresqlx+srv://h", "",
                                     "+srv://h"};
  for (size_t i = 0; i < BUS_COUNT(urls); i++)
    assert_false(srv_is_url(urls[i]));
  assert_false(srv_is_url(NULL));
}

TEST(srv_one_name_and_no_port)
{
  static const char *const urls[] = {"amqp+srv://u:hunter2@h:5672/v", "amqp+srv://u:hunter2@h,g/v",
                                     "amqp+srv://u:hunter2@/v",       "amqp+srv://u:hunter2@.h/v",
                                     "amqp+srv://u:hunter2@h..g",     "amqp+srv://u:hunter2@h./v",
                                     "amqp+srv://u:x@hunter2@h/v",    "amqp+srv://u:hun/hunter2@h",
                                     "amqp+srv://u:hunter2@[::1]/v",  "amqp+srv://u:hunter2@h%2Fg/v"};
  for (size_t i = 0; i < BUS_COUNT(urls); i++) {
    char name[SRV_NAME_MAX];
    struct bus_error err;
    if (srv_url_name(urls[i], name, &err))
      fail_msg("taken: %s", urls[i]);
    assert_int_equal(err.code, BUS_E_CONFIG);
    assert_null(strstr(err.text, "hun"));
    assert_non_null(strstr(err.text, "no port: the records SRV of _amqp._tcp.NAME"));
  }
}

TEST(srv_names_are_as_long_as_dns_has_them)
{
  char url[400] = "amqp+srv://u:p@", name[SRV_NAME_MAX];
  char *host = url + strlen(url);
  memset(host, 'a', 63);
  assert_true(srv_url_name(url, name, NULL));
  host[63] = 'a'; /* a label of 64 */
  assert_false(srv_url_name(url, name, NULL));
  memset(host, 'a', 253 - 11);
  for (size_t i = 50; i < 253 - 11; i += 50)
    host[i] = '.';
  assert_true(srv_url_name(url, name, NULL));
  assert_int_equal(strlen(name), 253);
  host[253 - 11] = 'a';
  assert_false(srv_url_name(url, name, NULL));
}

/* ---- answers ---- */

static void assert_decoded(const struct dns_answer *answer, struct srv_records *ret) {
  assert_true(srv_decode(answer->bytes, answer->len, ret));
}

TEST(srv_records_of_an_answer)
{
  struct dns_answer answer;
  struct srv_records records;
  static const uint8_t alias[] = {1, 'x', 0};
  dns_answer_begin(&answer, asked, 0);
  assert_decoded(&answer, &records);
  assert_int_equal(records.count, 0);
  dns_answer_add_raw(&answer, 5, 1, alias, sizeof alias); /* CNAME, which some servers send before */
  dns_answer_add(&answer, 1, 2, 5672, "one.example");
  dns_answer_add(&answer, 65535, 65535, 65535, "two");
  assert_decoded(&answer, &records);
  assert_int_equal(records.count, 2);
  assert_int_equal(records.items[0].priority, 1);
  assert_int_equal(records.items[0].weight, 2);
  assert_int_equal(records.items[0].port, 5672);
  assert_string_equal(records.items[0].target, "one.example");
  assert_int_equal(records.items[1].priority, 65535);
  assert_int_equal(records.items[1].port, 65535);
  assert_string_equal(records.items[1].target, "two");
}

/* "The service is decidedly not available", and what no connection could use. */
TEST(srv_records_that_name_no_host_are_left_out)
{
  struct dns_answer answer;
  struct srv_records records;
  static const uint8_t zero_in_label[] = {0, 0, 0, 0, 0, 1, 2, 'a', 0, 0},
                       dot_in_label[] = {0, 0, 0, 0, 0, 1, 3, 'a', '.', 'b', 0};
  dns_answer_begin(&answer, asked, 0);
  dns_answer_add(&answer, 0, 0, 1, "");
  dns_answer_add(&answer, 0, 0, 0, "no-port");
  dns_answer_add(&answer, 0, 0, 1, "two,hosts");
  dns_answer_add(&answer, 0, 0, 1, "a host");
  dns_answer_add(&answer, 0, 0, 1, "h@x/y");
  dns_answer_add_raw(&answer, 33, 1, zero_in_label, sizeof zero_in_label);
  dns_answer_add_raw(&answer, 33, 1, dot_in_label, sizeof dot_in_label);
  dns_answer_add_raw(&answer, 33, 3, "other class", 11);
  dns_answer_add(&answer, 0, 0, 1, "good");
  assert_decoded(&answer, &records);
  assert_int_equal(records.count, 1);
  assert_string_equal(records.items[0].target, "good");
}

TEST(srv_targets_may_point_back)
{
  struct dns_answer answer;
  struct srv_records records;
  /* "mq" and the question's "example" behind _amqp and _tcp: 12 + 6 + 5 */
  static const uint8_t data[] = {0, 1, 0, 1, 0x16, 0x28, 2, 'm', 'q', 0xC0, 12 + 6 + 5};
  dns_answer_begin(&answer, asked, 0);
  dns_answer_add_raw(&answer, 33, 1, data, sizeof data);
  size_t target = answer.len - 5; /* "mq" and its pointer */
  const uint8_t again[] = {0, 2, 0, 2, 0x16, 0x29, 2, 'd', 'b', 0xC0, (uint8_t)(target + 3)};
  dns_answer_add_raw(&answer, 33, 1, again, sizeof again);
  assert_decoded(&answer, &records);
  assert_int_equal(records.count, 2);
  assert_string_equal(records.items[0].target, "mq.example");
  assert_string_equal(records.items[1].target, "db.example"); /* by two pointers */
}

static void assert_malformed(const void *data, size_t len) {
  struct dns_answer answer;
  struct srv_records records;
  dns_answer_begin(&answer, asked, 0);
  dns_answer_add_raw(&answer, 33, 1, data, len);
  assert_false(srv_decode(answer.bytes, answer.len, &records));
}

TEST(srv_hostile_records_are_refused)
{
  struct dns_answer begin;
  dns_answer_begin(&begin, asked, 0);
  size_t target = begin.len + 12 + 6; /* behind the record's head and three numbers */
  const uint8_t to_itself[] = {0, 0, 0, 0, 0, 1, 0xC0, (uint8_t)target};
  const uint8_t ahead[] = {0, 0, 0, 0, 0, 1, 0xC0, (uint8_t)(target + 2), 0};
  const uint8_t loop[] = {0, 0, 0, 0, 0, 1, 1, 'a', 0xC0, (uint8_t)target};
  static const uint8_t cut[] = {0, 0, 0, 0, 0, 1, 5, 'a'}, reserved[] = {0, 0, 0, 0, 0, 1, 0x80, 0},
                       more[] = {0, 0, 0, 0, 0, 1, 1, 'a', 0, 0}, half_pointer[] = {0, 0, 0, 0, 0, 1, 0xC0};
  assert_malformed(to_itself, sizeof to_itself);
  assert_malformed(ahead, sizeof ahead);
  assert_malformed(loop, sizeof loop);
  assert_malformed(cut, sizeof cut);
  assert_malformed(reserved, sizeof reserved);
  assert_malformed(more, sizeof more);
  assert_malformed(half_pointer, sizeof half_pointer);
  assert_malformed("", 0);
  assert_malformed("\0\0\0\0\0", 5);
}

TEST(srv_a_name_that_is_too_long_is_refused)
{
  uint8_t data[6 + 5 * 60 + 1] = {0, 0, 0, 0, 0, 1};
  for (size_t i = 0; i < 5; i++) {
    data[6 + i * 60] = 59;
    memset(data + 7 + i * 60, 'a', 59);
  }
  assert_malformed(data, sizeof data);
}

TEST(srv_an_answer_that_is_cut_anywhere_is_refused)
{
  struct dns_answer answer;
  struct srv_records records;
  dns_answer_begin(&answer, asked, 0);
  dns_answer_add(&answer, 1, 2, 5672, "one.example");
  dns_answer_add_raw(&answer, 5, 1, "an alias", 8);
  for (size_t len = 0; len < answer.len; len++) {
    uint8_t *exact = memcpy(test_malloc(len + 1), answer.bytes, len);
    assert_false(srv_decode(exact, len, &records));
    test_free(exact);
  }
}

TEST(srv_more_records_than_there_is_room_for)
{
  struct dns_answer answer;
  struct srv_records records;
  dns_answer_begin(&answer, asked, 0);
  for (size_t i = 0; i < SRV_RECORDS_MAX + 3; i++)
    dns_answer_add(&answer, (uint16_t)i, 0, 1, "h");
  assert_decoded(&answer, &records);
  assert_int_equal(records.count, SRV_RECORDS_MAX);
  assert_int_equal(records.items[SRV_RECORDS_MAX - 1].priority, SRV_RECORDS_MAX - 1);
}

/* ---- order ---- */

/* Each record is "<priority><weight><letter>". */
static struct srv_records records_of(const char *const *texts) {
  struct srv_records records = {.count = 0};
  for (; *texts; texts++) {
    struct srv_record *record = &records.items[records.count++];
    record->priority = (uint16_t)((*texts)[0] - '0');
    record->weight = (uint16_t)((*texts)[1] - '0');
    (void)snprintf(record->target, sizeof record->target, "%c", (*texts)[2]);
  }
  return records;
}

static void assert_order(const char *const *texts, const uint64_t *numbers, const char *expected) {
  struct srv_records records = records_of(texts);
  uint64_t random[SRV_RECORDS_MAX] = {0};
  char order[SRV_RECORDS_MAX + 1] = "";
  memcpy(random, numbers, records.count * sizeof *random);
  srv_order(&records, random);
  for (size_t i = 0; i < records.count; i++)
    order[i] = records.items[i].target[0];
  assert_string_equal(order, expected);
}

TEST(srv_order_is_that_of_priorities)
{
  static const char *const texts[] = {"30a", "10b", "20c", "00d", NULL};
  assert_order(texts, (const uint64_t[]){9, 8, 7, 6}, "dbca");
}

/* Running sums of b, c and a: 0, 1, 4. */
TEST(srv_order_within_a_priority_is_that_of_weights)
{
  static const char *const texts[] = {"01c", "00b", "03a", NULL};
  static const struct {
    uint64_t numbers[3];
    const char *expected;
  } cases[] = {
      {{0, 0, 0}, "bca"},          {{1, 0, 0}, "cba"}, {{2, 0, 0}, "abc"},
      {{4, 0, 0}, "abc"},          {{5, 0, 0}, "bca"}, /* 5 modulo 4 + 1 */
      {{2, 1, 0}, "acb"},          {{1, 3, 0}, "cab"}, /* of b and a: sums 0 and 3 */
      {{UINT64_MAX, 0, 0}, "bca"},
  };
  for (size_t i = 0; i < BUS_COUNT(cases); i++)
    assert_order(texts, cases[i].numbers, cases[i].expected);
}

TEST(srv_order_keeps_priorities_apart)
{
  static const char *const texts[] = {"15a", "05b", "15c", "05d", NULL};
  assert_order(texts, (const uint64_t[]){10, 0, 10, 0}, "dbca");
  assert_order(texts, (const uint64_t[]){0, 0, 0, 0}, "bdac");
}
