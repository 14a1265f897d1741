/* Request bodies: the corpus and its verdicts, keys of body and header, and the hash of a request. */
#include "corpus.h"
#include "decode.h"
#include "test.h"

#include <bus/hash.h>

#include <currency.h>

#include <stdio.h>

static struct bus_arena *arena_of(void **state) {
  (void)state;
  struct bus_arena *arena = bus_arena_new(1 << 20);
  assert_non_null(arena);
  return arena;
}

static void paths_of(const struct bus_problems *problems, char *text, size_t size) {
  text[0] = '\0';
  for (size_t i = 0; i < problems->count && i < BUS_PROBLEMS_MAX; i++) {
    size_t len = strlen(text);
    (void)snprintf(text + len, size - len, "%s;", problems->items[i].path);
  }
}

static void check_verdict(const struct corpus_case *c, bool accepted, const struct bus_problems *problems) {
  char paths[1024];
  if (accepted != (c->wrong == NULL))
    fail_msg("%s was %s", c->body, accepted ? "accepted" : "refused");
  if (accepted)
    return;
  paths_of(problems, paths, sizeof paths);
  if (strcmp(paths, c->wrong) != 0)
    fail_msg("%s: wrong is \"%s\", expected \"%s\"", c->body, paths, c->wrong);
}

static bool place(struct bus_arena *arena, const char *body, const char *header, struct order_place *ret,
                  struct bus_problems *problems) {
  return decode_place(bus_str(body), bus_str(header), BUS_STR("pm_default"), arena, ret, problems);
}

TEST(every_body_of_the_place_corpus_gets_its_verdict)
{
  struct bus_arena *arena = arena_of(state);
  assert_true(place_corpus_count >= 100);
  for (size_t i = 0; i < place_corpus_count; i++) {
    struct order_place request;
    struct bus_problems problems;
    bool accepted = place(arena, place_corpus[i].body, NULL, &request, &problems);
    check_verdict(&place_corpus[i], accepted, &problems);
    bus_arena_reset(arena);
  }
  bus_arena_free(arena);
}

static const struct pay_request *pay(struct bus_arena *arena, const char *body, struct bus_problems *problems) {
  const struct bus_http_given given = {.body = bus_str(body)};
  return bus_http_decode(&pay_input, &given, arena, problems);
}

#define PAID "\"order_id\":\"11223344-5566-5788-99aa-bbccddeeff01\",\"payment\":{\"token\":\"pm_x\"}"

/* The id of a payment is made of the order and the key, so that every try has the same. */
TEST(a_payment_is_known_by_its_key)
{
  struct bus_arena *arena = arena_of(state);
  struct bus_problems problems;
  const struct pay_request *one = pay(arena, "{\"idempotency_key\":\"k-1\"," PAID "}", &problems);
  const struct pay_request *again = pay(arena, "{" PAID ",\"idempotency_key\":\"k-1\"}", &problems);
  const struct pay_request *two = pay(arena, "{\"idempotency_key\":\"k-2\"," PAID "}", &problems);
  assert_true(one && again && two);
  assert_true(bus_uuid_equal(&one->pay.pay_id, &again->pay.pay_id));
  assert_false(bus_uuid_equal(&one->pay.pay_id, &two->pay.pay_id));
  assert_true(bus_str_equal(one->pay.request_hash, two->pay.request_hash));
  assert_true(bus_str_is(one->pay.payment_token, "pm_x"));
  assert_null(pay(arena, "{" PAID "}", &problems));
  assert_null(pay(arena, "{\"idempotency_key\":\"k-1\"}", &problems));
  assert_int_equal(problems.count, 2);
  bus_arena_free(arena);
}

