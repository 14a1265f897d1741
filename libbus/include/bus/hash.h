/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), by nettle, and their lower-case hexadecimal text; a quick hash for
 * tables. Pure. */
#pragma once

#include <bus/base.h>

BUS_C_BEGIN

#define BUS_SHA256_TEXT 65

/* The SHA-256 of the text, as bytes. */
void bus_sha256(struct bus_str data, uint8_t digest[32]);
/* The same in lower-case hexadecimal digits, with a NUL. */
void bus_sha256_hex(struct bus_str data, char text[BUS_SHA256_TEXT]);
/* The first 64 bits of the SHA-256: stands for a text where others may choose texts that collide in a quick hash. */
uint64_t bus_sha256_short(struct bus_str data);

/* FNV-1a. Who may choose the data can make collisions. */
uint64_t bus_hash64(const void *data, size_t size);

/* The authentication code of all parts, one behind the other, as bytes. */
void bus_hmac_sha256(struct bus_str key, const struct bus_str *parts, size_t count, uint8_t digest[32]);
/* The same in lower-case hexadecimal digits, with a NUL. */
void bus_hmac_sha256_hex(struct bus_str key, const struct bus_str *parts, size_t count, char text[BUS_SHA256_TEXT]);

/* Are two secrets equal? The time depends on the lengths alone. */
bool bus_secret_equal(struct bus_str a, struct bus_str b);

BUS_C_END
