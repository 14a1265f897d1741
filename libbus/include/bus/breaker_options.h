/* The variables of a service's circuit breakers, CIRCUIT_BREAKER_…: six rows of its option table. */
#pragma once

#include <bus/breaker.h>
#include <bus/config.h>

BUS_C_BEGIN

/* As the rows fill it. */
struct bus_breaker_options {
  int64_t threshold, share_percent, window_ms, first_rest_ms, open_ms, success_threshold;
};

enum { BUS_BREAKER_OPTION_COUNT = 6 };

#define BUS_BREAKER_OPTION(variable, place, standard, least, most, what, text)                                         \
  {                                                                                                                    \
    .name = "CIRCUIT_BREAKER_" variable, .kind = BUS_OPTION_INT, .offset = (place), .fallback = (standard),            \
    .min = (least), .max = (most), .unit = (what), .description = (text)                                               \
  }
/* S: the struct of the settings; member: its struct bus_breaker_options. */
#define BUS_BREAKER_OPTION_ROWS(S, member)                                                                             \
  BUS_BREAKER_OPTION("THRESHOLD", offsetof(S, member.threshold), "5", 1, BUS_BREAKER_THRESHOLD_MAX, NULL,              \
                     "distinct subjects that must fail within the window to open the breaker; or, while nothing "      \
                     "succeeds, failed calls"),                                                                        \
      BUS_BREAKER_OPTION("SHARE_PERCENT", offsetof(S, member.share_percent), "50", 1, 100, "%",                        \
                         "share of the subjects tried within the window that must fail, too"),                         \
      BUS_BREAKER_OPTION("WINDOW_MS", offsetof(S, member.window_ms), "10000", 100, 3600000, "ms", "the window"),       \
      BUS_BREAKER_OPTION("FIRST_REST_MS", offsetof(S, member.first_rest_ms), "1000", 10, 1000, "ms",                   \
                         "how long an open breaker rests at first; it doubles after each failed probe"),               \
      BUS_BREAKER_OPTION("OPEN_MS", offsetof(S, member.open_ms), "30000", 10, 3600000, "ms",                           \
                         "the longest that an open breaker rests"),                                                    \
      BUS_BREAKER_OPTION("SUCCESS_THRESHOLD", offsetof(S, member.success_threshold), "2", 1, 100, NULL,                \
                         "successful probes that close the breaker")

/* time_limit_ms: how long a call may take. */
struct bus_breaker_settings bus_breaker_settings_of(const struct bus_breaker_options *options, int64_t time_limit_ms);

BUS_C_END
