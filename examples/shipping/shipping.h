/* The parts of shipping-svc: its topology, its table, and the program of them. */
#pragma once

#include <bus/aggregate.h>
#include <bus/service.h>

#include "shipping_messages.h"

extern const struct bus_topology_part shipping_part;
extern const struct bus_topology shipping_topology;
extern const struct bus_table shipment_table;
extern const struct bus_program shipping_program;
