/* Invariants of messages, and what must be true at the end. */
#include "check.h"

#include "check_rows.h"
#include "clients.h"
#include "hooks.h"
#include "psp.h"
#include "table_inventory.h"
#include "table_orders.h"
#include "table_payments.h"
#include "worker.h"

#include <inttypes.h>
#include <orderbus_topology.h>
#include <stdio.h>

static const char *name_of(const struct letter *letter) {
  return letter->type ? letter->type->type : "?";
}

/* ---- messages ---- */

void check_sender(struct world *world, const struct sending *sending) {
  const struct bus_message_type *type = sending->message->type;
  bool moves = sending->exchange == BUS_EXCHANGE_RETRY || sending->exchange == BUS_EXCHANGE_DEAD;
  if (!moves && !bus_topology_is_sender(&orderbus_topology, type, bus_str(sending->peer->user)))
    world_violate(world, "%s may not send %s", sending->peer->user, type->type);
}

void check_settled(struct world *world, const struct letter *letter, int queue) {
  bool may_be_dropped = letter->type && letter->type->writes; /* then its asker's time runs out */
  const struct fate *fate = &letter->fates[queue_databases[queue]];
  if (fate->copies == 0 && fate->processed == 0 && !may_be_dropped)
    world_violate(world, "m%" PRIu64 " %s has left %s and was not processed", letter->number, name_of(letter),
                  queue_names[queue]);
}

void check_delivered(struct world *world, const struct letter *letter) {
  if (!letter->arrived)
    world_violate(world, "m%" PRIu64 " %s has left the outbox and never arrived", letter->number, name_of(letter));
}

static bool is_beyond_cancel(const struct world *world, const struct bus_uuid *order_id) {
  const struct order *order = orders_find(&world->databases[SERVICE_ORDER], order_id);
  int status = order ? order->status : ORDER_NONE;
  return status == ORDER_CONFIRMED || status == ORDER_REJECTED;
}

void check_processed(struct world *world, struct letter *letter, int service) {
  struct fate *fate = &letter->fates[service];
  if (!letter->external && !letter->committed)
    world_violate(world, "m%" PRIu64 " %s was processed, and its sender never committed it", letter->number,
                  name_of(letter));
  fate->failing_since = 0;
  fate->refusals = 0;
  if (letter->type == &order_cancel_type)
    letter->late = is_beyond_cancel(world, &letter->order_id);
  bool once = !letter->type || !letter->type->writes; /* a request is recognised by an id in its body */
  if (++fate->processed > 1 && once)
    world_violate(world, "m%" PRIu64 " %s was processed twice", letter->number, name_of(letter));
}

void check_accepted(struct world *world, const struct client_order *client, const struct letter *letter) {
  const struct fate *fate = letter ? &letter->fates[SERVICE_ORDER] : NULL;
  bool under_way = fate && (fate->copies > 0 || fate->processed > 0);
  if (!under_way && !orders_find(&world->databases[SERVICE_ORDER], &client->order_id))
    world_violate(world, "client %d heard a 2xx, and neither its order nor its command is there", client->number);
}

void check_committed(struct world *world, const struct worker *worker) {
  if (worker->service == SERVICE_ORDER)
    check_orders(world);
  else if (worker->service == SERVICE_PAYMENT)
    check_payments(world);
  else if (worker->service == SERVICE_NOTIFY)
    check_deliveries(world);
  else
    check_inventory(world, worker);
}

void check_intake(struct world *world, const struct worker *worker, int64_t forward, bool closed) {
  if (closed && forward == 0)
    world_violate(world, "no order is taken while %" PRId64 " wait only to be undone",
                  orders_in(worker->database, ORDER_COMPENSATING));
}

void check_money(struct world *world, const struct bus_uuid *order_id) {
  int captures = 0;
  int64_t captured = 0, net = psp_net(world, order_id);
  for (const struct psp_money *money = psp_ledger(world); money; money = money->next)
    if (!money->refund && bus_uuid_equal(&money->order_id, order_id)) {
      captures++;
      captured += money->amount;
    }
  if (captures > 1)
    world_violate(world, "the PSP has captured an order twice");
  if (net < 0 || net > captured)
    world_violate(world, "the PSP holds %" PRId64 " of a capture of %" PRId64, net, captured);
}

/* ---- the end ---- */

static const char *short_id(const struct bus_uuid *id) {
  static char text[BUS_UUID_TEXT];
  bus_uuid_format(id, text);
  text[8] = '\0';
  return text;
}

