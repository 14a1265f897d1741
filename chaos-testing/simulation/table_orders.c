/* The orders database: what order-svc's statements do to orders.orders, orders.order_events and orders.tombstones. */
#include "table_orders.h"

#include "worker.h"

#include <order_columns.h>
#include <order_statements.h>

/* The CHECKs of the migrations orders.sql and pay_later.sql. */
static bool is_valid_order(const void *record) {
  const struct order *o = record;
  int status = o->status;
  bool is_final = order_status_is_final(status), priced = o->total != BUS_NO_INT64;
  bool undone = status == ORDER_COMPENSATING || status == ORDER_REJECTED || status == ORDER_CANCELLED;
  return status >= 0 && status < ORDER_STATUS_COUNT && o->version >= 1 && o->item_count >= 1 &&
         priced == (o->items[0].unit_price != BUS_NO_INT64) && priced == (o->currency.data != NULL) &&
         bus_implies(status == ORDER_PENDING || status == ORDER_REJECTED, !priced) &&
         bus_implies(status == ORDER_RESERVED || status == ORDER_PAID || status == ORDER_CONFIRMED, priced) &&
         bus_implies(status == ORDER_PAID || status == ORDER_CONFIRMED, o->captured == o->total) &&
         undone == (o->reason.data != NULL) &&
         bus_implies(status == ORDER_COMPENSATING, !(o->stock_settled && o->payment_settled)) &&
         bus_implies(is_final, o->stock_settled) && is_final == (o->deadline == BUS_NO_TIME) &&
         is_final == (o->due_at == BUS_NO_TIME) && bus_implies(!is_final, o->due_at <= o->deadline) &&
         (status == ORDER_PENDING && !o->pay_later) == (o->payment_token.data != NULL) &&
         bus_implies(status == ORDER_AWAITING_PAYMENT, priced && o->pay_later) &&
         o->attempts <= (o->pay_later ? ORDER_ATTEMPTS_MAX : 0) &&
         (o->asker.reply_to.data == NULL) == (o->reply_until == BUS_NO_TIME) && o->created_at <= o->updated_at &&
         o->captured >= 0 && o->refunded >= 0;
}

static void init(struct database *database) {
  bus_memory_table_init(&database->tables[ORDERS], &order_columns, is_valid_order);
  bus_memory_table_init(&database->tables[ORDER_EVENTS], &event_columns, NULL);
  bus_memory_table_init(&database->tables[TOMBSTONES], &tombstone_columns, NULL);
}

const struct order *order_in(const struct bus_memory_row *row) {
  return row->record;
}

static bool is_asked(const struct bus_args *args, const struct bus_uuid *order_id) {
  for (size_t i = 0; i < bus_memory_arg_rows(args); i++)
    if (bus_uuid_equal(&bus_memory_arg_row(args, i)->uuid, order_id))
      return true;
  return false;
}

static void find_tombstones(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  const struct bus_memory_table *tombstones = &reading->database->tables[TOMBSTONES];
  for (const struct bus_memory_row *row = tombstones->rows; row; row = row->next)
    if (is_asked(args, &((const struct order_tombstone *)row->record)->order_id))
      bus_memory_read(ret, tombstones, row, reading->arena);
}

static bool is_unpaid(const struct order *o) {
  return o->pay_later && !order_status_is_final(o->status);
}

static bool is_due(const struct order *order, bus_time now) {
  return order->due_at != BUS_NO_TIME && order->due_at <= now;
}

static void find_due(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  bool none = has_bug(reading->world, BUG_NO_DEADLINE);
  for (const struct bus_memory_row *row = reading->database->tables[ORDERS].rows; row && !none; row = row->next)
    if (is_due(order_in(row), reading->now) && (int64_t)ret->count < args->values[0].number)
      database_found(reading, ret, &order_in(row)->order_id);
}

/* Due later than anything can be: set before the clock was set back. */
static bool is_put_off(const struct order *order, bus_time now, int64_t longest, int64_t longest_for_payment) {
  return order->due_at != BUS_NO_TIME && order->due_at > now + longest &&
         (order->status != ORDER_AWAITING_PAYMENT || order->due_at > now + longest_for_payment);
}

static void find_put_off(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  const struct bus_memory_value *values = args->values;
  bool none = has_bug(reading->world, BUG_NO_DEADLINE);
  for (const struct bus_memory_row *row = reading->database->tables[ORDERS].rows; row && !none; row = row->next)
    if (is_put_off(order_in(row), reading->now, values[1].number, values[2].number) &&
        (int64_t)ret->count < values[0].number)
      database_found(reading, ret, &order_in(row)->order_id);
}

/* $1, $2 bound the counts; $3: the customers. */
static void count_unpaid(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  const struct bus_memory_table *orders = &reading->database->tables[ORDERS];
  for (size_t i = 0; i < bus_memory_arg_rows(args); i++) {
    struct bus_memory_value *cells = bus_memory_rows_add(ret, 3, reading->arena);
    cells[0] = *bus_memory_arg_row(args, i);
    cells[1] = cells[2] = (struct bus_memory_value){.number = 0};
    for (const struct bus_memory_row *row = orders->rows; row; row = row->next) {
      bool unpaid = is_unpaid(order_in(row));
      cells[1].number += unpaid && bus_str_equal(order_in(row)->customer_id, cells[0].text);
      cells[2].number += unpaid;
    }
  }
}

