/* name=value&name=value with percent escapes: a URL's query, and bodies of type application/x-www-form-urlencoded.
 * Pure. */
#pragma once

#include <bus/arena.h>
#include <bus/base.h>

BUS_C_BEGIN

/* Takes the next pair off *rest; false at the end. Name and value are still encoded; without '=' the value is empty.
 * Empty pairs are skipped. */
bool bus_form_next(struct bus_str *rest, struct bus_str *ret_name, struct bus_str *ret_value);

/* Decodes percent escapes and '+' into text (encoded.len + 1 bytes, NUL-terminated). False if an escape is malformed,
 * or the result has a control character or is not UTF-8. */
bool bus_form_decode(struct bus_str encoded, char *text, size_t *ret_len) BUS_MUST_CHECK;

/* The value of a name, decoded into the arena; absent where the form has no such name. False: the name stands twice, or
 * its value or any name of the form is malformed. */
bool bus_form_find(struct bus_str form, const char *name, struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;

/* The first name, still encoded, that is malformed or not in `names` (NULL-terminated); absent where all are known. */
struct bus_str bus_form_unknown(struct bus_str form, const char *const *names, struct bus_arena *arena);

BUS_C_END
