/* name=value&name=value with percent escapes: a URL's query, and bodies of type application/x-www-form-urlencoded.
 * Pure; part of the HTTP server's library. */
#ifndef BUS_FORM_H
#define BUS_FORM_H

#include <bus/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Cuts the next pair off *rest; false when none is left. Name and value are still encoded; without '=' the value is
 * empty. Empty pairs are skipped. */
bool bus_form_next(struct bus_str *rest, struct bus_str *ret_name, struct bus_str *ret_value);

/* Percent escapes and '+' undone into text (encoded.len + 1 bytes, NUL-terminated). False where an escape is malformed,
 * or the outcome has a control character or is not UTF-8. */
bool bus_form_decode(struct bus_str encoded, char *text, size_t *ret_len) BUS_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