TEST(an_order_that_is_paid_later_has_no_token)
{
  struct bus_arena *arena = arena_of(state);
  struct bus_problems problems;
  struct order_place later;
  assert_true(place(arena,
                    "{\"idempotency_key\":\"k\",\"items\":[{\"product_id\":\"A\",\"quantity\":1}],"
                    "\"payment\":{\"when\":\"later\"}}",
                    NULL, &later, &problems));
  assert_true(later.pay_later && !later.payment_token.data);
  bus_arena_free(arena);
}

/* order-svc must be able to decode and store each request that the edge accepts. */
TEST(every_accepted_body_makes_a_command_that_its_receiver_decodes)
{
  struct bus_arena *arena = arena_of(state);
  for (size_t i = 0; i < place_corpus_count; i++) {
    struct order_place request, received;
    struct bus_problems problems;
    struct bus_str wire;
    if (place_corpus[i].wrong || !place(arena, place_corpus[i].body, NULL, &request, &problems))
      continue;
    assert_true(bus_encode(&order_place_schema, &request, arena, &wire));
    if (!bus_decode(&order_place_schema, wire, BUS_IGNORE_UNKNOWN, arena, &received, &problems))
      fail_msg("%s: %s %s", place_corpus[i].body, problems.items[0].path, problems.items[0].text);
    assert_true(bus_uuid_equal(&request.order_id, &received.order_id));
    assert_int_equal(received.items[0].unit_price, BUS_NO_INT64);
    bus_arena_reset(arena);
  }
  bus_arena_free(arena);
}

TEST(every_body_of_the_stock_corpus_gets_its_verdict)
{
  struct bus_arena *arena = arena_of(state);
  for (size_t i = 0; i < stock_corpus_count; i++) {
    struct stock_request update;
    struct bus_problems problems;
    bool accepted = decode_stock(bus_str(stock_corpus[i].body), BUS_NO_STR, arena, &update, &problems);
    check_verdict(&stock_corpus[i], accepted, &problems);
  }
  bus_arena_free(arena);
}

TEST(every_body_of_the_cancel_corpus_gets_its_verdict)
{
  struct bus_arena *arena = arena_of(state);
  struct bus_uuid id = {{1}};
  for (size_t i = 0; i < cancel_corpus_count; i++) {
    struct order_cancel cancel;
    struct bus_problems problems;
    bool accepted = decode_cancel(bus_str(cancel_corpus[i].body), &id, arena, &cancel, &problems);
    check_verdict(&cancel_corpus[i], accepted, &problems);
  }
  bus_arena_free(arena);
}

TEST(a_body_with_a_raw_nul_is_refused)
{
  struct bus_arena *arena = arena_of(state);
  static const char body[] = "{\"idempotency_key\":\"k\0\",\"items\":[{\"product_id\":\"A\",\"quantity\":1}]}";
  struct order_place request;
  struct bus_problems problems;
  assert_false(
      decode_place((struct bus_str){body, sizeof body - 1}, BUS_NO_STR, BUS_STR("t"), arena, &request, &problems));
  bus_arena_free(arena);
}

TEST(a_hundred_items_are_taken_and_one_more_is_not)
{
  struct bus_arena *arena = arena_of(state);
  for (int count = 100; count <= 101; count++) {
    char body[8192];
    size_t len = (size_t)snprintf(body, sizeof body, "{\"idempotency_key\":\"k\",\"items\":[");
    for (int i = 0; i < count; i++)
      len += (size_t)snprintf(body + len, sizeof body - len, "%s{\"product_id\":\"P%d\",\"quantity\":1000}",
                              i ? "," : "", i);
    (void)snprintf(body + len, sizeof body - len, "]}");
    struct order_place request;
    struct bus_problems problems;
    assert_int_equal(place(arena, body, NULL, &request, &problems), count == 100);
  }
  bus_arena_free(arena);
}

#define ITEMS "\"items\":[{\"product_id\":\"A\",\"quantity\":2}]"

