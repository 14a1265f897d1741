/* Values of a field table: their absence, kinds and bounds, and records of them. Private to libbus's pure half. */
#pragma once

#include <bus/field.h>

#include <stdarg.h>

#include "field_path.h"

struct cJSON;

/* The arena of decoded values, and the list of problems. */
struct bus_field_sink {
  struct bus_arena *arena;
  struct bus_problems *problems; /* NULL: nobody wants to know them */
  struct bus_path path;
  const struct cJSON *value; /* what is decoded; NULL: no single value */
  bool failed;               /* there was one, or more */
  bool no_memory;            /* has been said */
};

/* Adds a problem of the value at `path`. */
void bus_field_problem(struct bus_field_sink *sink, const char *format, ...) BUS_PRINTF(2, 3);

/* The problem "out of memory", once. */
void bus_field_no_memory(struct bus_field_sink *sink);
/* NULL when out of memory, which is then a problem. */
void *bus_field_alloc(struct bus_field_sink *sink, size_t count, size_t size) BUS_MUST_CHECK;

/* The fallback, or what says that the member is absent. */
void bus_field_set_absent(const struct bus_field *field, void *record);
/* Every kind but OBJECT and ARRAY; numbers that are not integers have been marked as NAN. */
void bus_field_decode_value(struct bus_field_sink *sink, const struct bus_field *field, const struct cJSON *value,
                            void *slot);

/* The same kinds from a path's segment or a query's value: integers are plain digits, booleans true or false. */
void bus_field_decode_text(struct bus_field_sink *sink, const struct bus_field *field, struct bus_str text, void *slot);

/* field_problem.c: bus_problem_add with its arguments in a list. */
void bus_problem_add_args(struct bus_problems *problems, const char *path, const char *format, va_list args)
    BUS_PRINTF(3, 0);

/* ---- field_decode.c: a record that several tables describe: the body of a request, beside its path and query ---- */
struct bus_decoding {
  struct bus_field_sink sink;
  enum bus_unknown unknown;
  const struct bus_field *needed; /* an optional member that this document must have; NULL: none */
};

/* As bus_decode, but writes nothing but the table's members, and also when it fails; d->sink.failed says so. */
void bus_decode_members(struct bus_decoding *d, const struct bus_schema *schema, struct bus_str json, void *record);
