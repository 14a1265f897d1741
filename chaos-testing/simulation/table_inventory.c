/* The inventory database: what inventory-svc's statements do to products, reservations and stock requests. */
#include "table_inventory.h"

#include <inventory_statements.h>

static const uint8_t in_order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t locked[] = {R_ORDER, R_STATE, R_REASON, R_PRODUCT, R_TOTAL, R_CURRENCY, R_CREATED, R_EXPECTED};
static const uint8_t inserted[] = {R_ORDER,    R_STATE,    R_REASON,     R_PRODUCT, R_TOTAL,  R_CURRENCY,
                                   R_EXPECTED, R_PRODUCTS, R_QUANTITIES, R_PRICES,  R_CREATED};
static const uint8_t moved[] = {R_ORDER, R_STATE, R_EXPECTED};
static const uint8_t stock[] = {P_ID, P_ON_HAND, P_RESERVED, P_SOLD, P_RECEIVED, P_VERSION};
static const uint8_t card[] = {P_ID, P_NAME, P_PRICE, P_CURRENCY};

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

/* The CHECKs of the migrations products.sql and reservations.sql. */
static bool is_valid_product(const struct value *c) {
  return c[P_ON_HAND].number >= 0 && c[P_RESERVED].number >= 0 && c[P_SOLD].number >= 0 && c[P_PRICE].number >= 0 &&
         c[P_VERSION].number >= 1 &&
         c[P_RECEIVED].number == c[P_ON_HAND].number + c[P_RESERVED].number + c[P_SOLD].number;
}

static bool is_valid_reservation(const struct value *c) {
  bool rejected = bus_str_is(c[R_STATE].text, "REJECTED"), priced = !c[R_TOTAL].null;
  bool has_items = !c[R_PRODUCTS].null && c[R_PRODUCTS].text.len > 0;
  bool held = rejected ? !priced : bus_str_is(c[R_STATE].text, "RELEASED") || priced;
  return rejected == !c[R_REASON].null && priced == has_items && priced == !c[R_CURRENCY].null && held;
}

static void init(struct database *database) {
  table_init(&database->tables[PRODUCTS], P_COLUMNS, 1, is_valid_product);
  table_init(&database->tables[RESERVATIONS], R_COLUMNS, 1, is_valid_reservation);
  table_init(&database->tables[STOCK_REQUESTS], 3, 1, NULL);
}

const struct row *products_find(const struct database *database, struct bus_str id) {
  const struct value key = {.text = id};
  return table_find(&database->tables[PRODUCTS], &key);
}

/* ---- reading ---- */

static void lock_reservations(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  for (size_t i = 0; i < memory_args_rows(args); i++) {
    struct row *row = table_find(&reading->database->tables[RESERVATIONS], memory_args_row(args, i));
    if (row && row_lock(reading, row))
      row_read(ret, row, locked, BUS_COUNT(locked), reading->arena);
  }
}

static bool names(const struct row *reservation, struct bus_str product) {
  struct bus_str list = reservation->cells[R_PRODUCTS].text, item;
  while ((item = list_take(&list)).data)
    if (bus_str_equal(item, product))
      return true;
  return false;
}

/* Named by the messages, or by the reservations that they name. */
static bool is_wanted(const struct reading *reading, const struct bus_args *args, struct bus_str product) {
  for (size_t i = 0; i < memory_args_rows(args); i++) {
    const struct value *values = memory_args_row(args, i);
    const struct row *row = values[1].null ? NULL : table_find(&reading->database->tables[RESERVATIONS], &values[1]);
    if ((!values[0].null && bus_str_equal(values[0].text, product)) || (row && names(row, product)))
      return true;
  }
  return false;
}

static void lock_products(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  for (struct row *row = reading->database->tables[PRODUCTS].rows; row; row = row->next)
    if (is_wanted(reading, args, row->cells[P_ID].text) && row_lock(reading, row))
      row_read(ret, row, in_order, P_COLUMNS, reading->arena);
}

