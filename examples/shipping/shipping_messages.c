/* Field tables and types of the messages: the tables drive the decoder and the encoder. */
#include "shipping_messages.h"

static const struct bus_field item_fields[] = {
    BUS_FIELD_INT64(struct order_item, quantity, 1, 1000, BUS_REQUIRED, "how many"),
};
static const struct bus_schema item_schema = BUS_SCHEMA("item", struct order_item, item_fields);
static const struct bus_field confirmed_fields[] = {
    BUS_FIELD_UUID(struct order_confirmed, order_id, BUS_REQUIRED, "the order"),
    BUS_FIELD_ARRAY(struct order_confirmed, items, item_count, struct order_item, &item_schema, 1, SHIPPING_ITEMS_MAX,
                    BUS_REQUIRED, "what was ordered"),
};
static const struct bus_field shipment_fields[] = {
    BUS_FIELD_UUID(struct shipment, order_id, BUS_REQUIRED, "the order"),
    BUS_FIELD_INT64(struct shipment, pieces, 1, SHIPPING_PIECES_MAX, BUS_OPTIONAL, "how many pieces are in the parcel"),
    BUS_FIELD_TIME(struct shipment, created_at, BUS_OPTIONAL, "when the parcel was made"),
};
static const struct bus_field get_fields[] = {
    BUS_FIELD_UUID(struct shipment_get, order_id, BUS_REQUIRED, "the order"),
};
static const struct bus_schema confirmed_schema =
    BUS_SCHEMA("order.confirmed", struct order_confirmed, confirmed_fields);
static const struct bus_schema shipment_schema = BUS_SCHEMA("shipment", struct shipment, shipment_fields);
static const struct bus_schema get_schema = BUS_SCHEMA("shipment.get", struct shipment_get, get_fields);

const struct bus_message_type order_confirmed_type = BUS_EVENT("order.confirmed.v1", &confirmed_schema, "order-svc");
const struct bus_message_type shipment_created_type =
    BUS_EVENT("shipment.created.v1", &shipment_schema, "shipping-svc");
const struct bus_message_type shipment_get_type = BUS_QUERY("shipment.get.v1", &get_schema, "operator");
const struct bus_message_type shipment_found_type = BUS_ANSWER("shipment.found.v1", &shipment_schema);
