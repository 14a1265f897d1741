/* State of order-svc for each worker, and its periodics: due orders, the intake of new ones, and the purge of
 * tombstones. */
#pragma once

#include "order_schedule.h"

#include <bus/config.h>
#include <bus/worker.h>

/* order-svc's own variables. */
struct order_settings {
  int64_t max_open_sagas, max_late_sagas;
  int64_t deadline_ms, resend_ms;
  int64_t pay_later_ms, max_unpaid, max_unpaid_of_customer;
};

enum { ORDER_OPTIONS = 7 };
extern const struct bus_option order_options[ORDER_OPTIONS];

struct order_context {
  struct order_policy policy;
  struct order_limits limits;
  struct order_unpaid_limits unpaid;
  int64_t tombstones_keep_h;
};

enum { ORDER_PERIODICS = 4 };
extern const struct bus_periodic order_periodics[ORDER_PERIODICS];

/* As struct bus_service has them; settings: struct order_settings. */
bool order_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
void order_close(void *context);

/* As order_intake_closed_for, of this process. Thread-safe. */
int64_t order_upkeep_intake_closed_for(void);