static void read_items(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  for (size_t i = 0; i < memory_args_rows(args); i++) {
    const struct row *row = table_find(&reading->database->tables[RESERVATIONS], memory_args_row(args, i));
    if (!row)
      continue;
    struct bus_str products = row->cells[R_PRODUCTS].text, quantities = row->cells[R_QUANTITIES].text, product;
    struct bus_str prices = row->cells[R_PRICES].text;
    while ((product = list_take(&products)).data) {
      struct value *cells = memory_rows_add(ret, 4, reading->arena);
      cells[0] = (struct value){.uuid = row->cells[R_ORDER].uuid};
      cells[1] = (struct value){.text = product};
      cells[2] = (struct value){.number = list_take_number(&quantities)};
      cells[3] = (struct value){.number = list_take_number(&prices)};
    }
  }
}

static void read_requests(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  for (size_t i = 0; i < memory_args_rows(args); i++) {
    const struct row *row = table_find(&reading->database->tables[STOCK_REQUESTS], memory_args_row(args, i));
    if (row)
      row_read(ret, row, in_order, 3, reading->arena);
  }
}

static void read(struct reading *reading, const struct bus_args *args, struct bus_rows *ret) {
  if (args->statement == LOCK_RESERVATIONS)
    lock_reservations(reading, args, ret);
  else if (args->statement == LOCK_PRODUCTS)
    lock_products(reading, args, ret);
  else if (args->statement == READ_ITEMS)
    read_items(reading, args, ret);
  else if (args->statement == READ_REQUESTS)
    read_requests(reading, args, ret);
}

/* ---- writing ---- */

static enum commit insert_reservation(struct world *world, struct table *table, const struct value *values) {
  struct value row[BUS_COUNT(inserted)];
  memcpy(row, values, sizeof row - sizeof *row);
  row[BUS_COUNT(inserted) - 1] = (struct value){.number = world ? world->now : 0}; /* DEFAULT now() */
  return table_insert(world, table, row, inserted, BUS_COUNT(inserted));
}

static enum commit write_row(struct world *world, struct table *tables, size_t statement, const struct value *values) {
  switch (statement) {
  case INSERT_RESERVATIONS:
    return insert_reservation(world, &tables[RESERVATIONS], values);
  case MOVE_RESERVATIONS:
    return table_update(world, &tables[RESERVATIONS], values, moved, BUS_COUNT(moved));
  case UPDATE_STOCK:
    return table_update(world, &tables[PRODUCTS], values, stock, BUS_COUNT(stock));
  case UPDATE_CARDS:
    return table_update(world, &tables[PRODUCTS], values, card, BUS_COUNT(card));
  case INSERT_PRODUCTS:
    return table_insert(world, &tables[PRODUCTS], values, in_order, P_COLUMNS);
  default:
    return table_insert(world, &tables[STOCK_REQUESTS], values, in_order, 3);
  }
}

static enum commit write(struct world *world, struct database *database, const struct bus_args *args) {
  for (size_t i = 0; i < memory_args_rows(args); i++) {
    enum commit outcome = write_row(world, database->tables, args->statement, memory_args_row(args, i));
    if (outcome != COMMIT_DONE)
      return outcome;
  }
  return COMMIT_DONE;
}

static bus_time due_at(const struct database *database) {
  bus_time first = INT64_MAX;
  for (const struct row *row = database->tables[RESERVATIONS].rows; row; row = row->next)
    if (!row->cells[R_EXPECTED].null && row->cells[R_EXPECTED].number < first)
      first = row->cells[R_EXPECTED].number;
  return first;
}

static size_t find_due(const struct database *database, bus_time now, struct due_room room, struct bus_uuid *ret) {
  size_t count = 0;
  for (const struct row *row = database->tables[RESERVATIONS].rows; row && count < room.most; row = row->next)
    if (!row->cells[R_EXPECTED].null && row->cells[R_EXPECTED].number <= now)
      ret[count++] = row->cells[R_ORDER].uuid;
  return count;
}

const struct store inventory_store_tables = {inventory_statements, init, read, write, due_at, find_due};