TEST(what_is_not_given_gets_its_default)
{
  struct bus_arena *arena = arena_of(state);
  struct order_place request;
  struct bus_problems problems;
  assert_true(place(arena, "{\"idempotency_key\":\"k\"," ITEMS "}", NULL, &request, &problems));
  assert_true(bus_str_is(request.customer_id, "anonymous"));
  assert_true(bus_str_is(request.payment_token, "pm_default"));
  assert_int_equal(request.request.expected_total, BUS_NO_INT64);
  assert_int_equal(request.wait_ms, 0);
  assert_int_equal(request.item_count, 1);
  assert_int_equal(request.items[0].quantity, 2);
  bus_arena_free(arena);
}

TEST(what_is_given_goes_into_the_command)
{
  struct bus_arena *arena = arena_of(state);
  struct order_place request;
  struct bus_problems problems;
  struct bus_uuid id;
  assert_true(place(arena,
                    "{\"idempotency_key\":\"k\",\"customer_id\":\"c-1\"," ITEMS
                    ",\"payment\":{\"token\":\"pm_x\"},\"expected_total\":7}",
                    NULL, &request, &problems));
  order_id_of(BUS_STR("c-1"), BUS_STR("k"), &id);
  assert_true(bus_uuid_equal(&id, &request.order_id));
  assert_true(bus_str_is(request.customer_id, "c-1"));
  assert_true(bus_str_is(request.payment_token, "pm_x"));
  assert_int_equal(request.request.expected_total, 7);
  bus_arena_free(arena);
}

static const struct {
  const char *in_body, *in_header, *key; /* key: NULL: refused */
} keys[] = {
    {"k", NULL, "k"},
    {NULL, "k", "k"},
    {"k", "k", "k"},
    {"k", "other", NULL},
    {"k", "K", NULL},
    {NULL, NULL, NULL},
    {NULL, "", NULL},
    {NULL, "a b", NULL},
    {"k", "", NULL},
    {"k", "k\x80", NULL},
    /* A quoted string of the IETF's draft and the bare form are one key. */
    {NULL, "\"8e03\"", "8e03"},
    {"8e03", "\"8e03\"", "8e03"},
    {NULL, "\"a\\\"b\\\\c\"", "a\"b\\c"},
    {NULL, "a\"b", "a\"b"},
    {NULL, "\"", NULL},
    {NULL, "\"\"", NULL},
    {NULL, "\"abc", NULL},
    {NULL, "\"abc\"x", NULL},
    {NULL, "\"abc\";a=1", NULL},
    {NULL, "\"a b\"", NULL},
    {NULL, "\"a\\x\"", NULL},
    {NULL, "\"abc\\\"", NULL},
};

TEST(the_key_comes_from_body_or_header_and_they_must_agree)
{
  struct bus_arena *arena = arena_of(state);
  for (size_t i = 0; i < BUS_COUNT(keys); i++) {
    char body[256];
    struct order_place request;
    struct bus_problems problems;
    struct bus_uuid id;
    if (keys[i].in_body)
      (void)snprintf(body, sizeof body, "{\"idempotency_key\":\"%s\"," ITEMS "}", keys[i].in_body);
    else
      (void)snprintf(body, sizeof body, "{" ITEMS "}");
    bool accepted = place(arena, body, keys[i].in_header, &request, &problems);
    if (accepted != (keys[i].key != NULL))
      fail_msg("case %zu was %s", i, accepted ? "accepted" : "refused");
    if (!accepted) {
      assert_true(strcasecmp(problems.items[0].path, "idempotency_key") == 0 ||
                  strcmp(problems.items[0].path, "Idempotency-Key") == 0);
      continue;
    }
    order_id_of(BUS_STR("anonymous"), bus_str(keys[i].key), &id);
    assert_true(bus_uuid_equal(&id, &request.order_id));
  }
  bus_arena_free(arena);
}

