/* A form-encoded body as its fields. Pure. */
#ifndef PSP_FORM_H
#define PSP_FORM_H

#include <bus/arena.h>
#include <bus/hash.h>

enum { PSP_FORM_MAX = 40 };

struct psp_form_field {
  struct bus_str name, value; /* decoded, in the arena */
};

struct psp_form {
  struct psp_form_field fields[PSP_FORM_MAX]; /* sorted by name */
  size_t count;
};

/* False: malformed, a name twice, or too many fields; *ret_problem says which. */
bool psp_form_parse(struct bus_str body, struct bus_arena *arena, struct psp_form *ret,
                    const char **ret_problem) BUS_MUST_CHECK;
/* Absent where the name is not there. */
struct bus_str psp_form_get(const struct psp_form *form, const char *name);
/* "metadata[order_id]" and "metadata" → "order_id"; absent where the name is not of that group. */
struct bus_str psp_form_member(struct bus_str name, const char *group);
/* The same for the same path and the same fields in any order. False: out of memory. */
bool psp_form_fingerprint(const struct psp_form *form, const char *path, struct bus_arena *arena,
                          char ret[BUS_SHA256_TEXT]) BUS_MUST_CHECK;

#endif
