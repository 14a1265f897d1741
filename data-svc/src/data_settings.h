/* data-svc's own variables. */
#pragma once

#include <bus/config.h>

enum { DATA_OPTIONS = 1 };

struct data_settings {
  int64_t keep_months;
};

extern const struct bus_option data_options[DATA_OPTIONS];
