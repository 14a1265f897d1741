/* The service without a database. */
#include "shelf.h"

#include <stdlib.h>
#include <test.h>

struct bus_uuid order_id(uint32_t n) {
  struct bus_uuid id = {{0x0f, 0, 0, 0, 0, 0, 0x50, 0, 0x80}};
  for (int i = 0; i < 4; i++)
    id.bytes[15 - i] = (uint8_t)(n >> (8 * i));
  return id;
}

struct shelf *shelf_new(void) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  struct shelf *shelf = calloc(1, sizeof *shelf);
  assert_non_null(shelf);
  shelf->lasting = bus_arena_new(64 << 20);
  shelf->batch = bus_arena_new(16 << 20);
  assert_non_null(shelf->lasting);
  assert_non_null(shelf->batch);
  bus_uuid_source_init(&shelf->ids, seed);
  shelf->now = BUS_SECOND;
  return shelf;
}

void shelf_free(struct shelf *shelf) {
  bus_arena_free(shelf->lasting);
  bus_arena_free(shelf->batch);
  free(shelf);
}

void shelf_add(struct shelf *shelf, const struct bus_message_type *type, const void *body) {
  assert_true(shelf->input_count < SHELF_BATCH);
  struct bus_envelope *envelope = &shelf->envelopes[shelf->input_count];
  *envelope = (struct bus_envelope){.type = bus_str(type->type), .reply_to = BUS_STR("edge.reply.1")};
  bus_uuid_v7(&shelf->ids, BUS_SECOND, &envelope->message_id);
  shelf->inputs[shelf->input_count++] =
      (struct bus_input){.kind = BUS_INPUT_DELIVERY, .type = type, .envelope = envelope, .body = body};
}

void shelf_add_due(struct shelf *shelf, const struct inventory_due *due) {
  assert_true(shelf->input_count < SHELF_BATCH);
  shelf->inputs[shelf->input_count++] = (struct bus_input){.kind = BUS_INPUT_DEADLINE, .body = due};
}

/* ---- load ---- */

static struct reservation_line *borrow_lines(const struct shelf *shelf, const struct reservation *from) {
  struct reservation_line *lines = bus_arena_array(shelf->batch, from->line_count, sizeof *lines);
  assert_non_null(lines);
  for (size_t i = 0; i < from->line_count; i++)
    lines[i] = from->lines[i];
  return lines;
}

/* As if it had been loaded. */
static void fill(struct bus_set *set, const void *row, const void *key) {
  void *found = bus_set_find(set, key);
  if (!found)
    return;
  memcpy(found, row, set->size);
  bus_set_keep(set, found);
}

static void load(const struct shelf *shelf, struct inventory_model *model) {
  for (size_t i = 0; i < shelf->product_count; i++)
    bus_set_add(&model->products, &shelf->products[i].id);
  assert_true(bus_set_open(&model->products));
  for (size_t i = 0; i < shelf->product_count; i++)
    fill(&model->products, &shelf->products[i], &shelf->products[i].id);
  for (size_t i = 0; i < shelf->reservation_count; i++) {
    struct reservation row = shelf->reservations[i];
    row.lines = borrow_lines(shelf, &row);
    fill(&model->reservations, &row, &row.order_id);
  }
  for (size_t i = 0; i < shelf->request_count; i++)
    fill(&model->requests, &shelf->requests[i], &shelf->requests[i].request_id);
  assert_true(inventory_model_link(model));
}

/* ---- store ---- */

static struct bus_str keep(struct shelf *shelf, struct bus_str text) {
  return text.data ? bus_arena_copy(shelf->lasting, text) : BUS_NO_STR;
}

static struct product *find_product(const struct shelf *shelf, struct bus_str id) {
  for (size_t i = 0; i < shelf->product_count; i++)
    if (bus_str_equal(shelf->products[i].id, id))
      return (struct product *)&shelf->products[i];
  return NULL;
}

static void store_product(struct shelf *shelf, const struct bus_set *set, const struct product *now) {
  if (!bus_set_is_changed(set, now))
    return;
  struct product *product = find_product(shelf, now->id);
  assert_int_equal(product != NULL, bus_set_is_stored(set, now));
  if (!product) {
    assert_true(shelf->product_count < SHELF_ROWS);
    product = &shelf->products[shelf->product_count++];
  }
  *product = *now;
  product->id = keep(shelf, now->id);
  product->name = keep(shelf, now->name);
  product->currency = keep(shelf, now->currency);
  shelf->stored_products++;
}

static struct reservation *find_reservation(const struct shelf *shelf, const struct bus_uuid *id) {
  for (size_t i = 0; i < shelf->reservation_count; i++)
    if (bus_uuid_equal(&shelf->reservations[i].order_id, id))
      return (struct reservation *)&shelf->reservations[i];
  return NULL;
}

static void store_reservation(struct shelf *shelf, const struct bus_set *set, const struct reservation *now) {
  if (!bus_set_is_changed(set, now))
    return;
  struct reservation *row = find_reservation(shelf, &now->order_id);
  assert_int_equal(row != NULL, bus_set_is_stored(set, now));
  if (!row) {
    assert_true(shelf->reservation_count < SHELF_ROWS);
    row = &shelf->reservations[shelf->reservation_count++];
  }
  *row = *now;
  row->lines = bus_arena_array(shelf->lasting, now->line_count, sizeof *row->lines);
  for (size_t i = 0; i < now->line_count; i++) {
    row->lines[i] = now->lines[i];
    row->lines[i].product = find_product(shelf, now->lines[i].product_id);
    row->lines[i].product_id = row->lines[i].product->id;
  }
  row->currency = keep(shelf, now->currency);
  row->guilty = keep(shelf, now->guilty);
  shelf->stored_reservations++;
}

