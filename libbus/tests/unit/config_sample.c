/* The sample tables. */
#include "config_sample.h"

struct config_sample config_sample;
struct config_other config_other;

static const char *const levels[] = {"debug", "info", "warn", NULL};

static const struct bus_option options[] = {
    {.name = "URL",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct config_sample, url),
     .min = 5,
     .max = 60,
     .secret = true,
     .description = "where the database is"},
    {.name = "NAME",
     .kind = BUS_OPTION_STRING,
     .offset = offsetof(struct config_sample, name),
     .fallback = "",
     .max = 10,
     .description = "a|b"},
    {.name = "PORT",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct config_sample, port),
     .fallback = "8080",
     .min = 1,
     .max = 65535,
     .description = "port of the API"},
    {.name = "TIMEOUT",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct config_sample, timeout),
     .fallback = "-5",
     .min = -10,
     .max = 10,
     .unit = "ms",
     .description = "how long"},
    {.name = "ON",
     .kind = BUS_OPTION_BOOL,
     .offset = offsetof(struct config_sample, on),
     .fallback = "false",
     .description = "whether"},
    {.name = "LEVEL",
     .kind = BUS_OPTION_ENUM,
     .offset = offsetof(struct config_sample, level),
     .fallback = "info",
     .names = levels,
     .description = "least level"},
};

static const struct bus_option other_options[] = {
    {.name = "COLOR",
     .kind = BUS_OPTION_CREDENTIAL,
     .offset = offsetof(struct config_other, color),
     .fallback = "hunter2",
     .min = 1,
     .max = 20,
     .secret = true,
     .description = "paint"},
};

const struct bus_option_table config_tables[2] = {{options, BUS_COUNT(options), &config_sample},
                                                  {other_options, BUS_COUNT(other_options), &config_other}};
