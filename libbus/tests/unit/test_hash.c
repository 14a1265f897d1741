/* bus/hash.h: the vectors of FIPS 180-4 and RFC 4231. */
#include <bus/hash.h>

#include "test.h"

static void assert_sha256(struct bus_str data, const char *expected) {
  char text[BUS_SHA256_TEXT];
  bus_sha256_hex(data, text);
  assert_string_equal(text, expected);
}

TEST(hash_fips_vectors)
{
  assert_sha256(BUS_STR("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert_sha256(BUS_STR(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_sha256(BUS_NO_STR, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_sha256(BUS_STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(hash_million_a)
{
  static char text[1000000];
  memset(text, 'a', sizeof text);
  assert_sha256((struct bus_str){text, sizeof text},
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(hash_binary_and_text_agree)
{
  uint8_t digest[32];
  bus_sha256(BUS_STR("abc"), digest);
  assert_memory_equal(digest, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);
}

TEST(hash_nul_counts)
{
  char a[BUS_SHA256_TEXT], b[BUS_SHA256_TEXT];
  bus_sha256_hex(BUS_STR("a\0b"), a);
  bus_sha256_hex(BUS_STR("a"), b);
  assert_string_not_equal(a, b);
}

/* Cases 2 and 6 of RFC 4231: a short key, and one that is longer than a block. */
TEST(hash_hmac_vectors)
{
  char text[BUS_SHA256_TEXT], key[131];
  const struct bus_str parts[] = {BUS_STR("what do ya want "), BUS_NO_STR, BUS_STR("for nothing?")};
  bus_hmac_sha256_hex(BUS_STR("Jefe"), parts, 3, text);
  assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  memset(key, 0xaa, sizeof key);
  const struct bus_str long_text = BUS_STR("Test Using Larger Than Block-Size Key - Hash Key First");
  bus_hmac_sha256_hex((struct bus_str){key, sizeof key}, &long_text, 1, text);
  assert_string_equal(text, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(hash_secrets_are_compared_whole)
{
  assert_true(bus_secret_equal(BUS_STR("secret"), BUS_STR("secret")));
  assert_true(bus_secret_equal(BUS_STR(""), BUS_NO_STR));
  assert_false(bus_secret_equal(BUS_STR("secret"), BUS_STR("Secret")));
  assert_false(bus_secret_equal(BUS_STR("secret"), BUS_STR("secrets")));
  assert_false(bus_secret_equal(BUS_STR("secret"), BUS_STR("secre\0")));
}
