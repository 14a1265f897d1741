/* Single values of a field table: their absence, kinds and bounds. Private to libbus's pure half. */
#ifndef BUS_CORE_FIELD_VALUE_H
#define BUS_CORE_FIELD_VALUE_H

#include <bus/field.h>

#include "field_path.h"

struct cJSON;

/* Where decoded values lie, and where problems go. */
struct bus_field_sink {
  struct bus_arena *arena;
  struct bus_problems *problems;
  struct bus_path path;
  bool no_memory; /* has been said */
};

/* The problem "out of memory", once. */
void bus_field_no_memory(struct bus_field_sink *sink);
/* NULL when out of memory, which is then a problem. */
void *bus_field_alloc(struct bus_field_sink *sink, size_t count, size_t size) BUS_MUST_CHECK;

void bus_field_set_absent(const struct bus_field *field, void *record);
/* Every kind but OBJECT and ARRAY; numbers that are not integers have been marked as NAN. */
void bus_field_decode_value(struct bus_field_sink *sink, const struct bus_field *field, const struct cJSON *value,
                            void *slot);

#endif