TEST(a_header_key_has_255_bytes_at_most)
{
  struct bus_arena *arena = arena_of(state);
  char key[257];
  struct order_place request;
  struct bus_problems problems;
  memset(key, 'x', sizeof key);
  for (size_t len = 255; len <= 256; len++) {
    bool accepted =
        decode_place(bus_str("{" ITEMS "}"), (struct bus_str){key, len}, BUS_STR("t"), arena, &request, &problems);
    assert_int_equal(accepted, len == 255);
  }
  bus_arena_free(arena);
}

static void hash_of(struct bus_arena *arena, const char *body, const char *header, char text[BUS_SHA256_TEXT]) {
  struct order_place request;
  struct bus_problems problems;
  if (!place(arena, body, header, &request, &problems))
    fail_msg("%s refused", body);
  assert_int_equal(request.request_hash.len, BUS_SHA256_TEXT - 1);
  memcpy(text, request.request_hash.data, BUS_SHA256_TEXT);
}

#define BASE "{\"idempotency_key\":\"k\"," ITEMS ",\"expected_total\":5}"

TEST(the_hash_is_of_the_canonical_encoding_without_the_key)
{
  struct bus_arena *arena = arena_of(state);
  char hash[BUS_SHA256_TEXT], expected[BUS_SHA256_TEXT];
  hash_of(arena, BASE, NULL, hash);
  bus_sha256_hex(BUS_STR("{\"customer_id\":\"anonymous\",\"items\":[{\"product_id\":\"A\",\"quantity\":2}],"
                         "\"expected_total\":5}"),
                 expected);
  assert_string_equal(hash, expected);
  bus_arena_free(arena);
}

TEST(the_same_request_has_the_same_hash_however_it_is_written)
{
  static const char *const same[] = {
      BASE,
      "{\"expected_total\":5," ITEMS ",\"idempotency_key\":\"k\"}",
      " {\n\"idempotency_key\" :\t\"k\" , \"items\" : [ { \"quantity\" : 2 , \"product_id\" : \"\\u0041\" } ] ,"
      "\"expected_total\" : 5 } ",
      "{\"idempotency_key\":\"other\"," ITEMS ",\"expected_total\":5}",
      "{\"idempotency_key\":\"k\",\"customer_id\":\"anonymous\"," ITEMS ",\"expected_total\":5}",
      "{\"idempotency_key\":\"k\",\"payment\":null," ITEMS ",\"expected_total\":5}",
  };
  struct bus_arena *arena = arena_of(state);
  char first[BUS_SHA256_TEXT], other[BUS_SHA256_TEXT];
  hash_of(arena, same[0], NULL, first);
  for (size_t i = 1; i < BUS_COUNT(same); i++) {
    hash_of(arena, same[i], NULL, other);
    if (strcmp(first, other) != 0)
      fail_msg("%s has another hash", same[i]);
  }
  hash_of(arena, "{" ITEMS ",\"expected_total\":5}", "k", other);
  assert_string_equal(first, other);
  bus_arena_free(arena);
}

TEST(another_request_has_another_hash)
{
  static const char *const others[] = {
      BASE,
      "{\"idempotency_key\":\"k\"," ITEMS "}",
      "{\"idempotency_key\":\"k\"," ITEMS ",\"expected_total\":6}",
      "{\"idempotency_key\":\"k\",\"customer_id\":\"c\"," ITEMS ",\"expected_total\":5}",
      "{\"idempotency_key\":\"k\",\"payment\":{\"token\":\"pm_default\"}," ITEMS ",\"expected_total\":5}",
      "{\"idempotency_key\":\"k\",\"items\":[{\"product_id\":\"A\",\"quantity\":3}],\"expected_total\":5}",
      "{\"idempotency_key\":\"k\",\"items\":[{\"product_id\":\"B\",\"quantity\":2}],\"expected_total\":5}",
      "{\"idempotency_key\":\"k\",\"items\":[{\"product_id\":\"A\",\"quantity\":2},{\"product_id\":\"B\","
      "\"quantity\":2}],\"expected_total\":5}",
      "{\"idempotency_key\":\"k\",\"items\":[{\"product_id\":\"B\",\"quantity\":2},{\"product_id\":\"A\","
      "\"quantity\":2}],\"expected_total\":5}",
  };
  struct bus_arena *arena = arena_of(state);
  char hashes[BUS_COUNT(others)][BUS_SHA256_TEXT];
  for (size_t i = 0; i < BUS_COUNT(others); i++) {
    hash_of(arena, others[i], NULL, hashes[i]);
    for (size_t k = 0; k < i; k++)
      assert_string_not_equal(hashes[i], hashes[k]);
  }
  bus_arena_free(arena);
}

