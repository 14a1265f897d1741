/* order-svc's own variables. */
#ifndef ORDER_SETTINGS_H
#define ORDER_SETTINGS_H

#include <bus/config.h>

struct order_settings {
  int64_t max_open_sagas, max_late_sagas;
  int64_t deadline_ms, resend_ms;
};

enum { ORDER_OPTIONS = 4 };
extern const struct bus_option order_options[ORDER_OPTIONS];

#endif
