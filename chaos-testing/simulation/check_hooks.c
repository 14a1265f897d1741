/* Invariants of webhooks: no event is forgotten, none goes to an endpoint that was deleted before it. */
#include "hooks.h"

#include "table_orders.h"
#include "table_webhooks.h"

#include <order.h>

static const struct hook *hook_of(const struct world *world, const struct bus_uuid *id) {
  const struct hook *hook = world->hooks->hooks;
  while (!bus_uuid_equal(&hook->id, id))
    hook++;
  return hook;
}

/* An endpoint is disabled in the transaction that is looked at, or was before. */
static void note_disabled(struct world *world) {
  for (const struct bus_memory_row *row = world->databases[SERVICE_NOTIFY].tables[ENDPOINTS].rows; row;
       row = row->next) {
    const struct endpoint *endpoint = row->record;
    if (endpoint->status == WEBHOOK_DISABLED)
      ((struct hook *)(uintptr_t)hook_of(world, &endpoint->endpoint_id))->was_disabled = true;
  }
}

void check_deliveries(struct world *world) {
  const struct bus_memory_row *last = world->hooks->last_delivery;
  const struct bus_memory_row *row = last ? last->next : world->databases[SERVICE_NOTIFY].tables[DELIVERIES].rows;
  note_disabled(world);
  for (; row; row = row->next) {
    if (hook_of(world, &delivery_in(row)->endpoint_id)->deleted_at != 0)
      world_violate(world, "an event is to be delivered to an endpoint that was deleted before");
    world->hooks->last_delivery = row;
  }
}

static void end_of_delivery(struct world *world, const struct delivery *delivery) {
  const struct hook *hook = hook_of(world, &delivery->endpoint_id);
  const struct hook_got *got = hook->got;
  struct notify_policy policy;
  struct bus_error err;
  while (got && !bus_uuid_equal(&got->id, &delivery->delivery_id))
    got = got->next;
  if (delivery->status == DELIVERY_DELIVERED && !(got && got->accepted))
    world_violate(world, "a webhook counts as delivered, and its server never accepted it");
  if (delivery->status == DELIVERY_WAITING && hook->deleted_at == 0)
    world_violate(world, "a webhook waits after %" PRId64 " attempts", delivery->attempts);
  if (!notify_policy_of(&hook_settings, &policy, &err))
    world_violate(world, "%s", err.text);
  if (delivery->status == DELIVERY_FAILED && delivery->failures != (int64_t)policy.schedule_count + 1)
    world_violate(world, "a webhook is given up after %" PRId64 " attempts", delivery->attempts);
}

static void end_of_event(struct world *world, const struct hook *hook, const struct order *order) {
  static const int events[ORDER_STATUS_COUNT] = {[ORDER_CONFIRMED] = 1 + WEBHOOK_ORDER_CONFIRMED,
                                                 [ORDER_CANCELLED] = 1 + WEBHOOK_ORDER_CANCELLED,
                                                 [ORDER_REJECTED] = 1 + WEBHOOK_ORDER_REJECTED};
  int event = events[order->status] - 1;
  struct bus_uuid id;
  if (event < 0 || (hook->events >> event & 1) == 0 || !bus_str_equal(order->customer_id, hook->customer_id))
    return;
  notify_delivery_id_of(&hook->id,
                        &(struct notify_event){.type = (enum webhook_event)event, .order_id = order->order_id}, &id);
  if (!bus_memory_find(&world->databases[SERVICE_NOTIFY].tables[DELIVERIES], &id))
    world_violate(world, "no webhook tells that an order is %s", order_state_name(order->status));
}

void check_hooks_end(struct world *world) {
  for (const struct bus_memory_row *row = world->databases[SERVICE_NOTIFY].tables[DELIVERIES].rows; row;
       row = row->next)
    end_of_delivery(world, delivery_in(row));
  for (size_t i = 0; i < world->hooks->count; i++) {
    const struct hook *hook = &world->hooks->hooks[i];
    if (hook->deleted_at != 0 || hook->was_disabled)
      continue;
    for (const struct bus_memory_row *row = world->databases[SERVICE_ORDER].tables[ORDERS].rows; row; row = row->next)
      end_of_event(world, hook, order_in(row));
  }
}
