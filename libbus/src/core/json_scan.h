/* The lexical half of strictness: whether a text is JSON at all, and the forms that cJSON does not report. Private to
 * libbus's pure half. */
#pragma once

#include <bus/base.h>
#include <bus/field.h>

struct bus_json_scan {
  const char *problem; /* what is wrong; NULL: nothing */
  size_t at;           /* and at which byte, from 0 */
  size_t nodes, numbers;
  size_t inexact_count; /* numbers that are not integers within ±10^12: as a rule none */
  uint64_t *inexact;    /* a bit per number, in order: it is such a one; NULL: not noted */
};

/* The whole text must be one JSON value of RFC 8259, in valid UTF-8 without BOM and NUL (raw or escaped), without lone
 * surrogates, numbers of at most 60 characters, at most BUS_JSON_DEPTH deep and of at most max_nodes values. bits:
 * where inexact numbers are noted, a word for every 64 nodes; NULL: they are only counted. */
bool bus_json_scan(struct bus_str json, size_t max_nodes, uint64_t *bits, struct bus_json_scan *ret) BUS_MUST_CHECK;

/* Whether the n-th number, counted from 0, is written as an integer (no fraction, no exponent, not -0) within
 * ±BUS_JSON_INT_MAX. */
bool bus_json_scan_is_integer(const struct bus_json_scan *scan, size_t n);
