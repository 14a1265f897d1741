/* Each confirmed order gets one parcel. The model of a batch is the set of its shipments. */
#include "shipping.h"

static int64_t count_pieces(const struct order_confirmed *order) {
  int64_t pieces = 0;
  for (size_t i = 0; i < order->item_count; i++)
    pieces += order->items[i].quantity;
  return pieces;
}

static void decide(void *model, const struct bus_input *input, struct bus_effects *effects) {
  const struct order_confirmed *order = BUS_BODY(input, order_confirmed);
  struct shipment *shipment = bus_set_find(model, &order->order_id);
  int64_t pieces = count_pieces(order);
  if (bus_set_is_stored(model, shipment) || bus_set_is_changed(model, shipment))
    return; /* the order was confirmed twice, in two messages */
  if (pieces > SHIPPING_PIECES_MAX) {
    bus_park(effects, "%lld pieces: a parcel holds at most %d", (long long)pieces, SHIPPING_PIECES_MAX);
    return;
  }
  shipment->pieces = pieces;
  shipment->created_at = effects->now;
  bus_set_change(model, shipment);
  BUS_EMIT(effects, shipment_created, &order->order_id, shipment);
}

static void answer(void *model, const struct bus_input *input, struct bus_effects *effects) {
  const struct shipment_get *get = BUS_BODY(input, shipment_get);
  const struct shipment *shipment = bus_set_find(model, &get->order_id);
  const struct shipment none = {.order_id = get->order_id, .pieces = BUS_NO_INT64, .created_at = BUS_NO_TIME};
  BUS_REPLY(effects, shipment_found, bus_set_is_stored(model, shipment) ? shipment : &none);
}

/* ---- the table, its statements, and the trips of a batch ---- */

static const struct bus_column columns[] = {
    BUS_COLUMN_UUID(struct shipment, order_id, BUS_KEY),
    BUS_COLUMN_INT64(struct shipment, pieces, 1, SHIPPING_PIECES_MAX, BUS_FIXED),
    BUS_COLUMN_TIME(struct shipment, created_at, BUS_FIXED),
};
const struct bus_table shipment_table = BUS_COLUMN_TABLE("shipping.shipments", struct shipment, columns);

static const struct bus_recipe recipes[SHIPMENT_STATEMENTS] = {
    [SHIPMENT_READ] =
        BUS_STATEMENT_OF(&shipment_table, "SELECT {s.row} FROM shipping.shipments s WHERE s.order_id = ANY ($1)", "U"),
    [SHIPMENT_INSERT] = BUS_INSERT(&shipment_table),
};
struct bus_statement shipment_statements[SHIPMENT_STATEMENTS];

bool shipment_statements_make(void) {
  return bus_recipes_make(recipes, SHIPMENT_STATEMENTS, shipment_statements);
}

static const struct bus_uuid *order_of(const struct bus_input *input) {
  const struct order_confirmed *order = BUS_BODY(input, order_confirmed);
  const struct shipment_get *get = BUS_BODY(input, shipment_get);
  return order ? &order->order_id : &get->order_id;
}

static bool lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                 struct bus_sql *sql, void **ret_model) {
  struct bus_set *shipments = bus_arena_alloc(arena, sizeof *shipments);
  (void)context;
  if (!shipments)
    return false;
  bus_set_init(shipments, &shipment_table, 0, arena);
  for (size_t i = 0; i < count; i++)
    bus_set_add(shipments, order_of(&inputs[i]));
  if (!bus_set_open(shipments))
    return false;
  bus_set_lock(shipments, sql, SHIPMENT_READ);
  *ret_model = shipments;
  return true;
}

static bool load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)count; /* one statement */
  return bus_set_load(model, rows[0], err);
}

static bool store(void *model, struct bus_sql *sql) {
  bus_set_store(model, sql, SHIPMENT_INSERT, SHIPMENT_INSERT); /* no shipment changes once it is stored */
  return true;
}

/* ---- the program ---- */

static const struct bus_service commands = {
    .statements = shipment_statements,
    .statement_count = SHIPMENT_STATEMENTS,
    .lock = lock,
    .load = load,
    .decide = decide,
    .store = store,
};
static const struct bus_service queries = {
    /* without store: it only reads */
    .statements = shipment_statements,
    .statement_count = SHIPMENT_STATEMENTS,
    .lock = lock,
    .load = load,
    .decide = answer,
};
const struct bus_program shipping_program = {
    .summary = "Makes a parcel for each confirmed order.",
    .version = "1.0.0",
    .part = &shipping_part,
    .topology = &shipping_topology,
    .default_port = "8095",
    .commands = &commands,
    .queries = &queries,
};
