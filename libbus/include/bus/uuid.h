/* UUIDs as of RFC 9562: version 7 for messages, version 5 for ids derived from a name. Pure: time and randomness are
 * arguments. */
#pragma once

#include <bus/base.h>

BUS_C_BEGIN

struct bus_uuid {
  uint8_t bytes[16];
};

#define BUS_UUID_TEXT 37 /* 36 characters and NUL */

/* All zero (RFC 9562, 5.9); stands for "absent" in optional fields. */
bool bus_uuid_is_nil(const struct bus_uuid *uuid);
/* Are all bytes the same? */
bool bus_uuid_equal(const struct bus_uuid *a, const struct bus_uuid *b);
/* Order of the bytes, which is Postgres's order of uuid. */
int bus_uuid_compare(const struct bus_uuid *a, const struct bus_uuid *b);

/* Lower case, with hyphens. */
void bus_uuid_format(const struct bus_uuid *uuid, char text[BUS_UUID_TEXT]);
/* Takes exactly the 36-character form, in either case. */
bool bus_uuid_parse(struct bus_str text, struct bus_uuid *ret) BUS_MUST_CHECK;

/* Version 5 (RFC 9562, 5.5): SHA-1 of the namespace's bytes and the name. */
void bus_uuid_v5(const struct bus_uuid *space, struct bus_str name, struct bus_uuid *ret);

/* A stream of version 7 ids (RFC 9562, 5.7 and 6.2 method 1): 48 bits of Unix milliseconds, 12 bits of counter that
 * starts at random below 2048 in each millisecond, 62 random bits. Strictly increasing within one source; a clock that
 * steps back keeps the last millisecond. Not thread-safe: one source a thread. */
struct bus_uuid_source {
  int64_t last_ms;
  uint16_t counter;
  uint64_t rng[4]; /* xoshiro256**, seeded by the caller; see bus_random_seed in bus/clock.h */
};

/* Begins a stream; the seed must be random, or the same for the same stream. */
void bus_uuid_source_init(struct bus_uuid_source *source, const uint64_t seed[4]);
/* The next id of the stream, at that time. */
void bus_uuid_v7(struct bus_uuid_source *source, bus_time now, struct bus_uuid *ret);
/* 64 bits of the same stream: jitter, span ids. Not for secrets. */
uint64_t bus_uuid_source_random(struct bus_uuid_source *source);

BUS_C_END
