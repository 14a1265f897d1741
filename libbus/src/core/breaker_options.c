/* A breaker's settings from the variables of a service. */
#include <bus/breaker_options.h>

struct bus_breaker_settings bus_breaker_settings_of(const struct bus_breaker_options *options, int64_t time_limit_ms) {
  return (struct bus_breaker_settings){.threshold = (int)options->threshold,
                                       .share_percent = (int)options->share_percent,
                                       .window = options->window_ms * BUS_MILLISECOND,
                                       .first_rest = options->first_rest_ms * BUS_MILLISECOND,
                                       .open_for = options->open_ms * BUS_MILLISECOND,
                                       .success_threshold = (int)options->success_threshold,
                                       .time_limit = time_limit_ms * BUS_MILLISECOND};
}
