/* A batch without a worker: inputs go through the service's decide(), and what comes out is looked at. */
#pragma once

#include "order_service.h"
#include "saga.h"

enum { RIG_INPUTS = 16 };

extern const struct order_unpaid_limits rig_unpaid_limits; /* 10, 5 */

struct rig {
  struct bus_arena *arena;
  struct bus_uuid_source ids;
  struct saga_bodies bodies;
  struct bus_envelope envelopes[RIG_INPUTS];
  struct bus_input inputs[RIG_INPUTS];
  size_t input_count;
  struct order_model *model;
  struct bus_effects effects;
  bus_time now;
  enum bus_verdict verdict; /* on the last input */
};

void rig_init(struct rig *rig);
void rig_done(struct rig *rig);
/* Adds a delivery (or a deadline); its message id is numbered from 1. */
struct bus_envelope *rig_add(struct rig *rig, enum order_message message);
struct bus_envelope *rig_add_body(struct rig *rig, const struct bus_message_type *type, const void *body);
/* Decides all that was added, in one batch, over what is in the database: NULL for nothing. */
void rig_run(struct rig *rig, const struct order *stored);
/* The standard order in a state, as it would be loaded. */
struct order rig_order(struct rig *rig, int state);

/* The index-th effect of that kind, or NULL. */
const struct bus_effect *rig_effect(const struct rig *rig, enum bus_effect_kind kind, size_t index);
size_t rig_count(const struct rig *rig, enum bus_effect_kind kind);
void rig_assert_emits(const struct rig *rig, size_t index, const struct bus_message_type *type, const char *json);
void rig_assert_answers(const struct rig *rig, size_t index, const char *json);
const struct order_tally *rig_tally(const struct rig *rig, size_t index);

/* The times that events of an order carry: placed as it is made, and told then, or at another time. */
#define RIG_PLACED ",\"placed_at\":\"2026-01-01T00:00:00.000Z\""
#define RIG_TIMES_AT(text) RIG_PLACED ",\"at\":\"2026-01-01T" text ".000Z\""
#define RIG_TIMES RIG_TIMES_AT("00:00:00")

#define SAGA_ID_TEXT "11223344-5566-5788-99aa-bbccddeeff01"
