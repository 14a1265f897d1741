/* Makes and opens the secrets of webhooks. */
#include "notify_keys.h"

#include "notify_mail.h"
#include "notify_signature.h"

#include <bus/config.h>
#include <bus/hash.h>

enum { KEY_FILE_MAX = 256 };

bool notify_keys_open(const char *file, struct notify_keys *ret, struct bus_error *err) {
  struct bus_seal_key key = {{0}};
  char text[KEY_FILE_MAX];
  if (!bus_secret_init(err))
    return false;
  if (!bus_secret_file_read(file, text, sizeof text, err))
    return bus_error_wrap(err, "ENDPOINT_KEY_FILE");
  bool is_key = bus_seal_key_parse(bus_str(text), &key);
  if (is_key)
    bus_seal_pair_of(&key, &ret->pair);
  bus_erase(&key, sizeof key);
  bus_erase(text, sizeof text);
  return is_key || bus_fail(err, BUS_E_CONFIG,
                            "ENDPOINT_KEY_FILE: %s holds no key: it must have 43 characters of base64url", file);
}

void notify_keys_close(struct notify_keys *keys) {
  bus_erase(keys, sizeof *keys);
}

/* False also for a reply key that is none: the edge makes it. */
static bool seal_to(struct bus_str reply_key, struct bus_str secret, struct bus_arena *arena, struct bus_str *ret) {
  struct bus_seal_key key;
  return bus_seal_key_parse(reply_key, &key) && bus_seal(&key, secret, arena, ret);
}

bool notify_keys_make(const struct notify_keys *keys, struct bus_str reply_key, struct bus_arena *arena,
                      struct notify_secret *ret) {
  uint8_t bytes[WEBHOOK_SECRET_BYTES];
  char text[WEBHOOK_SECRET_TEXT + 1];
  bus_secret_random(bytes, sizeof bytes);
  notify_secret_format(bytes, text);
  struct bus_str secret = {text, WEBHOOK_SECRET_TEXT};
  bool made =
      bus_seal(&keys->pair.public_key, secret, arena, &ret->stored) && seal_to(reply_key, secret, arena, &ret->shown);
  bus_erase(bytes, sizeof bytes);
  bus_erase(text, sizeof text);
  return made;
}

bool notify_keys_unseal(const struct notify_keys *keys, struct bus_str stored, char ret[WEBHOOK_SECRET_TEXT + 1]) {
  size_t len;
  return bus_unseal(&keys->pair, stored, ret, WEBHOOK_SECRET_TEXT + 1, &len);
}

bool notify_keys_reveal(const struct notify_keys *keys, struct bus_str stored, struct bus_str reply_key,
                        struct bus_arena *arena, struct bus_str *ret) {
  char text[WEBHOOK_SECRET_TEXT + 1];
  bool shown = notify_keys_unseal(keys, stored, text) && seal_to(reply_key, bus_str(text), arena, ret);
  bus_erase(text, sizeof text);
  return shown;
}

bool notify_keys_confirm(const struct notify_keys *keys, struct bus_str stored, struct bus_str code_hash) {
  char secret[WEBHOOK_SECRET_TEXT + 1], code[NOTIFY_CODE_TEXT], hash[BUS_SHA256_TEXT];
  bool good = notify_keys_unseal(keys, stored, secret);
  if (good) {
    notify_mail_code(bus_str(secret), code);
    bus_sha256_hex(bus_str(code), hash);
    good = bus_secret_equal(bus_str(hash), code_hash);
  }
  bus_erase(secret, sizeof secret);
  bus_erase(code, sizeof code);
  return good;
}
