/* UUIDs of RFC 9562: text form, version 5 by nettle's SHA-1, and the stream of version 7. */
#include <bus/uuid.h>

#include <nettle/sha1.h>

#include "hex.h"

bool bus_uuid_is_nil(const struct bus_uuid *uuid) {
  static const struct bus_uuid nil;
  return bus_uuid_equal(uuid, &nil);
}

bool bus_uuid_equal(const struct bus_uuid *a, const struct bus_uuid *b) {
  return bus_uuid_compare(a, b) == 0;
}

int bus_uuid_compare(const struct bus_uuid *a, const struct bus_uuid *b) {
  return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* Bytes between the hyphens. */
static const uint8_t groups[] = {4, 2, 2, 2, 6};

void bus_uuid_format(const struct bus_uuid *uuid, char text[BUS_UUID_TEXT]) {
  const uint8_t *bytes = uuid->bytes;
  for (size_t i = 0; i < sizeof groups; bytes += groups[i++]) {
    if (i > 0)
      *text++ = '-';
    text = bus_hex_write(text, bytes, groups[i]);
  }
  *text = '\0';
}

bool bus_uuid_parse(struct bus_str text, struct bus_uuid *ret) {
  struct bus_uuid uuid;
  if (text.len != BUS_UUID_TEXT - 1)
    return false;
  const char *at = text.data;
  uint8_t *bytes = uuid.bytes;
  for (size_t i = 0; i < sizeof groups; at += (size_t)2 * groups[i], bytes += groups[i], i++) {
    if (i > 0 && *at++ != '-')
      return false;
    if (!bus_hex_read(at, bytes, groups[i]))
      return false;
  }
  *ret = uuid;
  return true;
}

static void set_version(struct bus_uuid *uuid, uint8_t version) {
  uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0F) | version << 4);
  uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3F) | 0x80);
}

void bus_uuid_v5(const struct bus_uuid *space, struct bus_str name, struct bus_uuid *ret) {
  struct sha1_ctx sha1;
  sha1_init(&sha1);
  sha1_update(&sha1, sizeof space->bytes, space->bytes);
  if (name.len > 0)
    sha1_update(&sha1, name.len, (const uint8_t *)name.data);
  sha1_digest(&sha1, sizeof ret->bytes, ret->bytes);
  set_version(ret, 5);
}

void bus_uuid_source_init(struct bus_uuid_source *source, const uint64_t seed[4]) {
  *source = (struct bus_uuid_source){.last_ms = -1};
  memcpy(source->rng, seed, sizeof source->rng);
  if ((seed[0] | seed[1] | seed[2] | seed[3]) == 0) /* the one state that xoshiro never leaves */
    source->rng[0] = UINT64_C(0x9E3779B97F4A7C15);
}

static uint64_t rotate(uint64_t x, unsigned bits) {
  return x << bits | x >> (64 - bits);
}

/* xoshiro256** of Blackman and Vigna. */
uint64_t bus_uuid_source_random(struct bus_uuid_source *source) {
  uint64_t *s = source->rng;
  uint64_t result = rotate(s[1] * 5, 7) * 9;
  uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

enum { COUNTER_MAX = 0xFFF, COUNTER_START = 0x7FF };

static void advance(struct bus_uuid_source *source, int64_t ms) {
  if (ms <= source->last_ms && source->counter < COUNTER_MAX) {
    source->counter++;
    return;
  }
  /* A counter that is used up borrows the next millisecond. */
  source->last_ms = ms > source->last_ms ? ms : source->last_ms + 1;
  source->counter = (uint16_t)(bus_uuid_source_random(source) >> 32 & COUNTER_START);
}

static void put_big_endian(uint8_t *bytes, size_t count, uint64_t value) {
  for (size_t i = count; i > 0; i--, value >>= 8)
    bytes[i - 1] = (uint8_t)value;
}

void bus_uuid_v7(struct bus_uuid_source *source, bus_time now, struct bus_uuid *ret) {
  advance(source, now < 0 ? 0 : now / BUS_MILLISECOND);
  put_big_endian(ret->bytes, 6, (uint64_t)source->last_ms);
  put_big_endian(ret->bytes + 6, 2, source->counter);
  put_big_endian(ret->bytes + 8, 8, bus_uuid_source_random(source));
  set_version(ret, 7);
}
