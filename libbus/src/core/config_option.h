/* Single options: from text to a member of a settings struct, and what is allowed as words. Private to libbus. */
#pragma once

#include <bus/config.h>

/* A value that was understood; text is a view of what was given. */
struct bus_option_value {
  const char *text;
  int64_t number; /* INT; BOOL: 0 or 1; ENUM: index */
};

bool bus_option_parse(const struct bus_option *option, const char *text, struct bus_option_value *ret) BUS_MUST_CHECK;

enum { BUS_OPTION_RANGE_TEXT = 256 };
/* "an integer from 1 to 65535, in ms" */
void bus_option_range(const struct bus_option *option, char text[BUS_OPTION_RANGE_TEXT]);
