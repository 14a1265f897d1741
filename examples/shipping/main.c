/* shipping-svc: makes a parcel for each confirmed order, and says which order has one. */
#include "shipping.h"

#include <bus/service.h>
#include <stdlib.h>

static const struct bus_service commands = {
    .statements = shipment_statements,
    .statement_count = SHIPMENT_STATEMENTS,
    .lock = shipping_lock,
    .load = shipping_load,
    .decide = shipping_decide,
    .store = shipping_store,
};
static const struct bus_service queries = {
    /* without store: it only reads */
    .statements = shipment_statements,
    .statement_count = SHIPMENT_STATEMENTS,
    .lock = shipping_lock,
    .load = shipping_load,
    .decide = shipping_answer,
};
static const struct bus_program program = {
    .summary = "Makes a parcel for each confirmed order.",
    .version = "1.0.0",
    .part = &shipping_part,
    .topology = &shipping_topology,
    .default_port = "8095",
    .commands = &commands,
    .queries = &queries,
};

int main(int argc, char **argv) {
  return shipment_statements_make() ? bus_service_main(argc, argv, &program) : EXIT_FAILURE;
}
