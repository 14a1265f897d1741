/* Looking for payments that are due, and gauges. */
#include "payment_periodics.h"

#include "payment_metrics.h"
#include "payment_statements.h"

enum { FIND_DUE_MS = 250, FIND_PUT_OFF_MS = 5000, LOOK_AFTER_MS = 10000 };

/* No more than can be called: the others wait in the database. */
static int64_t room_for(struct payment_context *context, enum bus_breaker_past past) {
  size_t room = payment_caller_room(context->caller, past), pushed = bus_worker_pushed(context->worker);
  return room > pushed ? (int64_t)(room - pushed) : 0;
}

static void find_due_args(void *opaque, struct bus_args *args) {
  struct payment_context *context = opaque;
  bus_args_int64(args, room_for(context, BUS_BREAKER_FRESH));
  bus_args_int64(args, room_for(context, BUS_BREAKER_FAILED));
}

static void find_put_off_args(void *opaque, struct bus_args *args) {
  struct payment_context *context = opaque;
  bus_args_int64(args, room_for(context, BUS_BREAKER_FAILED));
  bus_args_int64(args, payment_longest_wait(&context->policy));
}

static void look_after_args(void *opaque, struct bus_args *args) {
  const struct payment_context *context = opaque;
  bus_args_int64(args, context->policy.quick_attempts);
}

static void look_after_rows(void *opaque, struct bus_worker *worker, const struct bus_rows *rows) {
  (void)opaque, (void)worker;
  const struct payment_gauges gauges = {.open = bus_rows_int64(rows, 0, 0),
                                        .refunds_failing = bus_rows_int64(rows, 0, 1),
                                        .unknown = bus_rows_int64(rows, 0, 2),
                                        .oldest_age = bus_rows_int64(rows, 0, 3)};
  payment_metrics_gauges(&gauges);
}

const struct bus_periodic payment_periodics[PAYMENT_PERIODICS] = {
    {.statement = FIND_DUE, .interval_ms = FIND_DUE_MS, .args = find_due_args, .rows = bus_worker_push_due},
    {.statement = FIND_PUT_OFF, .interval_ms = FIND_PUT_OFF_MS, .args = find_put_off_args, .rows = bus_worker_push_due},
    {.statement = LOOK_AFTER, .interval_ms = LOOK_AFTER_MS, .args = look_after_args, .rows = look_after_rows},
};
