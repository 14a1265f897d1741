/* Signatures of webhooks: HMAC-SHA-256 of "id.timestamp.body", in base64. */
#include "notify_signature.h"

#include <bus/hash.h>

#include <inttypes.h>
#include <stdio.h>

#define PREFIX "whsec_"
enum { KEY_MIN = 24, KEY_MAX = 64, DIGEST = 32, NUMBER_TEXT = 24, QUAD = 4, TRIPLE = 3 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* With its padding and a NUL. */
static void encode(const uint8_t *bytes, size_t len, char *text) {
  for (size_t i = 0; i < len; i += TRIPLE) {
    size_t left = len - i;
    uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (left > 2 ? (uint32_t)bytes[i + 2] : 0);
    for (size_t k = 0; k < QUAD; k++)
      *text++ = k > left ? '=' : digits[group >> (18 - 6 * k) & 63];
  }
  *text = '\0';
}

/* The bytes; 0: the text is no base64, or too long. */
static size_t decode(struct bus_str text, uint8_t ret[KEY_MAX]) {
  size_t len = 0, padding = 0;
  uint32_t bits = 0;
  while (text.len > 0 && padding < 2 && text.data[text.len - 1] == '=') {
    text.len--;
    padding++;
  }
  for (size_t i = 0; i < text.len; i++) {
    const char *digit = text.data[i] ? strchr(digits, text.data[i]) : NULL;
    if (!digit)
      return 0;
    bits = bits << 6 | (uint32_t)(digit - digits);
    if (i % QUAD == 0)
      continue;
    if (len == KEY_MAX)
      return 0;
    ret[len++] = (uint8_t)(bits >> (6 - 2 * (i % QUAD)));
  }
  return (text.len + padding) % QUAD == 0 ? len : 0;
}

void notify_secret_format(const uint8_t bytes[WEBHOOK_SECRET_BYTES], char text[WEBHOOK_SECRET_TEXT + 1]) {
  memcpy(text, PREFIX, sizeof PREFIX - 1);
  encode(bytes, WEBHOOK_SECRET_BYTES, text + sizeof PREFIX - 1);
}

bool notify_sign(struct bus_str secret, struct bus_str id, int64_t timestamp, struct bus_str body,
                 char ret[NOTIFY_SIGNATURE_TEXT]) {
  uint8_t key[KEY_MAX], digest[DIGEST];
  char number[NUMBER_TEXT];
  if (!bus_str_cut_start(&secret, PREFIX))
    return false;
  size_t len = decode(secret, key);
  bool good = len >= KEY_MIN;
  (void)snprintf(number, sizeof number, ".%" PRId64 ".", timestamp); /* it fits */
  const struct bus_str parts[] = {id, bus_str(number), body};
  if (good) {
    bus_hmac_sha256((struct bus_str){(const char *)key, len}, parts, BUS_COUNT(parts), digest);
    memcpy(ret, "v1,", 3);
    encode(digest, sizeof digest, ret + 3);
  }
  explicit_bzero(key, sizeof key);
  return good;
}
