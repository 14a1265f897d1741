/* The table of data-svc's variables: it drives parsing, --help, .env.example and the README. */
#include "data_settings.h"

#include <stddef.h>

const struct bus_option data_options[DATA_OPTIONS] = {
    {"REPORTS_KEEP_MONTHS", BUS_OPTION_INT, offsetof(struct data_settings, keep_months), "13", 1, 120, NULL, false,
     "months", "orders that were placed in an earlier month than so many before this one are deleted; sums stay"},
    {"JOB_KEEP_DAYS", BUS_OPTION_INT, offsetof(struct data_settings, job_keep_days), "7", 1, 365, NULL, false, "days",
     "jobs that ended, and the orders that they exported, are deleted after that"},
    {"JOB_EXPORT_MAX", BUS_OPTION_INT, offsetof(struct data_settings, job_export_max), "100000", 1, 10000000, NULL,
     false, "orders", "most orders of an export; a job that finds more fails"},
};
