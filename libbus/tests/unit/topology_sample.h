/* A small system with everything that a topology can have, for the tests. */
#pragma once

#include <bus/topology.h>

extern const struct bus_message_type order_place, order_cancel, inventory_reserve, payment_charge, payment_charge_2,
    order_created, stock_reserved, payment_captured, order_get, order_answer;
extern const struct bus_topology topology_sample;

enum { SAMPLE_EDGE, SAMPLE_ORDER, SAMPLE_INVENTORY, SAMPLE_PAYMENT, SAMPLE_AUDIT, SAMPLE_PARTS };
extern const struct bus_topology_part *const sample_parts[SAMPLE_PARTS];