static void end_of_order(struct world *world, const struct order *order) {
  int status = order->status;
  int64_t net = psp_net(world, &order->order_id);
  int64_t expected = status == ORDER_CONFIRMED ? order->total - order->refunded : 0;
  if (!order_is_final(order) || !order->payment_settled || !order->stock_settled)
    world_violate(world, "order %s ends %s", short_id(&order->order_id), order_state_name(status));
  if (net != expected)
    world_violate(world, "order %s is %s, and the PSP holds %" PRId64 " where it should hold %" PRId64,
                  short_id(&order->order_id), order_state_name(status), net, expected);
}

#define SOON (5 * BUS_SECOND)
/* The bad cards were most of those tried, and a breaker opened: rests of one, two and four seconds, between which a
 * probe hangs until it counts as failed, and the time until the order comes due. Bad cards do not last for a third
 * round: five of seven opened it, and of the other two each may be a round's only probe. */
#define SOON_AFTER_OPENING (13 * BUS_SECOND)

/* In a seed in which nothing goes wrong but a few cards: the order is not of these. */
static void end_beside_bad_cards(struct world *world, const struct client_order *client, const struct order *order) {
  int status = order ? order->status : ORDER_NONE;
  int64_t took = order ? order->updated_at - order->created_at : 0;
  if (status != ORDER_CONFIRMED || took > (world->breaker_opened ? SOON_AFTER_OPENING : SOON))
    world_violate(world, "beside %" PRId64 " bad cards the good order of client %d ends %s after %" PRId64 " ms",
                  world->plan.bad_cards, client->number, order_state_name(status), took / BUS_MILLISECOND);
}

static void end_of_client(struct world *world, const struct client_order *client) {
  const struct order *order = orders_find(&world->databases[SERVICE_ORDER], &client->order_id);
  if (world->plan.bad_cards > 0 && !client->bad_card)
    end_beside_bad_cards(world, client, order);
  if (client->accepted && !order)
    world_violate(world, "client %d heard a 2xx, and there is no such order", client->number);
  if (order && order->attempts > client->pay_keys)
    world_violate(world, "client %d paid under %d keys, and %" PRId64 " attempts were made", client->number,
                  client->pay_keys, order->attempts);
  if (client->cancel_accepted && order && order->status != ORDER_CANCELLED)
    world_violate(world, "client %d was told that its order is being cancelled, and it is %s", client->number,
                  order_state_name(order->status));
}

/* A cancel that was taken before its order was decided is decided in its own turn: it may be too late by then, but it
 * is never forgotten. */
static void end_of_cancels(struct world *world, const struct client_order *client) {
  const struct order *order = orders_find(&world->databases[SERVICE_ORDER], &client->order_id);
  for (size_t i = 0; i < client->taken_count; i++)
    if (order && order->status == ORDER_CONFIRMED && !client->taken_cancels[i]->late)
      world_violate(world, "client %d heard a 2xx to its cancel, which came in time, and its order is CONFIRMED",
                    client->number);
}

/* An operator has put it back into stock. */
static bool is_returned(const struct world *world, const struct bus_uuid *order_id) {
  const struct bus_memory_row *row =
      bus_memory_find(&world->databases[SERVICE_INVENTORY].tables[RESERVATIONS], order_id);
  return row && reservation_in(row)->state == RESERVATION_RETURNED;
}

static int64_t sold_by_orders(const struct world *world, struct bus_str product_id) {
  int64_t sold = 0;
  for (const struct bus_memory_row *row = world->databases[SERVICE_ORDER].tables[ORDERS].rows; row; row = row->next) {
    const struct order *order = order_in(row);
    bool holds = order->status == ORDER_CONFIRMED && !is_returned(world, &order->order_id);
    for (size_t i = 0; holds && i < order->item_count; i++)
      if (bus_str_equal(order->items[i].product_id, product_id))
        sold += order->items[i].quantity;
  }
  return sold;
}

static int64_t sold_without_orders(const struct world *world, struct bus_str product_id) {
  int64_t sold = 0;
  for (const struct bus_memory_row *row = world->databases[SERVICE_INVENTORY].tables[RESERVATIONS].rows; row;
       row = row->next) {
    const struct reservation *own = reservation_in(row);
    for (size_t i = 0; reservation_is_own(own) && own->state == RESERVATION_COMMITTED && i < own->line_count; i++)
      if (bus_str_equal(own->lines[i].product_id, product_id))
        sold += own->lines[i].quantity;
  }
  return sold;
}

/* A refund has the key of its payment. */
static struct bus_uuid order_of_refund(const struct world *world, const struct refund *refund) {
  const struct bus_memory_row *row = world->databases[SERVICE_PAYMENT].tables[PAYMENTS].rows;
  while (row && !bus_uuid_equal(&((const struct payment *)row->record)->order_id, &refund->order_id))
    row = row->next;
  return row ? payment_order(row->record) : refund->order_id;
}