/* Another default tomorrow must not make a repeated request a different one. */
TEST(the_default_token_is_not_in_the_hash)
{
  struct bus_arena *arena = arena_of(state);
  struct order_place one, two;
  struct bus_problems problems;
  assert_true(decode_place(bus_str(BASE), BUS_NO_STR, BUS_STR("pm_a"), arena, &one, &problems));
  assert_true(decode_place(bus_str(BASE), BUS_NO_STR, BUS_STR("pm_b"), arena, &two, &problems));
  assert_true(bus_str_equal(one.request_hash, two.request_hash));
  bus_arena_free(arena);
}

/* Z6: a key counts within its customer. */
TEST(Z6_customers_with_the_same_key_have_different_orders)
{
  struct bus_arena *arena = arena_of(state);
  struct order_place one, two;
  struct bus_problems problems;
  assert_true(place(arena, "{\"idempotency_key\":\"k\",\"customer_id\":\"a\"," ITEMS "}", NULL, &one, &problems));
  assert_true(place(arena, "{\"idempotency_key\":\"k\",\"customer_id\":\"b\"," ITEMS "}", NULL, &two, &problems));
  assert_false(bus_uuid_equal(&one.order_id, &two.order_id));
  bus_arena_free(arena);
}

TEST(the_same_update_has_the_same_request_id)
{
  struct bus_arena *arena = arena_of(state);
  struct stock_request one, two, three;
  struct bus_problems problems;
  const char *body = "{\"product_id\":\"A\",\"on_hand\":5}";
  assert_true(decode_stock(bus_str(body), BUS_STR("k"), arena, &one, &problems));
  assert_true(decode_stock(bus_str("{\"idempotency_key\":\"k\",\"product_id\":\"A\",\"on_hand\":6}"), BUS_NO_STR, arena,
                           &two, &problems));
  assert_true(decode_stock(bus_str(body), BUS_STR("k2"), arena, &three, &problems));
  assert_true(bus_uuid_equal(&one.update.request_id, &two.update.request_id));
  assert_false(bus_uuid_equal(&one.update.request_id, &three.update.request_id));
  assert_int_equal(one.update.on_hand, 5);
  assert_true(bus_str_is(one.update.product_id, "A"));
  assert_true(bus_str_is(one.idempotency_key, "k") && bus_str_is(two.idempotency_key, "k"));
  assert_false(bus_str_equal(one.hash, two.hash));
  assert_true(bus_str_equal(one.hash, three.hash));
  bus_arena_free(arena);
}

TEST(a_cancel_carries_order_and_reason)
{
  struct bus_arena *arena = arena_of(state);
  struct order_cancel cancel;
  struct bus_problems problems;
  struct bus_uuid id = {{7}};
  assert_true(decode_cancel(BUS_STR("{\"reason\":\"late\"}"), &id, arena, &cancel, &problems));
  assert_true(bus_uuid_equal(&cancel.order_id, &id));
  assert_true(bus_str_is(cancel.reason, "late"));
  assert_null(cancel.customer_id.data);
  bus_arena_free(arena);
}

