/* The rows after each COMMIT. */
#include "check_rows.h"

#include "check.h"
#include "clients.h"
#include "psp.h"
#include "table_inventory.h"
#include "table_orders.h"
#include "table_payments.h"

#include <inttypes.h>
#include <inventory_messages.h>
#include <order_columns.h>

enum { FOLDS_MAX = 64 };
#define DUE_SLACK (20 * BUS_SECOND)

/* The fold of the log so far, and the received quantity of each product. */
struct check {
  struct order folds[FOLDS_MAX];
  size_t fold_count;
  const struct bus_memory_row *last_event;
  int64_t received[CLIENT_PRODUCTS];
  struct bus_uuid released[FOLDS_MAX]; /* orders whose release inventory-svc has processed */
  size_t released_count;
  struct own_seen {
    struct bus_uuid id;
    enum reservation_state state;
  } own[OWN_MAX]; /* reservations without an order */
  size_t own_count;
};

void check_init(struct world *world) {
  size_t i = 0;
  world->check = world_alloc(world, sizeof *world->check);
  for (const struct bus_memory_row *row = world->databases[SERVICE_INVENTORY].tables[PRODUCTS].rows; row;
       row = row->next)
    world->check->received[i++] = ((const struct product *)row->record)->received;
}

/* ---- orders ---- */

/* By the design's own words, not by the table. */
static bool may_go(int from, int to) {
  static const unsigned next[ORDER_STATES] = {
      [ORDER_NONE] = 1U << ORDER_PENDING,
      [ORDER_PENDING] =
          1U << ORDER_RESERVED | 1U << ORDER_AWAITING_PAYMENT | 1U << ORDER_REJECTED | 1U << ORDER_COMPENSATING,
      [ORDER_RESERVED] = 1U << ORDER_CONFIRMED | 1U << ORDER_COMPENSATING,
      [ORDER_AWAITING_PAYMENT] = 1U << ORDER_CONFIRMED | 1U << ORDER_COMPENSATING,
      [ORDER_COMPENSATING] = 1U << ORDER_CANCELLED,
  };
  return from == to || next[from] >> to & 1;
}

static struct order *fold_of(struct world *world, const struct bus_uuid *order_id) {
  struct check *check = world->check;
  for (size_t i = 0; i < check->fold_count; i++)
    if (bus_uuid_equal(&check->folds[i].order_id, order_id))
      return &check->folds[i];
  if (check->fold_count == FOLDS_MAX)
    world_violate(world, "more than %d orders", FOLDS_MAX);
  order_init(&check->folds[check->fold_count], order_id);
  return &check->folds[check->fold_count++];
}

/* Money and stock stand as the state says when it is entered. */
static void check_entered(struct world *world, const struct order *order) {
  int64_t net = psp_net(world, &order->order_id);
  int64_t refunded = psp_refunded(world, &order->order_id); /* by an operator, before the order was CONFIRMED */
  int64_t expected = order->status == ORDER_CONFIRMED ? order->total - refunded : 0;
  if (order_is_final(order) && net != expected)
    world_violate(world, "an order becomes %s while the PSP holds %" PRId64 " and not %" PRId64,
                  order_state_name(order->status), net, expected);
}

static void fold_event(struct world *world, const struct order_record *event) {
  struct order *order = fold_of(world, &event->order_id);
  const char *type = order_fact_names[event->type];
  struct bus_problems problems;
  struct order_fact fact;
  int before = order->status;
  if (event->seq != order->version + 1)
    world_violate(world, "event %" PRId64 " comes behind event %" PRId64, event->seq, order->version);
  if (!order_fact_decode(event->type, event->data, world->arena, &fact, &problems))
    world_violate(world, "event %s cannot be read", type);
  order_evolve(order, &fact, event->at);
  TRACE(world, "order %02x%02x: %s", order->order_id.bytes[0], order->order_id.bytes[1], type);
  if (!may_go(before, order->status))
    world_violate(world, "an order goes from %s to %s", order_state_name(before), order_state_name(order->status));
  if (before != order->status)
    check_entered(world, order);
}

static void check_fold(struct world *world, const struct order *row) {
  const struct order *order = fold_of(world, &row->order_id);
  const struct bus_column *column = bus_row_differs(&order_columns, BUS_LOG, order, row, NULL);
  if (column)
    world_violate(
        world, "%s of an order's row (%s, version %" PRId64 ") is not that of its log (%s, version %" PRId64 ")",
        column->name, order_state_name(row->status), row->version, order_state_name(order->status), order->version);
}

