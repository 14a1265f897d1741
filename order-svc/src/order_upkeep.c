/* Periodics of order-svc: due orders become inputs, new orders wait while too many are open, and old tombstones are
 * deleted. */
#include "order_upkeep.h"

#include "order_metrics.h"
#include "order_statements.h"

#include <bus/clock.h>
#include <bus/log.h>
#include <pthread.h>
#include <stdlib.h>

#define SETTING(member) BUS_OPTION_INT, offsetof(struct order_settings, member)
const struct bus_option order_options[ORDER_OPTIONS] = {
    {"MAX_OPEN_SAGAS", SETTING(max_open_sagas), "10000", 1, 1000000, NULL, false, NULL,
     "new orders wait in their queue while so many are open; those that wait only to be undone do not count"},
    {"MAX_LATE_SAGAS", SETTING(max_late_sagas), "500", 1, 1000000, NULL, false, NULL,
     "new orders wait, too, while so many are neither reserved nor paid after a quarter of the deadline, are at least "
     "half of the newest orders of that age, and no newer order is CONFIRMED"},
    {"SAGA_DEADLINE_MS", SETTING(deadline_ms), "60000", 100, 86400000, NULL, false, "ms",
     "an order that is not reserved, or not paid, within that time is undone"},
    {"SAGA_RESEND_MS", SETTING(resend_ms), "30000", 100, 86400000, NULL, false, "ms",
     "between repetitions of what an order that is being undone still waits for"},
    {"PAY_LATER_MS", SETTING(pay_later_ms), "900000", 1000, 86400000, NULL, false, "ms",
     "an order that is paid later, and not within that time, is undone"},
    {"MAX_UNPAID_ORDERS", SETTING(max_unpaid), "10000", 1, 1000000, NULL, false, NULL,
     "orders that are paid later are rejected while so many are open; they do not count towards MAX_OPEN_SAGAS once "
     "they are reserved"},
    {"MAX_UNPAID_ORDERS_OF_CUSTOMER", SETTING(max_unpaid_of_customer), "5", 1, 1000, NULL, false, NULL,
     "the same for the orders of one customer"},
};

enum { DUE_INTERVAL_MS = 500, PUT_OFF_INTERVAL_MS = 5000, INTAKE_INTERVAL_MS = 500, PURGE_INTERVAL_MS = 60000 };

bool order_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  const struct order_settings *own = settings;
  struct order_context *context = calloc(1, sizeof *context);
  if (!context)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker's context");
  *context = (struct order_context){
      .policy = {own->deadline_ms * BUS_MILLISECOND, own->resend_ms * BUS_MILLISECOND,
                 own->pay_later_ms * BUS_MILLISECOND},
      .limits = {own->max_open_sagas, own->max_late_sagas},
      .unpaid = {own->max_unpaid, own->max_unpaid_of_customer},
      .tombstones_keep_h = bus_worker_inbox_keep_h(worker),
  };
  order_metrics_register();
  *ret_context = context;
  return true;
}

void order_close(void *context) {
  free(context);
}

/* ---- due orders ---- */

static int64_t take_due_budget(void) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static struct order_budget budget;
  (void)pthread_mutex_lock(&mutex); /* a plain mutex does not fail */
  int64_t granted = order_budget_take(&budget, bus_monotonic());
  (void)pthread_mutex_unlock(&mutex);
  return granted;
}

static void due_orders_args(void *context, struct bus_args *args) {
  (void)context;
  bus_args_int64(args, take_due_budget());
}

static void put_off_args(void *context, struct bus_args *args) {
  const struct order_context *own = context;
  bus_args_int64(args, take_due_budget());
  bus_args_int64(args, order_longest_wait(&own->policy));
  bus_args_int64(args, order_longest_wait_for_payment(&own->policy));
}

/* ---- the intake ----
 * Closed while too many orders are open, or too many of them wait longer than they should: a new order would wait
 * behind those, and be undone by its deadline. In its queue no deadline runs. All workers look at one database. */

static pthread_mutex_t intake_mutex = PTHREAD_MUTEX_INITIALIZER; /* a plain mutex does not fail */
static struct order_intake intake;                               /* under it */

int64_t order_upkeep_intake_closed_for(void) {
  (void)pthread_mutex_lock(&intake_mutex);
  int64_t closed_for = order_intake_closed_for(&intake, bus_monotonic());
  (void)pthread_mutex_unlock(&intake_mutex);
  return closed_for;
}

static void note_order_intake(const struct order_load *load, bool closed) {
  (void)pthread_mutex_lock(&intake_mutex);
  bool changed = order_intake_note(&intake, closed, bus_monotonic());
  (void)pthread_mutex_unlock(&intake_mutex);
  order_metrics_intake(load, closed);
  if (changed)
    bus_log(BUS_INFO, closed ? "new orders wait: too many are open, or late" : "new orders are taken again",
            BUS_F_INT("open", load->open), BUS_F_INT("late", load->late));
}

static void intake_args(void *context, struct bus_args *args) {
  const struct order_context *own = context;
  bus_args_int64(args, order_intake_rows(&own->limits));
  bus_args_int64(args, order_late_within(&own->policy));
  bus_args_int64(args, order_late_after(&own->policy));
  bus_args_int64(args, order_intake_window(&own->limits));
}

static void intake_rows(void *context, struct bus_worker *worker, const struct bus_rows *rows) {
  const struct order_context *own = context;
  const struct order_load load = {.open = bus_rows_int64(rows, 0, 0), .late = bus_rows_int64(rows, 0, 1)};
  bool closed = order_intake_is_full(&load, &own->limits);
  bus_worker_pause(worker, ORDER_QUEUE_PLACE, closed);
  note_order_intake(&load, closed);
}

/* ---- tombstones ---- */

static void purge_tombstones_args(void *context, struct bus_args *args) {
  const struct order_context *own = context;
  bus_args_int64(args, own->tombstones_keep_h);
}

const struct bus_periodic order_periodics[ORDER_PERIODICS] = {
    {.statement = FIND_DUE,
     .interval_ms = DUE_INTERVAL_MS,
     .when_settled = true,
     .args = due_orders_args,
     .rows = bus_worker_push_due},
    {.statement = FIND_PUT_OFF,
     .interval_ms = PUT_OFF_INTERVAL_MS,
     .when_settled = true,
     .args = put_off_args,
     .rows = bus_worker_push_due},
    {.statement = COUNT_OPEN, .interval_ms = INTAKE_INTERVAL_MS, .args = intake_args, .rows = intake_rows},
    {.statement = PURGE_TOMBSTONES, .interval_ms = PURGE_INTERVAL_MS, .args = purge_tombstones_args},
};
