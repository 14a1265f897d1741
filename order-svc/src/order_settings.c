/* order-svc's own variables: names, bounds, defaults. */
#include "order_settings.h"

const struct bus_option order_options[ORDER_OPTIONS] = {
    {.name = "MAX_OPEN_SAGAS",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct order_settings, max_open_sagas),
     .fallback = "10000",
     .min = 1,
     .max = 1000000,
     .description =
         "new orders wait in their queue while so many are open; those that wait only to be undone do not count"},
    {.name = "MAX_LATE_SAGAS",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct order_settings, max_late_sagas),
     .fallback = "500",
     .min = 1,
     .max = 1000000,
     .description =
         "new orders wait, too, while so many are neither reserved nor paid after a quarter of the deadline, are at "
         "least half of the newest orders of that age, and no newer order is CONFIRMED"},
    {.name = "SAGA_DEADLINE_MS",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct order_settings, deadline_ms),
     .fallback = "60000",
     .min = 100,
     .max = 86400000,
     .unit = "ms",
     .description = "an order that is not reserved, or not paid, within that time is undone"},
    {.name = "SAGA_RESEND_MS",
     .kind = BUS_OPTION_INT,
     .offset = offsetof(struct order_settings, resend_ms),
     .fallback = "30000",
     .min = 100,
     .max = 86400000,
     .unit = "ms",
     .description = "between repetitions of what an order that is being undone still waits for"},
};
