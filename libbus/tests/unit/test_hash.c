/* bus/hash.h: the vectors of FIPS 180-4. */
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