static void end_of_refund(struct world *world, const struct refund *refund) {
  const struct bus_uuid order_id = order_of_refund(world, refund);
  const struct order *order = orders_find(&world->databases[SERVICE_ORDER], &order_id);
  if (refund->state != REFUND_DONE)
    world_violate(world, "a refund stays open");
  if (refund->restock && order->status == ORDER_CONFIRMED && !is_returned(world, &order_id))
    world_violate(world, "the stock of order %s was not put back", short_id(&order_id));
}

static void end_of_stock(struct world *world) {
  for (const struct bus_memory_row *row = world->databases[SERVICE_INVENTORY].tables[PRODUCTS].rows; row;
       row = row->next) {
    const struct product *product = row->record;
    int64_t sold = sold_by_orders(world, product->id) + sold_without_orders(world, product->id);
    if (product->reserved != 0)
      world_violate(world, "%" PRId64 " of %s stay reserved", product->reserved, product->id.data);
    if (product->sold != sold)
      world_violate(world,
                    "%" PRId64 " of %s are sold, and CONFIRMED orders and reservations without one hold %" PRId64,
                    product->sold, product->id.data, sold);
  }
}

static void end_of_messages(struct world *world) {
  for (int i = 0; i < DATABASES; i++) {
    const struct letter *letter = bus_tables_first(&world->databases[i]);
    if (letter)
      world_violate(world, "m%" PRIu64 " %s stays in the outbox of %s", letter->number, name_of(letter),
                    service_names[i]);
  }
  if (world->broker->alive > 0)
    world_violate(world, "%zu messages stay in the queues", world->broker->alive);
  for (const struct dead *dead = world->broker->dead_letters; dead; dead = dead->next)
    world->tally->parked++;
}

static void count_outcome(struct world *world, const struct order *order) {
  struct bus_str reason = order->reason;
  enum tally_outcome outcome = OUTCOME_CANCELLED;
  if (order->status == ORDER_CONFIRMED)
    outcome = OUTCOME_CONFIRMED;
  else if (order->status == ORDER_REJECTED)
    outcome = OUTCOME_REJECTED;
  else if (bus_str_is(reason, "customer"))
    outcome = OUTCOME_CUSTOMER;
  else if (bus_str_is(reason, ORDER_REASON_TIMEOUT) || bus_str_is(reason, ORDER_REASON_UNPAID))
    outcome = OUTCOME_DEADLINE;
  else if (reason.len > 16 && memcmp(reason.data, "payment_declined", 16) == 0)
    outcome = OUTCOME_DECLINED;
  world->tally->outcomes[outcome]++;
  world->tally->orders++;
}

void check_end(struct world *world) {
  const struct clients *clients = world->clients;
  for (const struct bus_memory_row *row = world->databases[SERVICE_ORDER].tables[ORDERS].rows; row; row = row->next) {
    end_of_order(world, order_in(row));
    count_outcome(world, order_in(row));
  }
  size_t orders = 0;
  for (const struct bus_memory_row *row = world->databases[SERVICE_ORDER].tables[ORDERS].rows; row; row = row->next)
    orders++;
  if (orders > clients->order_count)
    world_violate(world, "%zu keys made %zu orders", clients->order_count, orders);
  for (size_t i = 0; i < clients->order_count; i++) {
    end_of_client(world, &clients->orders[i]);
    end_of_cancels(world, &clients->orders[i]);
  }
  for (const struct bus_memory_row *row = world->databases[SERVICE_PAYMENT].tables[PAYMENTS].rows; row;
       row = row->next) {
    const struct payment *payment = row->record;
    if (payment->next_attempt_at != BUS_NO_TIME)
      world_violate(world, "a payment stays %s", payment_state_names[payment->state]);
  }
  for (const struct bus_memory_row *row = world->databases[SERVICE_PAYMENT].tables[REFUNDS].rows; row; row = row->next)
    end_of_refund(world, row->record);
  end_of_stock(world);
  check_hooks_end(world);
  end_of_messages(world);
}

_Noreturn void check_overdue(struct world *world) {
  const struct bus_memory_row *open = world->databases[SERVICE_ORDER].tables[ORDERS].rows;
  size_t waiting = 0;
  for (int i = 0; i < DATABASES; i++)
    waiting += bus_tables_count(&world->databases[i]);
  while (open && order_is_final(order_in(open)))
    open = open->next;
  world_violate(world, "no end: an order is %s, %zu messages in outboxes, %zu in queues",
                open ? order_state_name(order_in(open)->status) : "final", waiting, world->broker->alive);
}