TEST(out_of_memory_is_a_refusal_and_writes_nothing)
{
  struct order_place request;
  struct bus_problems problems;
  memset(&request, 0x5A, sizeof request);
  for (size_t limit = 64; limit <= 65536; limit *= 2) {
    struct bus_arena *arena = bus_arena_new(limit);
    if (arena && !place(arena, BASE, NULL, &request, &problems)) {
      assert_int_equal(((const unsigned char *)&request)[0], 0x5A);
      assert_true(problems.count > 0);
    }
    bus_arena_free(arena);
  }
}

/* ---- prices ---- */

/* "" where the product is accepted, else the first problem with the wrong number. */
static const char *put_problem(const char *price, const char *currency) {
  static char text[320];
  char body[128];
  struct bus_arena *arena = bus_arena_new(65536);
  struct bus_problems problems = {0};
  struct product_put put;
  snprintf(body, sizeof body, "{\"name\":\"x\",\"price\":%s,\"currency\":\"%s\"}", price, currency);
  text[0] = '\0';
  if (!decode_put(bus_str(body), arena, &put, &problems))
    snprintf(text, sizeof text, "%s %s %s", problems.items[0].path, problems.items[0].text, problems.items[0].value);
  bus_arena_free(arena);
  return text;
}

TEST(price_is_an_amount_that_the_provider_takes)
{
  static const char no_currency[] = "currency must be " CURRENCY_ALLOWED " ";
  assert_string_equal(put_problem("1", "EUR"), "");
  assert_string_equal(put_problem("1", "JPY"), "");
  assert_string_equal(put_problem("5120", "KWD"), "");
  assert_string_equal(put_problem("5124", "KWD"),
                      "price must be a multiple of 10 in KWD, whose amounts have 3 decimals 5124");
  assert_string_equal(put_problem("150", "UGX"),
                      "price must be a multiple of 100 in UGX, whose amounts have 2 decimals 150");
  assert_string_equal(put_problem("1", "eur"), no_currency);
  assert_string_equal(put_problem("1", "XXX"), no_currency);
  assert_string_equal(put_problem("-1", "XXX"), "price must be an integer from 0 to 1000000000000 -1");
}

/* ---- conditions ---- */

static void assert_condition(const char *if_match, const char *if_none_match, int64_t version, int64_t stock_version,
                             bool exists) {
  struct product_condition condition;
  assert_true(request_condition(if_match ? bus_str(if_match) : BUS_NO_STR,
                                if_none_match ? bus_str(if_none_match) : BUS_NO_STR, &condition));
  assert_int_equal(condition.if_version, version);
  assert_int_equal(condition.if_stock_version, stock_version);
  assert_int_equal(condition.if_exists, exists);
}

TEST(conditions_name_a_version_or_whether_there_is_one)
{
  assert_condition(NULL, NULL, BUS_NO_INT64, BUS_NO_INT64, false);
  assert_condition("*", NULL, BUS_NO_INT64, BUS_NO_INT64, true);
  assert_condition("\"7\"", NULL, 7, BUS_NO_INT64, true);
  assert_condition("\"7.12\"", NULL, 7, 12, true);
  assert_condition("\"100000000000\"", NULL, INT64_C(100000000000), BUS_NO_INT64, true);
  assert_condition(NULL, "*", 0, BUS_NO_INT64, false);
}

TEST(conditions_that_hold_for_no_version)
{
  static const char *const tags[] = {
      "W/\"7\"",           "7",      "\"\"",    "\"x\"",     "\"07\"",  "\"7\", \"8\"", "",
      "\"1000000000000\"", "\"7.\"", "\"7.0\"", "\"7.1.1\"", "\"7x1\"", "\"",           "\".1\""};
  struct product_condition condition;
  for (size_t i = 0; i < BUS_COUNT(tags); i++)
    assert_false(request_condition(bus_str(tags[i]), BUS_NO_STR, &condition));
  assert_false(request_condition(BUS_NO_STR, BUS_STR("\"7\""), &condition));
  assert_false(request_condition(BUS_STR("\"7\""), BUS_STR("*"), &condition));
}
