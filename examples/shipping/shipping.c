/* Each confirmed order gets one parcel. The model of a batch is the set of its shipments. */
#include "shipping.h"

#include <bus/effects.h>

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

/* ---- the table, and the program ---- */

static const struct bus_column columns[] = {
    BUS_COLUMN_UUID(struct shipment, order_id, BUS_KEY),
    BUS_COLUMN_INT64(struct shipment, pieces, 1, SHIPPING_PIECES_MAX, BUS_FIXED),
    BUS_COLUMN_TIME(struct shipment, created_at, BUS_FIXED),
};
const struct bus_table shipment_table = BUS_COLUMN_TABLE("shipping.shipments", struct shipment, columns);

static const void *order_of(const struct bus_input *input) {
  const struct order_confirmed *order = BUS_BODY(input, order_confirmed);
  return order ? &order->order_id : &BUS_BODY(input, shipment_get)->order_id;
}

static const struct bus_aggregate shipments = {.table = &shipment_table, .key_of = order_of};
static const struct bus_service commands = {.aggregate = &shipments, .decide = decide};
static const struct bus_service queries = {.aggregate = &shipments, .decide = answer};
const struct bus_program shipping_program = {
    .summary = "Makes a parcel for each confirmed order.",
    .version = "1.0.0",
    .part = &shipping_part,
    .topology = &shipping_topology,
    .default_port = "8095",
    .commands = &commands,
    .queries = &queries,
};
