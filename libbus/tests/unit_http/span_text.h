/* Reads the attributes of a span. */
#pragma once

#include <bus/span.h>

#include "test.h"

static inline const struct bus_span_attribute *span_attribute(const struct bus_span *span, const char *key) {
  for (size_t i = 0; i < span->attribute_count; i++)
    if (strcmp(span->attributes[i].key, key) == 0)
      return &span->attributes[i];
  return NULL;
}

static inline void span_assert_text(const struct bus_span *span, const char *key, const char *text) {
  const struct bus_span_attribute *attribute = span_attribute(span, key);
  assert_non_null(attribute);
  assert_true(bus_str_is((struct bus_str){span->text + attribute->at, attribute->len}, text));
}
