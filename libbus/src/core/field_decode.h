/* Decoding into a record that several tables describe: the body of a request, beside its path and query. Private to
 * libbus's pure half. */
#pragma once

#include "field_value.h"

struct bus_decoding {
  struct bus_field_sink sink;
  enum bus_unknown unknown;
  const struct bus_field *needed; /* an optional member that this document must have; NULL: none */
};

/* As bus_decode, but writes nothing but the table's members, and also when it fails; d->sink.failed says so. */
void bus_decode_members(struct bus_decoding *d, const struct bus_schema *schema, struct bus_str json, void *record);
