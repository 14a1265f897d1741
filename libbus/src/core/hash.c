/* SHA-256 by nettle. */
#include <bus/hash.h>

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