static void store_request(struct shelf *shelf, const struct bus_set *set, const struct stock_request *request) {
  if (!bus_set_is_changed(set, request))
    return;
  assert_true(shelf->request_count < SHELF_ROWS && !bus_set_is_stored(set, request));
  struct stock_request *row = &shelf->requests[shelf->request_count++];
  *row = *request;
  row->product_id = keep(shelf, request->product_id);
}

static void store(struct shelf *shelf, struct inventory_model *model) {
  shelf->stored_products = shelf->stored_reservations = 0;
  inventory_model_finish(model);
  for (size_t i = 0; i < model->products.count; i++)
    store_product(shelf, &model->products, bus_set_at(&model->products, i));
  for (size_t i = 0; i < model->reservations.count; i++)
    store_reservation(shelf, &model->reservations, bus_set_at(&model->reservations, i));
  for (size_t i = 0; i < model->requests.count; i++)
    store_request(shelf, &model->requests, bus_set_at(&model->requests, i));
}

/* ---- run ---- */

void shelf_run(struct shelf *shelf) {
  struct inventory_model *model;
  size_t parked = 0;
  bus_arena_reset(shelf->batch);
  assert_true(inventory_model_new(shelf->inputs, shelf->input_count, shelf->batch, &model));
  load(shelf, model);
  bus_effects_init(&shelf->effects, shelf->batch, &shelf->ids, shelf->now, "inventory-svc");
  for (size_t i = 0; i < shelf->input_count; i++) {
    bus_effects_begin(&shelf->effects, &shelf->inputs[i]);
    inventory_decide(model, &shelf->inputs[i], &shelf->effects);
    parked += bus_effects_end(&shelf->effects) != BUS_DONE;
    assert_true(inventory_model_is_valid(model));
  }
  bus_effects_begin(&shelf->effects, NULL);
  inventory_conclude(model, &shelf->effects);
  assert_false(shelf->effects.failed);
  assert_int_equal(parked, shelf->parked);
  store(shelf, model);
  shelf->input_count = 0;
}

const struct bus_effect *shelf_message(const struct shelf *shelf, size_t n) {
  for (const struct bus_effect *effect = shelf->effects.first; effect; effect = effect->next)
    if (effect->kind != BUS_EFFECT_ACTION && effect->kind != BUS_EFFECT_NOTICE && n-- == 0)
      return effect;
  return NULL;
}

const struct bus_effect *shelf_notice(const struct shelf *shelf) {
  for (const struct bus_effect *effect = shelf->effects.first; effect; effect = effect->next)
    if (effect->kind == BUS_EFFECT_NOTICE)
      return effect;
  return NULL;
}

const struct bus_effect *shelf_one(struct shelf *shelf, const struct bus_message_type *type, const void *body) {
  shelf_add(shelf, type, body);
  shelf_run(shelf);
  assert_non_null(shelf_message(shelf, 0));
  assert_null(shelf_message(shelf, 1));
  return shelf_message(shelf, 0);
}

void shelf_put(struct shelf *shelf, const char *id, int64_t price, const char *currency, int64_t on_hand) {
  const struct inventory_put_product body = {
      .product_id = bus_str(id),
      .name = BUS_STR("A thing"),
      .price = price,
      .currency = bus_str(currency),
      .on_hand = on_hand,
  };
  (void)shelf_one(shelf, &inventory_put_product_type, &body);
}

const struct product *shelf_product(const struct shelf *shelf, const char *id) {
  return find_product(shelf, bus_str(id));
}

const struct reservation *shelf_reservation(const struct shelf *shelf, const struct bus_uuid *id) {
  return find_reservation(shelf, id);
}

static int64_t held(const struct shelf *shelf, const struct product *product, enum reservation_state state) {
  int64_t units = 0;
  for (size_t i = 0; i < shelf->reservation_count; i++) {
    const struct reservation *row = &shelf->reservations[i];
    for (size_t j = 0; row->state == state && j < row->line_count; j++)
      if (row->lines[j].product == product)
        units += row->lines[j].quantity;
  }
  return units;
}

bool shelf_balances(const struct shelf *shelf) {
  for (size_t i = 0; i < shelf->product_count; i++) {
    const struct product *product = &shelf->products[i];
    if (!product_is_valid(product) || held(shelf, product, RESERVATION_RESERVED) != product->reserved ||
        held(shelf, product, RESERVATION_COMMITTED) != product->sold)
      return false;
  }
  return true;
}

void shelf_assert_says(const struct bus_effect *effect, const struct bus_message_type *type, const char *json) {
  assert_non_null(effect);
  assert_ptr_equal(effect->type, type);
  assert_int_equal(effect->kind, type->exchange == BUS_EXCHANGE_REPLY ? BUS_EFFECT_ANSWER : BUS_EFFECT_EMIT);
  assert_int_equal(effect->body.len, strlen(json));
  assert_memory_equal(effect->body.data, json, effect->body.len);
}

struct inventory_reserve reserve_of(uint32_t order, struct stock_item *items, size_t count) {
  return (struct inventory_reserve){order_id(order), items, count, BUS_NO_INT64, BUS_NO_TIME};
}

struct shelf *shelf_with_stock(void) {
  struct shelf *shelf = shelf_new();
  shelf_put(shelf, "SKU-1", 250, "EUR", 10);
  shelf_put(shelf, "SKU-2", 99, "EUR", 5);
  return shelf;
}
