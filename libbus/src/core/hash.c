/* SHA-256 and HMAC-SHA-256 by nettle, and FNV-1a. */
#include <bus/hash.h>

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>

#include "hex.h"

void bus_sha256(struct bus_str data, uint8_t digest[32]) {
  struct sha256_ctx sha256;
  sha256_init(&sha256);
  if (data.len > 0)
    sha256_update(&sha256, data.len, (const uint8_t *)data.data);
  sha256_digest(&sha256, 32, digest);
}

void bus_sha256_hex(struct bus_str data, char text[BUS_SHA256_TEXT]) {
  uint8_t digest[32];
  bus_sha256(data, digest);
  *bus_hex_write(text, digest, sizeof digest) = '\0';
}

void bus_hmac_sha256(struct bus_str key, const struct bus_str *parts, size_t count, uint8_t digest[32]) {
  struct hmac_sha256_ctx hmac;
  hmac_sha256_set_key(&hmac, key.len, (const uint8_t *)key.data);
  for (size_t i = 0; i < count; i++)
    if (parts[i].len > 0)
      hmac_sha256_update(&hmac, parts[i].len, (const uint8_t *)parts[i].data);
  hmac_sha256_digest(&hmac, 32, digest);
  explicit_bzero(&hmac, sizeof hmac);
}

void bus_hmac_sha256_hex(struct bus_str key, const struct bus_str *parts, size_t count, char text[BUS_SHA256_TEXT]) {
  uint8_t digest[32];
  bus_hmac_sha256(key, parts, count, digest);
  *bus_hex_write(text, digest, sizeof digest) = '\0';
}

bool bus_secret_equal(struct bus_str a, struct bus_str b) {
  return a.len == b.len && (a.len == 0 || memeql_sec(a.data, b.data, a.len) != 0);
}

uint64_t bus_sha256_short(struct bus_str data) {
  uint8_t digest[32];
  uint64_t ret = 0;
  bus_sha256(data, digest);
  for (size_t i = 0; i < sizeof ret; i++)
    ret = ret << 8 | digest[i];
  return ret;
}

uint64_t bus_hash64(const void *data, size_t size) {
  const uint8_t *bytes = data;
  uint64_t hash = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
  return hash;
}
