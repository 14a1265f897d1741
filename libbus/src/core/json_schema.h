/* JSON Schema (2020-12) of field tables, for the documents that are printed from tables. Private to libbus's pure half.
 */
#pragma once

#include <bus/field.h>

#include "json_write.h"

/* Writes the format with its single quotes as double ones; $s is a string to be quoted and escaped, $v a view of one,
 * $r text as it is, $d a long long. */
void bus_json_put(struct bus_json_writer *writer, const char *format, ...);
/* "," if it is due. */
const char *bus_json_comma(bool due);

struct bus_schema_use {
  bool strict;   /* requests refuse unknown members */
  bool nullable; /* an optional member may be null; no parameter can */
};

/* The schema of one field, with braces. */
void bus_json_schema_field(struct bus_json_writer *writer, const struct bus_field *field, struct bus_schema_use use);
/* 'title':…,'type':'object','required':[…],'properties':{…}: the members of an object's schema, without braces. */
void bus_json_schema_object(struct bus_json_writer *writer, const struct bus_schema *schema, struct bus_schema_use use);
/* An object of the fields that have an example; lists have one item. */
void bus_json_schema_example(struct bus_json_writer *writer, const struct bus_schema *schema);
/* Has a field of the table, or of a table in it, an example? */
bool bus_json_schema_has_example(const struct bus_schema *schema);
