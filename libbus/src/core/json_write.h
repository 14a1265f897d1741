/* JSON text in two passes: the first counts, the second writes into exactly that much. Private to libbus's pure half.
 */
#pragma once

#include <bus/arena.h>
#include <bus/base.h>

/* text == NULL: only counts. The second pass must write what the first one counted. */
struct bus_json_writer {
  char *text;
  size_t len;
};

enum { BUS_JSON_ESCAPE_MAX = 6 };

/* The character at the front of text (len > 0) as it stands in a JSON string, without NUL: escaped where JSON demands
 * it, and so are DEL, C1 and the Unicode line breaks, so that a text is one line for every reader; a malformed byte
 * becomes U+FFFD. *ret_taken: bytes of text that it took. Returns the length. */
size_t bus_json_escape(const char *text, size_t len, char out[BUS_JSON_ESCAPE_MAX], size_t *ret_taken);
/* Number of leading bytes that need no escape: usually all, as in ids and names. */
size_t bus_json_plain_run(const char *text, size_t len);

void bus_json_raw(struct bus_json_writer *writer, struct bus_str text);
void bus_json_char(struct bus_json_writer *writer, char c);
void bus_json_string(struct bus_json_writer *writer, struct bus_str text);
void bus_json_int64(struct bus_json_writer *writer, int64_t value);

/* Runs write twice; the text is NUL-terminated. False when out of memory. */
bool bus_json_build(struct bus_arena *arena, void (*write)(struct bus_json_writer *writer, const void *context),
                    const void *context, struct bus_str *ret) BUS_MUST_CHECK;
