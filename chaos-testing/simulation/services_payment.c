/* payment-svc as it is, but for the calls to the PSP. */
#include "services.h"

#include "psp.h"
#include "service_bugs.h"

#include <payment_messages.h>
#include <payment_metrics.h>
#include <payment_service.h>
#include <payment_statements.h>
#include <payment_store.h>

static bool lock_payments(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                          struct bus_sql *sql, void **ret_model) {
  services_lock(inputs, count);
  return payment_lock(context, inputs, count, arena, sql, ret_model);
}

static void count_payment(struct world *world, const struct payment_model *model, const struct bus_input *input) {
  const struct payment *payment = payment_model_of(model, input);
  enum payment_input_kind kind = PAYMENT_ON_DUE;
  if (!payment)
    return;
  if (input->kind == BUS_INPUT_DELIVERY)
    kind = input->type == &payment_charge_type ? PAYMENT_ON_CHARGE : PAYMENT_ON_REFUND;
  else if (input->kind == BUS_INPUT_COMPLETION)
    kind = ((const struct payment_result *)input->body)->kind;
  world->tally->payment[payment->state][kind]++;
}

static void decide_payment(void *model, const struct bus_input *input, struct bus_effects *effects) {
  struct world *world = services_present->world;
  if (!services_begin(input))
    return;
  count_payment(world, model, input);
  if (world->bug != BUG_NONE)
    bugs_decide_payment(world, model, input, effects);
  else
    payment_service_decide(model, input, effects);
  services_end(effects);
}

static void call_psp(void *context, const void *given) {
  struct service_context *own = context;
  const struct payment_action *action = given;
  if (action->calls)
    caller_take(own->handle.world, own->handle.worker, &action->call);
}

/* Gauges are metrics. */
void payment_metrics_gauges(const struct payment_gauges *gauges) {
  (void)gauges;
}

static const char *const queues[] = {"payment-svc"};

const struct bus_service payment_bus = {
    .name = "payment-svc",
    .queues = queues,
    .queue_count = BUS_COUNT(queues),
    .statements = payment_statements,
    .statement_count = PAYMENT_STATEMENTS,
    .periodics = payment_periodics,
    .periodic_count = PAYMENT_PERIODICS,
    .lock = lock_payments,
    .load = payment_load,
    .decide = decide_payment,
    .store = payment_store,
    .act = call_psp,
};
