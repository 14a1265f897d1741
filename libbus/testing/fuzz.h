/* Helpers of fuzz targets: taking an input apart, checks that end the program, and round trips through field tables. A
 * target is one function over bytes; libFuzzer drives it, or fuzz_replay.c over files. */
#pragma once

#include <bus/field.h>

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert it is there in every build. */
#define FUZZ_CHECK(condition)                                                                                          \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                                   \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

static inline struct bus_str fuzz_input(const uint8_t *data, size_t size) {
  return (struct bus_str){size > 0 ? (const char *)data : "", size};
}

/* The first byte, taken off; 0 at the end. */
uint8_t fuzz_byte(struct bus_str *rest);
/* A big-endian number of that many bytes, taken off; missing bytes are 0. */
uint64_t fuzz_number(struct bus_str *rest, size_t bytes);
/* Takes the bytes up to the next byte 0xFF (all bytes if there is none), and that byte, off the input. */
struct bus_str fuzz_part(struct bus_str *rest);
/* The same in memory of its own, NUL-terminated: free it. A NUL inside ends it for who reads it as a string. */
char *fuzz_text(struct bus_str part);
/* The same without NUL, so that a sanitizer sees a read behind its end: free it. */
char *fuzz_exact(struct bus_str part);

/* Decodes the input. An accepted input must be the same after encoding and decoding, with nulls and without. A refused
 * input must have an error text that is a valid log value. Returns the struct, in the arena, or NULL. */
void *fuzz_codec(const struct bus_schema *schema, struct bus_str json, enum bus_unknown unknown,
                 struct bus_arena *arena);
/* Encodes, decodes as a message and encodes again: the same text. */
void fuzz_must_travel(const struct bus_schema *schema, const void *value, struct bus_arena *arena);
