/* State of payment-svc for each worker, and actions after COMMIT. */
#include "payment_upkeep.h"

#include "payment_metrics.h"
#include "payment_periodics.h"
#include "payment_service.h"

#include <bus/failpoint.h>
#include <bus/log.h>

#include <stdlib.h>

_Static_assert(offsetof(struct payment_context, policy) == 0, "payment_lock takes a context for its policy");

void payment_close(void *opaque) {
  struct payment_context *context = opaque;
  if (context)
    payment_caller_free(context->caller);
  free(context);
}

bool payment_open(const void *given, struct bus_worker *worker, void **ret_context, struct bus_error *err) {
  const struct payment_settings *own = given;
  if (!payment_settings_check(own, err))
    return false;
  payment_metrics_register();
  struct payment_context *context = calloc(1, sizeof *context);
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
  struct payment_context *context = opaque;
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
