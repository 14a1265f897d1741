/* SHA-256 (FIPS 180-4), by nettle, and its lower-case hexadecimal text. Pure. */
#ifndef BUS_HASH_H
#define BUS_HASH_H

#include <bus/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BUS_SHA256_TEXT 65

void bus_sha256(struct bus_str data, uint8_t digest[32]);
void bus_sha256_hex(struct bus_str data, char text[BUS_SHA256_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
