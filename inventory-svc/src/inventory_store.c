/* Trip 2 of a batch: each reservation, product and request that it changed, once. */
#include "inventory_store.h"

#include "inventory_statements.h"

#include <inttypes.h>
#include <stdio.h>

/* The statement's arguments, queued at the first row: a statement without rows is not sent. */
static struct bus_args *once(struct bus_sql *sql, struct bus_args **args, size_t statement) {
  if (!*args)
    *args = bus_sql_add(sql, statement);
  return *args;
}

/* Product ids and numbers have no comma, so that a list of them needs no quotes. */
static struct bus_str join_ids(struct bus_arena *arena, const struct reservation *reservation) {
  size_t room = 0, len = 0;
  for (size_t i = 0; i < reservation->line_count; i++)
    room += reservation->lines[i].product->id.len + 1;
  char *text = bus_arena_alloc(arena, room);
  if (!text)
    return BUS_NO_STR;
  for (size_t i = 0; i < reservation->line_count; i++) {
    const struct bus_str id = reservation->lines[i].product->id;
    if (i > 0)
      text[len++] = ',';
    memcpy(text + len, id.data, id.len);
    len += id.len;
  }
  return (struct bus_str){text, len};
}

static struct bus_str join_numbers(struct bus_arena *arena, const struct reservation *reservation, bool prices) {
  enum { DIGITS = 21 }; /* of any int64_t, and a comma */
  size_t room = reservation->line_count * DIGITS + 1, len = 0;
  char *text = bus_arena_alloc(arena, room);
  if (!text)
    return BUS_NO_STR;
  for (size_t i = 0; i < reservation->line_count; i++) {
    const struct reservation_line *line = &reservation->lines[i];
    int wrote =
        snprintf(text + len, room - len, "%s%" PRId64, i > 0 ? "," : "", prices ? line->unit_price : line->quantity);
    len += wrote > 0 ? (size_t)wrote : 0;
  }
  return (struct bus_str){text, len};
}

static bool add_lines(struct bus_arena *arena, struct bus_args *args, const struct reservation *reservation) {
  const struct bus_str lists[] = {join_ids(arena, reservation), join_numbers(arena, reservation, false),
                                  join_numbers(arena, reservation, true)};
  for (size_t i = 0; i < BUS_COUNT(lists); i++) {
    if (!lists[i].data)
      return false;
    bus_args_text(args, lists[i]);
  }
  return true;
}

static void add_expected(struct bus_args *args, const struct reservation *reservation) {
  bus_args_time_or_null(args, reservation->state == RESERVATION_RESERVED ? reservation->expected_until : BUS_NO_TIME);
}

static bool add_reservation(struct bus_arena *arena, struct bus_args *args, const struct reservation *reservation) {
  bool rejected = reservation->state == RESERVATION_REJECTED, priced = reservation->line_count > 0;
  bus_args_uuid(args, &reservation->order_id);
  bus_args_text(args, bus_str(reservation_state_names[reservation->state]));
  bus_args_text_or_null(args, rejected ? bus_str(stock_reason_names[reservation->reason]) : BUS_NO_STR);
  bus_args_text_or_null(args, rejected ? reservation->guilty : BUS_NO_STR);
  bus_args_int64_or_null(args, priced ? reservation->total : BUS_NO_INT64);
  bus_args_text_or_null(args, priced ? reservation->currency : BUS_NO_STR);
  add_expected(args, reservation);
  return add_lines(arena, args, reservation);
}

static bool store_reservations(const struct inventory_model *model, struct bus_sql *sql) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < model->reservation_count; i++) {
    const struct model_reservation *entry = &model->reservations[i];
    if (entry->stored == RESERVATION_NONE && entry->now.state != RESERVATION_NONE &&
        !add_reservation(model->arena, once(sql, &args, INSERT_RESERVATIONS), &entry->now))
      return false;
  }
  return true;
}

static void move_reservations(const struct inventory_model *model, struct bus_sql *sql) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < model->reservation_count; i++) {
    const struct model_reservation *entry = &model->reservations[i];
    if (entry->stored == RESERVATION_NONE || !entry->changed)
      continue;
    bus_args_uuid(once(sql, &args, MOVE_RESERVATIONS), &entry->now.order_id);
    bus_args_text(args, bus_str(reservation_state_names[entry->now.state]));
    add_expected(args, &entry->now);
  }
}

static void add_card(struct bus_args *args, const struct product *product) {
  bus_args_text(args, product->id);
  bus_args_text(args, product->name);
  bus_args_int64(args, product->price);
  bus_args_text(args, product->currency);
}

static void add_stock(struct bus_args *args, const struct product *product) {
  bus_args_int64(args, product->on_hand);
  bus_args_int64(args, product->reserved);
  bus_args_int64(args, product->sold);
  bus_args_int64(args, product->received);
  bus_args_int64(args, product->version);
}

static void insert_products(const struct inventory_model *model, struct bus_sql *sql) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < model->product_count; i++) {
    const struct model_product *entry = &model->products[i];
    if (entry->stored_version > 0 || !product_exists(&entry->now))
      continue;
    add_card(once(sql, &args, INSERT_PRODUCTS), &entry->now);
    add_stock(args, &entry->now);
  }
}

static void update_products(const struct inventory_model *model, struct bus_sql *sql) {
  struct bus_args *stock = NULL, *cards = NULL;
  for (size_t i = 0; i < model->product_count; i++) {
    const struct model_product *entry = &model->products[i];
    if (entry->stored_version == 0 || entry->stored_version == entry->now.version)
      continue;
    bus_args_text(once(sql, &stock, UPDATE_STOCK), entry->now.id);
    add_stock(stock, &entry->now);
  }
  for (size_t i = 0; i < model->product_count; i++)
    if (model->products[i].stored_version > 0 && model->products[i].card_changed)
      add_card(once(sql, &cards, UPDATE_CARDS), &model->products[i].now);
}

static void insert_requests(const struct inventory_model *model, struct bus_sql *sql) {
  struct bus_args *args = NULL;
  for (size_t i = 0; i < model->request_count; i++) {
    const struct model_request *request = &model->requests[i];
    if (!request->known || request->stored)
      continue;
    bus_args_uuid(once(sql, &args, INSERT_REQUESTS), &request->id);
    bus_args_text(args, request->product_id);
    bus_args_int64(args, request->on_hand);
  }
}

bool inventory_store(void *context, struct bus_sql *sql) {
  const struct inventory_model *model = context;
  if (!store_reservations(model, sql))
    return false;
  move_reservations(model, sql);
  insert_products(model, sql);
  update_products(model, sql);
  insert_requests(model, sql);
  return true;
}
