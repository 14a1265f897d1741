/* The orders database: what order-svc's statements do to orders.orders, orders.order_events and orders.tombstones. */
#include "table_orders.h"

#include <order.h>
#include <order_statements.h>

static const uint8_t selected[O_COLUMNS] = {
    O_ID,       O_CUSTOMER, O_STATUS,        O_REASON,          O_PRODUCTS, O_QUANTITIES, O_PRICES,
    O_TOTAL,    O_CURRENCY, O_CREATED,       O_UPDATED,         O_VERSION,  O_EXPECTED,   O_HASH,
    O_CAPTURED, O_REFUNDED, O_STOCK_SETTLED, O_PAYMENT_SETTLED, O_DEADLINE, O_DUE,        O_RESENDS,
    O_TOKEN,    O_REPLY_TO, O_REQUEST,       O_REPLY_UNTIL,     O_TRACE,    O_CAUSE,      O_TRACESTATE};
#define CHANGING                                                                                                       \
  O_STATUS, O_REASON, O_PRICES, O_TOTAL, O_CURRENCY, O_UPDATED, O_VERSION, O_CAPTURED, O_REFUNDED, O_STOCK_SETTLED,    \
      O_PAYMENT_SETTLED, O_DEADLINE, O_DUE, O_RESENDS, O_TOKEN, O_REPLY_TO, O_REQUEST, O_REPLY_UNTIL
static const uint8_t inserted[] = {O_ID,      O_CUSTOMER, O_PRODUCTS, O_QUANTITIES, O_EXPECTED, O_HASH,
                                   O_CREATED, O_TRACE,    O_CAUSE,    O_TRACESTATE, CHANGING};
static const uint8_t updated[] = {O_ID, CHANGING};
static const uint8_t events[E_COLUMNS] = {E_ORDER, E_SEQ, E_TYPE, E_AT, E_DATA};
static const uint8_t tombstones[T_COLUMNS] = {T_ORDER, T_CUSTOMER, T_REASON};

struct bus_str list_take(struct bus_str *list) {
  struct bus_str item = {list->data, 0};
  if (!list->data || list->len == 0)
    return BUS_NO_STR;
  while (item.len < list->len && item.data[item.len] != ',')
    item.len++;
  size_t used = item.len < list->len ? item.len + 1 : item.len;
  list->data += used;
  list->len -= used;
  return item;
}

int64_t list_take_number(struct bus_str *list) {
  struct bus_str item = list_take(list);
  int64_t number = 0;
  for (size_t i = 0; i < item.len; i++)
    number = number * 10 + (item.data[i] - '0');
  return number;
}

static size_t items_in(const struct value *list) {
  size_t count = !list->null && list->text.len > 0;
  for (size_t i = 0; !list->null && i < list->text.len; i++)
    count += list->text.data[i] == ',';
  return count;
}

static bool implies(bool premise, bool conclusion) {
  return !premise || conclusion;
}

/* The CHECKs of the migration orders.sql. */
static bool is_valid_order(const struct value *c) {
  int64_t status = c[O_STATUS].number;
  bool is_final = status >= ORDER_CONFIRMED, priced = !c[O_TOTAL].null;
  size_t items = items_in(&c[O_PRODUCTS]);
  bool undone = status == ORDER_COMPENSATING || status == ORDER_REJECTED || status == ORDER_CANCELLED;
  return status >= 0 && status < ORDER_STATUS_COUNT && c[O_VERSION].number >= 1 && items >= 1 &&
         items_in(&c[O_QUANTITIES]) == items && priced == !c[O_PRICES].null && priced == !c[O_CURRENCY].null &&
         implies(priced, items_in(&c[O_PRICES]) == items) &&
         implies(status == ORDER_PENDING || status == ORDER_REJECTED, !priced) &&
         implies(status == ORDER_RESERVED || status == ORDER_PAID || status == ORDER_CONFIRMED, priced) &&
         implies(status == ORDER_PAID || status == ORDER_CONFIRMED, c[O_CAPTURED].number == c[O_TOTAL].number) &&
         undone == !c[O_REASON].null &&
         implies(status == ORDER_COMPENSATING, !(c[O_STOCK_SETTLED].number && c[O_PAYMENT_SETTLED].number)) &&
         implies(is_final, c[O_STOCK_SETTLED].number != 0) && is_final == c[O_DEADLINE].null &&
         is_final == c[O_DUE].null && implies(!is_final, c[O_DUE].number <= c[O_DEADLINE].number) &&
         (status == ORDER_PENDING) == !c[O_TOKEN].null && c[O_REPLY_TO].null == c[O_REPLY_UNTIL].null &&
         c[O_CREATED].number <= c[O_UPDATED].number && c[O_CAPTURED].number >= 0 && c[O_REFUNDED].number >= 0;
}

static void init(struct database *database) {
  table_init(&database->tables[ORDERS], O_COLUMNS, 1, is_valid_order);
  table_init(&database->tables[ORDER_EVENTS], E_COLUMNS, 2, NULL);
  table_init(&database->tables[TOMBSTONES], T_COLUMNS, 2, NULL);
}

static void lock_orders(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  for (size_t i = 0; i < memory_args_rows(args); i++) {
    struct row *row = table_find(&reading->database->tables[ORDERS], memory_args_row(args, i));
    if (row && row_lock(reading, row))
      row_read(ret, row, selected, BUS_COUNT(selected), reading->arena);
  }
}

