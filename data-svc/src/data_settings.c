/* The table of data-svc's variables: it drives parsing, --help, .env.example and the README. */
#include "data_settings.h"

#include <stddef.h>

const struct bus_option data_options[DATA_OPTIONS] = {
    {"REPORTS_KEEP_MONTHS", BUS_OPTION_INT, offsetof(struct data_settings, keep_months), "13", 1, 120, NULL, false,
     "months", "orders that were placed in an earlier month than so many before this one are deleted; sums stay"},
};
