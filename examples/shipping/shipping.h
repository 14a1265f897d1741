/* The parts of shipping-svc: its topology, its table and statements, and the functions of a batch. */
#pragma once

#include <bus/aggregate.h>
#include <bus/effects.h>
#include <bus/topology.h>

#include "shipping_messages.h"

extern const struct bus_topology_part shipping_part;
extern const struct bus_topology shipping_topology;

enum { SHIPMENT_READ, SHIPMENT_INSERT, SHIPMENT_STATEMENTS };
extern struct bus_statement shipment_statements[SHIPMENT_STATEMENTS];
bool shipment_statements_make(void);

bool shipping_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                   struct bus_sql *sql, void **ret_model);
bool shipping_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
void shipping_decide(void *model, const struct bus_input *input, struct bus_effects *effects);
void shipping_answer(void *model, const struct bus_input *input, struct bus_effects *effects);
bool shipping_store(void *model, struct bus_sql *sql);
