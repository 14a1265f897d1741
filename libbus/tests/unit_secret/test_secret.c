/* bus/secret.h: only the receiver opens a sealed box, and only the right password fits a hash. */
#include <bus/secret.h>

#include <test.h>

#include <stdlib.h>

static struct bus_arena *begin(void) {
  struct bus_error err;
  assert_true(bus_secret_init(&err));
  return bus_arena_new(1 << 16);
}

TEST(only_the_receiver_opens_a_sealed_secret)
{
  struct bus_arena *arena = begin();
  struct bus_seal_pair pair, other;
  struct bus_str sealed, again;
  char secret[16];
  size_t len;
  bus_seal_pair_new(&pair);
  bus_seal_pair_new(&other);
  assert_true(bus_seal(&pair.public_key, BUS_STR("pass word"), arena, &sealed));
  assert_int_equal(sealed.len, BUS_SEALED_TEXT(9));
  assert_true(bus_unseal(&pair, sealed, secret, sizeof secret, &len));
  assert_int_equal(len, 9);
  assert_string_equal(secret, "pass word");
  assert_false(bus_unseal(&other, sealed, secret, sizeof secret, &len));
  assert_true(bus_seal(&pair.public_key, BUS_STR("pass word"), arena, &again));
  assert_false(bus_str_equal(sealed, again)); /* two equal secrets cannot be told */
  bus_arena_free(arena);
}

TEST(a_sealed_secret_that_is_altered_cut_or_too_long_is_refused)
{
  struct bus_arena *arena = begin();
  struct bus_seal_pair pair;
  struct bus_str sealed;
  char secret[16], text[256];
  size_t len;
  bus_seal_pair_new(&pair);
  assert_true(bus_seal(&pair.public_key, BUS_STR("0123456789abcde"), arena, &sealed));
  assert_true(bus_unseal(&pair, sealed, secret, 16, &len));
  assert_false(bus_unseal(&pair, sealed, secret, 15, &len));
  for (size_t cut = 0; cut < sealed.len; cut++)
    assert_false(bus_unseal(&pair, (struct bus_str){sealed.data, cut}, secret, sizeof secret, &len));
  if (sealed.len < 2 || sealed.len > sizeof text)
    abort();
  memcpy(text, sealed.data, sealed.len);
  text[sealed.len - 2] = text[sealed.len - 2] == 'A' ? 'B' : 'A';
  assert_false(bus_unseal(&pair, (struct bus_str){text, sealed.len}, secret, sizeof secret, &len));
  assert_false(bus_unseal(&pair, BUS_STR("no base64 !"), secret, sizeof secret, &len));
  assert_false(bus_unseal(&pair, BUS_NO_STR, secret, sizeof secret, &len));
  assert_true(bus_seal(&pair.public_key, BUS_STR(""), arena, &sealed));
  assert_true(bus_unseal(&pair, sealed, secret, sizeof secret, &len) && len == 0);
  bus_arena_free(arena);
}

TEST(a_key_is_43_characters)
{
  struct bus_arena *arena = begin();
  struct bus_seal_pair pair, same;
  struct bus_seal_key key;
  char text[BUS_SEAL_KEY_TEXT + 1];
  bus_seal_pair_new(&pair);
  bus_seal_key_format(&pair.secret_key, text);
  assert_int_equal(strlen(text), BUS_SEAL_KEY_TEXT);
  assert_true(bus_seal_key_parse(bus_str(text), &key));
  bus_seal_pair_of(&key, &same);
  assert_memory_equal(&same, &pair, sizeof pair);
  assert_false(bus_seal_key_parse((struct bus_str){text, BUS_SEAL_KEY_TEXT - 1}, &key));
  text[0] = '!';
  assert_false(bus_seal_key_parse(bus_str(text), &key));
  assert_false(bus_seal_key_parse(BUS_NO_STR, &key));
  bus_arena_free(arena);
}

TEST(a_password_fits_its_own_hash_alone)
{
  static const struct bus_password_cost cost = {.operations = 2, .memory_kib = 65536};
  struct bus_arena *arena = begin();
  char hash[BUS_PASSWORD_HASH];
  assert_true(bus_password_hash(BUS_STR("correct horse"), &cost, hash));
  assert_non_null(strstr(hash, "$argon2id$v=19$m=65536,t=2,p=1$"));
  assert_true(bus_password_verify(BUS_STR("correct horse"), hash, &cost));
  assert_false(bus_password_verify(BUS_STR("correct hors"), hash, &cost));
  assert_false(bus_password_verify(BUS_STR("correct horse"), NULL, &cost));
  assert_false(bus_password_verify(BUS_STR("correct horse"), "no hash", &cost));
  bus_arena_free(arena);
}

TEST(tokens_do_not_repeat)
{
  struct bus_arena *arena = begin();
  char one[BUS_SECRET_TOKEN_TEXT + 1], other[BUS_SECRET_TOKEN_TEXT + 1];
  bus_secret_token(one);
  bus_secret_token(other);
  assert_int_equal(strlen(one), BUS_SECRET_TOKEN_TEXT);
  assert_string_not_equal(one, other);
  bus_arena_free(arena);
}

TEST(random_ids_are_of_version_4)
{
  struct bus_arena *arena = begin();
  struct bus_uuid one, other;
  bus_secret_uuid(&one);
  bus_secret_uuid(&other);
  assert_false(bus_uuid_equal(&one, &other));
  assert_int_equal(one.bytes[6] >> 4, 4);
  assert_int_equal(one.bytes[8] >> 6, 2);
  bus_arena_free(arena);
}
