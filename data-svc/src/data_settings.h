/* data-svc's own variables. */
#pragma once

#include <bus/config.h>

enum { DATA_OPTIONS = 3 };

struct data_settings {
  int64_t keep_months, job_keep_days, job_export_max;
};

extern const struct bus_option data_options[DATA_OPTIONS];
