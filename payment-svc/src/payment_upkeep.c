/* State of payment-svc for each worker, actions after COMMIT, and periodics. */
#include "payment_upkeep.h"

#include "payment_caller.h"
#include "payment_metrics.h"
#include "payment_service.h"
#include "payment_statements.h"

#include <bus/failpoint.h>
#include <bus/log.h>

#include <stdlib.h>

enum { FIND_DUE_MS = 250, FIND_PUT_OFF_MS = 5000, LOOK_AFTER_MS = 10000 };

/* One worker's; payment_lock takes it for the policy, its first member. */
struct context {
  struct payment_policy policy;
  struct payment_caller *caller;
  struct bus_worker *worker;
};
_Static_assert(offsetof(struct context, policy) == 0, "payment_lock takes a context for its policy");

void payment_close(void *opaque) {
  struct context *context = opaque;
  if (context)
    payment_caller_free(context->caller);
  free(context);
}

bool payment_open(const void *given, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  const struct payment_settings *own = given;
  if (!payment_settings_check(own, err))
    return false;
  payment_metrics_register();
  struct context *context = calloc(1, sizeof *context);
  if (!context)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for a worker's context");
  context->policy = payment_policy_of(own);
  context->worker = worker;
  if (!payment_caller_new(own, worker, &context->caller, err)) {
    payment_close(context);
    return false;
  }
  if (!bus_worker_add_source(worker, payment_caller_source(context->caller))) {
    payment_close(context);
    return bus_fail(err, BUS_E_CONFIG, "no room for the PSP's sockets in the poll set");
  }
  *ret_context = context;
  return true;
}

static void log_dispute(const struct payment_dispute_news *dispute, const struct bus_trace *trace) {
  bus_log(BUS_ERROR, "a payment is disputed", BUS_F_VIEW("dispute", dispute->dispute_id),
          BUS_F_VIEW("payment_intent", dispute->psp_id), BUS_F_VIEW("status", dispute->status),
          BUS_F_VIEW("reason", dispute->reason), BUS_F_INT("amount", dispute->amount),
          BUS_F_VIEW("currency", dispute->currency), BUS_F_TRACE(trace));
}

void payment_act(void *opaque, const void *given) {
  struct context *context = opaque;
  const struct payment_action *action = given;
  payment_metrics_fact(action);
  if (action->dispute)
    log_dispute(action->dispute, &action->trace);
  else if (action->alarm != PAYMENT_NO_ALARM)
    bus_log(BUS_ERROR, "payment needs attention", BUS_F_STR("alarm", payment_alarm_names[action->alarm]),
            BUS_F_STR("state", payment_state_names[action->state]), BUS_F_UUID("order_id", &action->order_id),
            BUS_F_INT("attempts", action->attempts), BUS_F_TRACE(&action->trace));
  if (action->moved && !action->calls)
    BUS_CRASH_POINT("payment.result-committed");
  if (action->calls && !BUS_ERROR_POINT("payment.claimed")) /* else it is as good as lost with the process */
    payment_caller_take(context->caller, &action->call);
}

/* ---- now and then ---- */

/* No more than can be called: the others wait in the database. */
static int64_t room_for(struct context *context, enum bus_breaker_past past) {
  size_t room = payment_caller_room(context->caller, past), pushed = bus_worker_pushed(context->worker);
  return room > pushed ? (int64_t)(room - pushed) : 0;
}

static void find_due_args(void *opaque, struct bus_args *args) {
  struct context *context = opaque;
  bus_args_int64(args, room_for(context, BUS_BREAKER_FRESH));
  bus_args_int64(args, room_for(context, BUS_BREAKER_FAILED));
}

static void find_put_off_args(void *opaque, struct bus_args *args) {
  struct context *context = opaque;
  bus_args_int64(args, room_for(context, BUS_BREAKER_FAILED));
  bus_args_int64(args, payment_longest_wait(&context->policy));
}

static void look_after_args(void *opaque, struct bus_args *args) {
  const struct context *context = opaque;
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
