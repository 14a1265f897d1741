/* SHA-256 (FIPS 180-4), by nettle, and its lower-case hexadecimal text. Pure. */
#pragma once

#include <bus/base.h>

BUS_C_BEGIN

#define BUS_SHA256_TEXT 65

void bus_sha256(struct bus_str data, uint8_t digest[32]);
void bus_sha256_hex(struct bus_str data, char text[BUS_SHA256_TEXT]);

BUS_C_END
