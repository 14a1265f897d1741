/* bus/uuid.h: RFC 9562's vectors, strict parsing, order of version 7. */
#include <bus/uuid.h>

#include "test.h"

static struct bus_uuid parsed(const char *text) {
  struct bus_uuid uuid = {{0}};
  assert_true(bus_uuid_parse(bus_str(text), &uuid));
  return uuid;
}

static void assert_uuid_is(const struct bus_uuid *uuid, const char *expected) {
  char text[BUS_UUID_TEXT];
  bus_uuid_format(uuid, text);
  assert_string_equal(text, expected);
}

TEST(uuid_text_round_trip)
{
  static const char text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
  struct bus_uuid uuid = parsed(text);
  assert_int_equal(uuid.bytes[0], 0x01);
  assert_int_equal(uuid.bytes[15], 0x8F);
  assert_uuid_is(&uuid, text);
}

TEST(uuid_upper_case_is_taken_and_written_lower)
{
  struct bus_uuid uuid = parsed("017F22E2-79B0-7CC3-98C4-DC0C0C07398F");
  assert_uuid_is(&uuid, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(uuid_other_forms_are_refused)
{
  static const char *const refused[] = {
      "",
      "017f22e279b07cc398c4dc0c0c07398f",
      "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
      "urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
      "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
      "017f22e2-79b0-7cc3-98c4_dc0c0c07398f",
      "017f22e27-9b0-7cc3-98c4-dc0c0c07398f",
      " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
      "0x7f22e2-79b0-7cc3-98c4-dc0c0c07398f",
      "-17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
  };
  struct bus_uuid uuid = {{42}};
  for (size_t i = 0; i < BUS_COUNT(refused); i++) {
    if (bus_uuid_parse(bus_str(refused[i]), &uuid))
      fail_msg("taken: %s", refused[i]);
    assert_int_equal(uuid.bytes[0], 42); /* written only on success */
  }
  assert_false(bus_uuid_parse(BUS_NO_STR, &uuid));
}

TEST(uuid_nil_and_comparison)
{
  struct bus_uuid nil = {{0}}, low = parsed("00000000-0000-0000-0000-000000000001"),
                  high = parsed("ff000000-0000-0000-0000-000000000000");
  assert_true(bus_uuid_is_nil(&nil));
  assert_false(bus_uuid_is_nil(&low));
  assert_true(bus_uuid_equal(&low, &low));
  assert_false(bus_uuid_equal(&low, &high));
  assert_true(bus_uuid_compare(&low, &high) < 0);
  assert_true(bus_uuid_compare(&high, &low) > 0); /* bytes are unsigned, as in Postgres */
  assert_int_equal(bus_uuid_compare(&high, &high), 0);
}

/* RFC 9562, appendix A.4, and values that Python's uuid.uuid5 gives. */
TEST(uuid_v5_vectors)
{
  struct bus_uuid dns = parsed("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), uuid;
  bus_uuid_v5(&dns, BUS_STR("www.example.com"), &uuid);
  assert_uuid_is(&uuid, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  bus_uuid_v5(&dns, BUS_STR("python.org"), &uuid);
  assert_uuid_is(&uuid, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
  bus_uuid_v5(&dns, BUS_NO_STR, &uuid);
  assert_uuid_is(&uuid, "4ebd0208-8328-5d69-8c44-ec50939c0967");
}

TEST(uuid_v5_name_counts_every_byte)
{
  struct bus_uuid dns = parsed("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), a, b, c;
  bus_uuid_v5(&dns, BUS_STR("c-1\0key"), &a);
  bus_uuid_v5(&dns, BUS_STR("c-1"), &b);
  bus_uuid_v5(&dns, BUS_STR("c-1key\0"), &c);
  assert_false(bus_uuid_equal(&a, &b));
  assert_false(bus_uuid_equal(&a, &c));
}

static uint64_t rotate_right(uint64_t x, unsigned bits) {
  return x >> bits | x << (64 - bits);
}

/* The generator's state that gives `wanted` next: its output is rotl(s[1] * 5, 7) * 9. */
static uint64_t state_for(uint64_t wanted) {
  const uint64_t inverse_of_9 = UINT64_C(0x8E38E38E38E38E39), inverse_of_5 = UINT64_C(0xCCCCCCCCCCCCCCCD);
  return rotate_right(wanted * inverse_of_9, 7) * inverse_of_5;
}

/* RFC 9562, appendix A.6: Tuesday, February 22, 2022 2:22:22.00 PM GMT-05:00. */
TEST(uuid_v7_vector)
{
  struct bus_uuid_source source = {
      .last_ms = INT64_C(0x017F22E279B0), .counter = 0xCC2, .rng = {1, state_for(UINT64_C(0x18C4DC0C0C07398F)), 2, 3}};
  struct bus_uuid uuid;
  bus_uuid_v7(&source, INT64_C(1645557742000) * BUS_MILLISECOND, &uuid);
  assert_uuid_is(&uuid, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static const uint64_t seed[4] = {1, 2, 3, 4};

/* The first values of xoshiro256** for the state 1, 2, 3, 4, as its authors' program gives them. */
TEST(uuid_random_is_xoshiro)
{
  struct bus_uuid_source source;
  bus_uuid_source_init(&source, seed);
  assert_true(bus_uuid_source_random(&source) == UINT64_C(11520));
  assert_true(bus_uuid_source_random(&source) == UINT64_C(0));
  assert_true(bus_uuid_source_random(&source) == UINT64_C(1509978240));
  assert_true(bus_uuid_source_random(&source) == UINT64_C(1215971899390074240));
}

TEST(uuid_zero_seed_is_not_stuck)
{
  static const uint64_t zero[4];
  struct bus_uuid_source source;
  bus_uuid_source_init(&source, zero);
  uint64_t any = 0;
  for (int i = 0; i < 10; i++)
    any |= bus_uuid_source_random(&source);
  assert_true(any != 0);
}

static void assert_v7_after(struct bus_uuid_source *source, bus_time now, struct bus_uuid *last) {
  struct bus_uuid uuid;
  bus_uuid_v7(source, now, &uuid);
  assert_true(bus_uuid_compare(last, &uuid) < 0);
  assert_int_equal(uuid.bytes[6] >> 4, 7);
  assert_int_equal(uuid.bytes[8] >> 6, 2);
  *last = uuid;
}

TEST(uuid_v7_strictly_increases_within_one_millisecond)
{
  struct bus_uuid_source source;
  struct bus_uuid last = {{0}};
  bus_uuid_source_init(&source, seed);
  for (int i = 0; i < 20000; i++) /* more than the counter holds */
    assert_v7_after(&source, 5 * BUS_SECOND, &last);
}

TEST(uuid_v7_survives_a_clock_that_steps_back)
{
  struct bus_uuid_source source;
  struct bus_uuid last = {{0}};
  bus_uuid_source_init(&source, seed);
  for (int i = 0; i < 1000; i++)
    assert_v7_after(&source, 100 * BUS_SECOND - i * BUS_SECOND, &last);
  assert_v7_after(&source, 200 * BUS_SECOND, &last);
}

TEST(uuid_v7_holds_the_millisecond)
{
  struct bus_uuid_source source;
  struct bus_uuid uuid;
  bus_uuid_source_init(&source, seed);
  bus_uuid_v7(&source, INT64_C(0x123456789ABC) * BUS_MILLISECOND + 999, &uuid);
  assert_memory_equal(uuid.bytes, "\x12\x34\x56\x78\x9A\xBC", 6);
  bus_uuid_source_init(&source, seed);
  bus_uuid_v7(&source, -5, &uuid);
  assert_memory_equal(uuid.bytes, "\0\0\0\0\0\0", 6);
}

TEST(uuid_v7_counter_starts_in_the_lower_half)
{
  struct bus_uuid_source source;
  bus_uuid_source_init(&source, seed);
  for (int i = 1; i <= 1000; i++) {
    struct bus_uuid uuid;
    bus_uuid_v7(&source, i * BUS_MILLISECOND, &uuid);
    assert_in_range((uuid.bytes[6] & 0x0F) << 8 | uuid.bytes[7], 0, 2047);
  }
}

TEST(uuid_v7_streams_of_other_seeds_differ)
{
  static const uint64_t other[4] = {5, 6, 7, 8};
  struct bus_uuid_source a, b;
  struct bus_uuid x, y;
  bus_uuid_source_init(&a, seed);
  bus_uuid_source_init(&b, other);
  bus_uuid_v7(&a, BUS_SECOND, &x);
  bus_uuid_v7(&b, BUS_SECOND, &y);
  assert_false(bus_uuid_equal(&x, &y));
}
