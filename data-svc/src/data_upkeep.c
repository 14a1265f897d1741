/* Work of data-svc after COMMIT and at intervals. */
#include "data_upkeep.h"

#include "data_metrics.h"
#include "data_statements.h"

#include <bus/log.h>

enum { KEEP_MONTHS_MS = 600000, MONTHS_AHEAD = 3 };

static struct data_settings kept; /* read alone */

bool data_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  (void)worker, (void)err;
  data_metrics_register();
  kept = *(const struct data_settings *)settings;
  *ret_context = &kept;
  return true;
}

void data_act(void *context, const void *given) {
  const struct data_action *action = given;
  (void)context;
  data_metrics_event(action->outcome, action->age);
}

static void keep_months_args(void *context, struct bus_args *args) {
  const struct data_settings *settings = context;
  bus_args_int64(args, settings->keep_months);
  bus_args_int64(args, MONTHS_AHEAD);
}

static void keep_months_rows(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)context, (void)worker;
  int64_t changed = bus_rows_int64(rows, 0, 0);
  if (changed == BUS_NO_INT64)
    bus_log(BUS_WARN, "months of reports are in use; they are made and dropped ten minutes later");
  else if (changed > 0)
    bus_log(BUS_INFO, "months of reports were made or dropped", BUS_F_INT("months", changed));
}

const struct bus_periodic data_periodics[DATA_PERIODICS] = {
    {.statement = KEEP_MONTHS, .interval_ms = KEEP_MONTHS_MS, .args = keep_months_args, .rows = keep_months_rows},
};
