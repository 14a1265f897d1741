/* Work of data-svc after COMMIT and at intervals. */
#include "data_upkeep.h"

#include "data_metrics.h"
#include "data_statements.h"

#include <bus/log.h>

#include <stdlib.h>

enum { KEEP_MONTHS_MS = 600000, MONTHS_AHEAD = 3 };

bool data_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  struct data_settings *own = malloc(sizeof *own);
  (void)worker;
  if (!own)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker's context");
  data_metrics_register();
  *own = *(const struct data_settings *)settings;
  *ret_context = own;
  return true;
}

void data_close(void *context) {
  free(context);
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