/* As many as are allowed: the limit of each customer. */
static void check_unpaid(struct world *world, const struct order *order) {
  const struct bus_memory_table *orders = &world->databases[SERVICE_ORDER].tables[ORDERS];
  int unpaid = 0;
  for (const struct bus_memory_row *row = orders->rows; row; row = row->next) {
    const struct order *other = row->record;
    unpaid += other->pay_later && !order_is_final(other) && bus_str_equal(other->customer_id, order->customer_id);
  }
  if (unpaid > SIM_UNPAID_MAX)
    world_violate(world, "a customer has %d orders that are paid later, and may have %d", unpaid, SIM_UNPAID_MAX);
}

void check_orders(struct world *world) {
  const struct bus_memory_table *tables = world->databases[SERVICE_ORDER].tables;
  const struct bus_memory_row *event =
      world->check->last_event ? world->check->last_event->next : tables[ORDER_EVENTS].rows;
  for (; event; event = event->next) {
    fold_event(world, event->record);
    world->check->last_event = event;
  }
  for (struct bus_memory_row *row = tables[ORDERS].rows; row; row = row->next)
    if (row->touched) {
      check_fold(world, row->record);
      check_unpaid(world, row->record);
      row->touched = false;
    }
}

/* One that has long had all that it needs. */
static bool is_at_work(const struct world *world, const struct worker *worker) {
  return worker->service == SERVICE_ORDER && worker->peer.up && worker->session.up && worker->peer.linked &&
         worker->peer.paused_until < world->now - DUE_SLACK &&
         worker->connected_at < world->now - BUS_MINUTE - DUE_SLACK;
}

/* Which message kills a session takes some tries to find out, with pauses between them. */
static bool is_searching(const struct world *world, const struct database *database) {
  return database->killed_at != 0 && database->killed_at > world->now - BUS_MINUTE;
}

void check_deadlines(struct world *world, void *subject, uint64_t detail) {
  const struct database *database = &world->databases[SERVICE_ORDER];
  bool working = false, open = false;
  (void)subject, (void)detail;
  for (size_t i = 0; i < world->worker_count; i++)
    working |= is_at_work(world, &world->workers[i]);
  for (const struct bus_memory_row *row = database->tables[ORDERS].rows; row; row = row->next) {
    const struct order *order = order_in(row);
    open |= order->due_at != BUS_NO_TIME;
    if (working && !is_searching(world, database) && order->due_at != BUS_NO_TIME &&
        order->due_at < database_now(world, database) - DUE_SLACK)
      world_violate(world, "an order stays %s though it is long due", order_state_name(order->status));
  }
  if (open)
    world_after(world, DUE_SLACK, check_deadlines, NULL, 0);
}

/* ---- inventory ---- */

static int64_t held(const struct database *database, struct bus_str product_id, enum reservation_state state) {
  int64_t sum = 0;
  for (const struct bus_memory_row *row = database->tables[RESERVATIONS].rows; row; row = row->next) {
    const struct reservation *reservation = reservation_in(row);
    for (size_t i = 0; reservation->state == state && i < reservation->line_count; i++)
      if (bus_str_equal(reservation->lines[i].product_id, product_id))
        sum += reservation->lines[i].quantity;
  }
  return sum;
}

static bool sets_stock(const struct worker *worker) {
  for (size_t i = 0; i < worker->decided_count; i++)
    if (clients_is_set_stock(worker->decided[i].type))
      return true;
  return false;
}

static bool is_released(const struct check *check, const struct bus_uuid *order_id) {
  size_t i = 0;
  while (i < check->released_count && !bus_uuid_equal(&check->released[i], order_id))
    i++;
  return i < check->released_count;
}

static void note_releases(struct check *check, const struct worker *worker) {
  for (size_t i = 0; i < worker->decided_count; i++) {
    const struct decided *decided = &worker->decided[i];
    if (decided->type == &inventory_release_type && decided->done && !is_released(check, &decided->subject))
      check->released[check->released_count++] = decided->subject;
  }
}

/* A release keeps a reserve that comes behind it from taking anything. */
static void check_released(struct world *world, const struct worker *worker) {
  note_releases(world->check, worker);
  for (const struct bus_memory_row *row = worker->database->tables[RESERVATIONS].rows; row; row = row->next)
    if (reservation_in(row)->state == RESERVATION_RESERVED && is_released(world->check, &reservation_in(row)->order_id))
      world_violate(world, "stock is reserved behind its release");
}

static struct own_seen *own_seen(struct check *check, const struct bus_uuid *id) {
  size_t i = 0;
  while (i < check->own_count && !bus_uuid_equal(&check->own[i].id, id))
    i++;
  if (i == check->own_count)
    check->own[check->own_count++].id = *id;
  return &check->own[i];
}

