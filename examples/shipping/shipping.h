/* The parts of shipping-svc: its topology, its table and statements, and the program of them. */
#pragma once

#include <bus/aggregate.h>
#include <bus/effects.h>
#include <bus/service.h>
#include <bus/topology.h>

#include "shipping_messages.h"

extern const struct bus_topology_part shipping_part;
extern const struct bus_topology shipping_topology;

enum { SHIPMENT_READ, SHIPMENT_INSERT, SHIPMENT_STATEMENTS };
extern struct bus_statement shipment_statements[SHIPMENT_STATEMENTS];
bool shipment_statements_make(void);
extern const struct bus_table shipment_table;

extern const struct bus_program shipping_program;