static bool is_asked(const struct bus_args *args, const struct bus_uuid *order_id) {
  for (size_t i = 0; i < memory_args_rows(args); i++)
    if (bus_uuid_equal(&memory_args_row(args, i)->uuid, order_id))
      return true;
  return false;
}

static void find_tombstones(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  for (const struct row *row = reading->database->tables[TOMBSTONES].rows; row; row = row->next)
    if (is_asked(args, &row->cells[T_ORDER].uuid))
      row_read(ret, row, tombstones, BUS_COUNT(tombstones), reading->arena);
}

static void read_orders(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  switch (args->statement) {
  case GUARD_SHARED:
  case GUARD_ALONE:
    database_guard(reading, args->statement == GUARD_ALONE);
    break;
  case FIND_TOMBSTONES:
    find_tombstones(reading, args, ret);
    break;
  default:
    lock_orders(reading, args, ret);
  }
}

static enum commit write_orders(struct world *world, struct database *database, const struct bus_args *args) {
  for (size_t i = 0; i < memory_args_rows(args); i++) {
    const struct value *values = memory_args_row(args, i);
    enum commit outcome = COMMIT_DONE;
    if (args->statement == INSERT_ORDERS)
      outcome = table_insert(world, &database->tables[ORDERS], values, inserted, BUS_COUNT(inserted));
    else if (args->statement == UPDATE_ORDERS)
      outcome = table_update(world, &database->tables[ORDERS], values, updated, BUS_COUNT(updated));
    else if (args->statement == INSERT_TOMBSTONES)
      outcome = table_insert(world, &database->tables[TOMBSTONES], values, tombstones, BUS_COUNT(tombstones));
    else
      outcome = table_insert(world, &database->tables[ORDER_EVENTS], values, events, BUS_COUNT(events));
    if (outcome != COMMIT_DONE)
      return outcome;
  }
  return COMMIT_DONE;
}

static bus_time due_at(const struct database *database) {
  bus_time first = INT64_MAX;
  for (const struct row *row = database->tables[ORDERS].rows; row; row = row->next)
    if (!row->cells[O_DUE].null && row->cells[O_DUE].number < first)
      first = row->cells[O_DUE].number;
  return first;
}

static size_t find_due(const struct database *database, bus_time now, struct due_room room, struct bus_uuid *ret) {
  size_t count = 0;
  for (const struct row *row = database->tables[ORDERS].rows; row && count < room.most; row = row->next)
    if (!row->cells[O_DUE].null && row->cells[O_DUE].number <= now)
      ret[count++] = row->cells[O_ID].uuid;
  return count;
}

static bus_time newest_confirmed(const struct database *database) {
  bus_time newest = INT64_MIN;
  for (const struct row *row = database->tables[ORDERS].rows; row; row = row->next)
    if (row->cells[O_STATUS].number == ORDER_CONFIRMED && row->cells[O_CREATED].number > newest)
      newest = row->cells[O_CREATED].number;
  return newest;
}

static bool is_late(const struct value *c, int64_t late_within, bus_time now) {
  if (c[O_STATUS].number == ORDER_COMPENSATING)
    return bus_str_is(c[O_REASON].text, ORDER_REASON_TIMEOUT);
  return c[O_STATUS].number <= ORDER_RESERVED && c[O_DEADLINE].number <= now + late_within;
}

static bool is_newer(const struct value *one, const struct value *other) {
  if (one[O_CREATED].number != other[O_CREATED].number)
    return one[O_CREATED].number > other[O_CREATED].number;
  return bus_uuid_compare(&one[O_ID].uuid, &other[O_ID].uuid) > 0;
}

/* How many orders created after `since` and up to `until` are newer than this one. */
static int64_t newer_ones(const struct database *database, const struct value *c, bus_time since, bus_time until) {
  int64_t count = 0;
  for (const struct row *row = database->tables[ORDERS].rows; row; row = row->next)
    count += row->cells[O_CREATED].number > since && row->cells[O_CREATED].number <= until && is_newer(row->cells, c);
  return count;
}

struct order_load orders_load(const struct database *database, const struct order_policy *policy,
                              const struct order_limits *limits, bus_time now) {
  struct order_load load = {0, 0};
  bus_time confirmed = newest_confirmed(database), until = now - order_late_after(policy);
  for (const struct row *row = database->tables[ORDERS].rows; row; row = row->next) {
    const struct value *c = row->cells;
    load.open += c[O_STATUS].number <= ORDER_RESERVED;
    load.late += c[O_CREATED].number > confirmed && c[O_CREATED].number <= until &&
                 is_late(c, order_late_within(policy), now) &&
                 newer_ones(database, c, confirmed, until) < order_intake_window(limits);
  }
  return load;
}

int64_t orders_in(const struct database *database, enum order_status status) {
  int64_t count = 0;
  for (const struct row *row = database->tables[ORDERS].rows; row; row = row->next)
    count += row->cells[O_STATUS].number == (int64_t)status;
  return count;
}

const struct row *orders_find(const struct database *database, const struct bus_uuid *order_id) {
  const struct value key = {.uuid = *order_id};
  return table_find(&database->tables[ORDERS], &key);
}

const struct store orders_store = {order_statements, init, read_orders, write_orders, due_at, find_due};
