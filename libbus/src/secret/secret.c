/* Passwords, sealed boxes and random tokens over libsodium. */
#include <bus/secret.h>

#include <sodium.h>
#include <string.h>

enum { VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING };
_Static_assert(BUS_SEAL_KEY == crypto_box_PUBLICKEYBYTES, "public keys");
_Static_assert(BUS_SEAL_KEY == crypto_box_SECRETKEYBYTES, "secret keys");
_Static_assert(BUS_SEAL_OVERHEAD == crypto_box_SEALBYTES, "overhead");
_Static_assert(BUS_PASSWORD_HASH == crypto_pwhash_STRBYTES, "hash");

bool bus_secret_init(struct bus_error *err) {
  return sodium_init() >= 0 || bus_fail(err, BUS_E_SYSTEM, "libsodium cannot start");
}

/* ---- sealed boxes ---- */

void bus_seal_pair_new(struct bus_seal_pair *ret) {
  (void)crypto_box_keypair(ret->public_key.bytes, ret->secret_key.bytes);
}

void bus_seal_pair_of(const struct bus_seal_key *secret_key, struct bus_seal_pair *ret) {
  ret->secret_key = *secret_key;
  (void)crypto_scalarmult_base(ret->public_key.bytes, secret_key->bytes);
}

static bool from_text(struct bus_str text, unsigned char *ret, size_t size, size_t *ret_len) {
  return text.data && sodium_base642bin(ret, size, text.data, text.len, NULL, ret_len, NULL, VARIANT) == 0;
}

bool bus_seal_key_parse(struct bus_str text, struct bus_seal_key *ret) {
  struct bus_seal_key key;
  size_t len;
  if (text.len != BUS_SEAL_KEY_TEXT || !from_text(text, key.bytes, sizeof key.bytes, &len) || len != sizeof key.bytes)
    return false;
  *ret = key;
  return true;
}

void bus_seal_key_format(const struct bus_seal_key *key, char text[BUS_SEAL_KEY_TEXT + 1]) {
  (void)sodium_bin2base64(text, BUS_SEAL_KEY_TEXT + 1, key->bytes, sizeof key->bytes, VARIANT);
}

bool bus_seal(const struct bus_seal_key *to, struct bus_str secret, struct bus_arena *arena, struct bus_str *ret) {
  size_t size = secret.len + BUS_SEAL_OVERHEAD, room = sodium_base64_encoded_len(size, VARIANT);
  unsigned char *box = bus_arena_alloc(arena, size);
  char *text = bus_arena_alloc(arena, room);
  if (!box || !text ||
      crypto_box_seal(box, (const unsigned char *)(secret.len > 0 ? secret.data : ""), secret.len, to->bytes) != 0)
    return false;
  (void)sodium_bin2base64(text, room, box, size, VARIANT);
  *ret = (struct bus_str){text, room - 1};
  return true;
}

enum { BOX_MAX = 4096 };

bool bus_unseal(const struct bus_seal_pair *pair, struct bus_str sealed, char *ret, size_t size, size_t *ret_len) {
  unsigned char box[BOX_MAX];
  size_t len;
  if (!from_text(sealed, box, sizeof box, &len) || len < BUS_SEAL_OVERHEAD || len - BUS_SEAL_OVERHEAD >= size)
    return false;
  if (crypto_box_seal_open((unsigned char *)ret, box, len, pair->public_key.bytes, pair->secret_key.bytes) != 0)
    return false;
  *ret_len = len - BUS_SEAL_OVERHEAD;
  ret[*ret_len] = '\0';
  return true;
}

/* ---- passwords ---- */

bool bus_password_hash(struct bus_str password, const struct bus_password_cost *cost, char ret[BUS_PASSWORD_HASH]) {
  return crypto_pwhash_str_alg(ret, password.data, password.len, (unsigned long long)cost->operations,
                               (size_t)cost->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) == 0;
}

bool bus_password_verify(struct bus_str password, const char *hash, const struct bus_password_cost *cost) {
  char ignored[BUS_PASSWORD_HASH];
  if (hash)
    return crypto_pwhash_str_verify(hash, password.data, password.len) == 0;
  (void)!bus_password_hash(password, cost, ignored); /* only the time counts */
  return false;
}

/* ---- random and hashed tokens ---- */

void bus_secret_token(char ret[BUS_SECRET_TOKEN_TEXT + 1]) {
  unsigned char bytes[BUS_SECRET_TOKEN];
  randombytes_buf(bytes, sizeof bytes);
  (void)sodium_bin2base64(ret, BUS_SECRET_TOKEN_TEXT + 1, bytes, sizeof bytes, VARIANT);
  bus_erase(bytes, sizeof bytes);
}

void bus_secret_random(void *bytes, size_t size) {
  randombytes_buf(bytes, size);
}

void bus_secret_uuid(struct bus_uuid *ret) {
  bus_secret_random(ret, sizeof *ret);
  ret->bytes[6] = (uint8_t)((ret->bytes[6] & 0x0f) | 0x40); /* version 4 */
  ret->bytes[8] = (uint8_t)((ret->bytes[8] & 0x3f) | 0x80);
}

void bus_erase(void *memory, size_t size) {
  sodium_memzero(memory, size);
}