/* Once its stock is sold or back, nothing happens to it any more; and it is not sold after its time. */
static void check_own(struct world *world, const struct worker *worker) {
  for (const struct bus_memory_row *row = worker->database->tables[RESERVATIONS].rows; row; row = row->next) {
    const struct reservation *now = reservation_in(row);
    if (!reservation_is_own(now))
      continue;
    struct own_seen *seen = own_seen(world->check, &now->order_id);
    bool moves = seen->state != now->state;
    if (moves && seen->state != RESERVATION_NONE && seen->state != RESERVATION_RESERVED)
      world_violate(world, "a reservation without an order goes from %s to %s", reservation_state_names[seen->state],
                    reservation_state_names[now->state]);
    if (moves && now->state == RESERVATION_COMMITTED && worker->session.now >= now->expires_at)
      world_violate(world, "a reservation without an order is sold after its time");
    seen->state = now->state;
  }
}

void check_inventory(struct world *world, const struct worker *worker) {
  const struct database *database = &world->databases[SERVICE_INVENTORY];
  check_released(world, worker);
  check_own(world, worker);
  size_t i = 0;
  for (struct bus_memory_row *row = database->tables[PRODUCTS].rows; row; row = row->next, i++) {
    const struct product *p = row->record;
    if (p->received != p->on_hand + p->reserved + p->sold || p->on_hand < 0 || p->reserved < 0 || p->sold < 0)
      world_violate(world, "the balance of %s does not hold", p->id.data);
    if (p->reserved != held(database, p->id, RESERVATION_RESERVED) ||
        p->sold != held(database, p->id, RESERVATION_COMMITTED))
      world_violate(world, "%s has %" PRId64 " reserved and %" PRId64 " sold, which is not what reservations say",
                    p->id.data, p->reserved, p->sold);
    if (p->received != world->check->received[i] && !sets_stock(worker))
      world_violate(world, "stock of %s comes from nowhere", p->id.data);
    world->check->received[i] = p->received;
  }
}

/* ---- payments ---- */

static int64_t booked(const struct database *database, const struct bus_uuid *order_id, enum payment_money entry) {
  int64_t sum = 0;
  for (const struct bus_memory_row *row = database->tables[PAYMENT_LEDGER].rows; row; row = row->next) {
    const struct payment_booking *booking = row->record;
    if (bus_uuid_equal(&booking->order_id, order_id) && booking->entry == entry)
      sum += booking->amount;
  }
  return sum;
}

/* An operator has asked for each, and together they are what the payment has promised. */
static int64_t promised(struct world *world, const struct database *database, const struct bus_uuid *order_id) {
  int64_t sum = 0;
  for (const struct bus_memory_row *row = database->tables[REFUNDS].rows; row; row = row->next) {
    const struct refund *refund = row->record;
    if (!clients_asked_refund(world, &refund->refund_id))
      world_violate(world, "a refund is made that no operator asked for");
    if (bus_uuid_equal(&refund->order_id, order_id))
      sum += refund->amount;
  }
  return sum;
}

static void check_refunds(struct world *world, const struct database *database, const struct payment *payment) {
  int64_t sum = promised(world, database, &payment->order_id), moved = psp_refunded_of(world, payment->psp_id);
  if (payment->promised_amount != sum)
    world_violate(world, "a payment has promised %" PRId64 ", and its refunds are %" PRId64, payment->promised_amount,
                  sum);
  if (moved > (payment->refund_requested ? payment->amount : sum) || moved < payment->refunded_amount)
    world_violate(world, "%" PRId64 " of a payment were refunded, and the PSP says %" PRId64, payment->refunded_amount,
                  moved);
}

static void check_payment(struct world *world, const struct database *database, const struct payment *payment) {
  bool refunded = payment->state == PAYMENT_REFUNDED;
  bool captured = refunded || payment->state == PAYMENT_CAPTURED || payment->state == PAYMENT_REFUNDING;
  int64_t taken = booked(database, &payment->order_id, PAYMENT_MONEY_TAKEN);
  int64_t back = booked(database, &payment->order_id, PAYMENT_MONEY_RETURNED);
  if (taken != (captured ? payment->amount : 0) || back != payment->refunded_amount || back > taken)
    world_violate(world, "a payment is %s, and its books say %" PRId64 " taken, %" PRId64 " given back",
                  payment_state_names[payment->state], taken, back);
  if (refunded && psp_refunded_of(world, payment->psp_id) != payment->amount)
    world_violate(world, "a payment is refunded, and the PSP gave %" PRId64 " back",
                  psp_refunded_of(world, payment->psp_id));
  check_refunds(world, database, payment);
}

void check_payments(struct world *world) {
  const struct database *database = &world->databases[SERVICE_PAYMENT];
  for (struct bus_memory_row *row = database->tables[PAYMENTS].rows; row; row = row->next)
    if (row->touched) {
      check_payment(world, database, row->record);
      row->touched = false;
    }
}