static void find_attempts(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  const struct bus_memory_table *events = &reading->database->tables[ORDER_EVENTS];
  for (const struct bus_memory_row *row = events->rows; row; row = row->next) {
    const struct order_record *record = row->record;
    if (record->type != FACT_PAYMENT_REQUESTED || !is_asked(args, &record->order_id))
      continue;
    struct bus_memory_value *cells = bus_memory_rows_add(ret, 2, reading->arena);
    cells[0] = (struct bus_memory_value){.uuid = record->order_id};
    cells[1] = (struct bus_memory_value){.text = record->data};
  }
}

static bus_time newest_confirmed(const struct database *database) {
  bus_time newest = INT64_MIN;
  for (const struct bus_memory_row *row = database->tables[ORDERS].rows; row; row = row->next)
    if (order_in(row)->status == ORDER_CONFIRMED && order_in(row)->created_at > newest)
      newest = order_in(row)->created_at;
  return newest;
}

static bool is_late(const struct order *c, int64_t late_within, bus_time now) {
  if (c->status == ORDER_COMPENSATING)
    return bus_str_is(c->reason, ORDER_REASON_TIMEOUT);
  return c->status <= ORDER_RESERVED && c->deadline <= now + late_within;
}

static bool is_newer(const struct order *one, const struct order *other) {
  if (one->created_at != other->created_at)
    return one->created_at > other->created_at;
  return bus_uuid_compare(&one->order_id, &other->order_id) > 0;
}

/* How many orders created after `since` and up to `until` are newer than this one. */
static int64_t newer_ones(const struct database *database, const struct order *c, bus_time since, bus_time until) {
  int64_t count = 0;
  for (const struct bus_memory_row *row = database->tables[ORDERS].rows; row; row = row->next)
    count += order_in(row)->created_at > since && order_in(row)->created_at <= until && is_newer(order_in(row), c);
  return count;
}

/* $1: how many open orders are looked at; $2: how late a deadline is; $3: how old an order is; $4: how many of them. */
static void count_open(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  const struct database *database = reading->database;
  const struct bus_memory_value *values = args->values;
  struct order_load load = {0, 0};
  bus_time confirmed = newest_confirmed(database), until = reading->now - values[2].number;
  for (const struct bus_memory_row *row = database->tables[ORDERS].rows; row; row = row->next) {
    const struct order *c = order_in(row);
    load.open += c->status <= ORDER_RESERVED && load.open < values[0].number;
    load.late += c->created_at > confirmed && c->created_at <= until && is_late(c, values[1].number, reading->now) &&
                 newer_ones(database, c, confirmed, until) < values[3].number;
  }
  struct bus_memory_value *cells = bus_memory_rows_add(ret, 2, reading->arena);
  cells[0] = (struct bus_memory_value){.number = load.open};
  cells[1] = (struct bus_memory_value){.number = load.late};
}

static void read_orders(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  switch (args->statement) {
  case GUARD_SHARED:
  case GUARD_ALONE:
    database_guard(reading, GUARDED_TOMBSTONES, args->statement == GUARD_ALONE);
    break;
  case GUARD_UNPAID:
    if (!has_bug(reading->world, BUG_UNPAID_UNLOCKED))
      database_guard(reading, GUARDED_UNPAID, true);
    break;
  case FIND_TOMBSTONES:
    find_tombstones(reading, args, ret);
    break;
  case COUNT_UNPAID:
    count_unpaid(reading, args, ret);
    break;
  case FIND_ATTEMPTS:
    find_attempts(reading, args, ret);
    break;
  case FIND_DUE:
    find_due(reading, args, ret);
    break;
  case FIND_PUT_OFF:
    find_put_off(reading, args, ret);
    break;
  case COUNT_OPEN:
    count_open(reading, args, ret);
    break;
  default:
    database_lock(reading, &reading->database->tables[ORDERS], args, ret);
  }
}

static enum bus_memory_outcome write_orders(struct world *world, struct database *database,
                                            const struct bus_args *args) {
  switch (args->statement) {
  case INSERT_ORDERS:
    return bus_memory_insert(&database->tables[ORDERS], args, world_keep(world));
  case UPDATE_ORDERS:
    return bus_memory_update(&database->tables[ORDERS], args, world_keep(world));
  case INSERT_TOMBSTONES:
    return bus_memory_insert(&database->tables[TOMBSTONES], args, world_keep(world));
  case PURGE_TOMBSTONES: /* none is old enough */
    return BUS_MEMORY_DONE;
  default:
    return bus_memory_insert(&database->tables[ORDER_EVENTS], args, world_keep(world));
  }
}

int64_t orders_in(const struct database *database, enum order_status status) {
  int64_t count = 0;
  for (const struct bus_memory_row *row = database->tables[ORDERS].rows; row; row = row->next)
    count += order_in(row)->status == (int)status;
  return count;
}

const struct order *orders_find(const struct database *database, const struct bus_uuid *order_id) {
  const struct bus_memory_row *row = bus_memory_find(&database->tables[ORDERS], order_id);
  return row ? row->record : NULL;
}

static bus_time due_at(const struct database *database, bus_time now) {
  const struct order_policy *policy = services_order_policy();
  bus_time first = INT64_MAX;
  for (const struct bus_memory_row *row = database->tables[ORDERS].rows; row; row = row->next) {
    const struct order *order = order_in(row);
    bool off = is_put_off(order, now, order_longest_wait(policy), order_longest_wait_for_payment(policy));
    bus_time due = off ? now : order->due_at == BUS_NO_TIME ? INT64_MAX : order->due_at;
    first = due < first ? due : first;
  }
  return first;
}

const struct store orders_store = {FIND_DUE, order_statements_make, init, read_orders, write_orders, due_at};
