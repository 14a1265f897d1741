/* Inputs as a worker makes them, effects as it would carry them out. */
#include "rig.h"

const struct order_unpaid_limits rig_unpaid_limits = {.all = 10, .of_customer = 5};

void rig_init(struct rig *rig) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  memset(rig, 0, sizeof *rig);
  rig->arena = bus_arena_new(4 << 20);
  assert_non_null(rig->arena);
  bus_uuid_source_init(&rig->ids, seed);
  saga_bodies_init(&rig->bodies);
  rig->now = SAGA_START;
}

void rig_done(struct rig *rig) {
  bus_arena_free(rig->arena);
}

struct bus_envelope *rig_add_body(struct rig *rig, const struct bus_message_type *type, const void *body) {
  assert_true(rig->input_count < RIG_INPUTS);
  struct bus_envelope *envelope = &rig->envelopes[rig->input_count];
  struct bus_input *input = &rig->inputs[rig->input_count++];
  *envelope = (struct bus_envelope){.type = bus_str(type->type), .first_failed_at = BUS_NO_TIME};
  envelope->message_id.bytes[15] = (uint8_t)rig->input_count;
  *input = (struct bus_input){.kind = BUS_INPUT_DELIVERY, .type = type, .envelope = envelope, .body = body};
  return envelope;
}

struct bus_envelope *rig_add(struct rig *rig, enum order_message message) {
  static const struct bus_uuid due = {
      {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x57, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01}};
  if (message != ORDER_ON_DEADLINE)
    return rig_add_body(rig, order_saga.messages[message].type, saga_body(&rig->bodies, message));
  rig->inputs[rig->input_count++] = (struct bus_input){.kind = BUS_INPUT_DEADLINE, .body = &due};
  return NULL;
}

struct order rig_order(struct rig *rig, int state) {
  struct saga saga = {.arena = rig->arena, .bodies = rig->bodies, .now = SAGA_START};
  saga.bodies.place.items = rig->bodies.items;
  saga.bodies.reserved.items = rig->bodies.priced;
  order_init(&saga.order, &saga_order_id);
  saga_bring_to(&saga, state);
  if (state == ORDER_PENDING)
    saga.order.payment_token = BUS_STR("pm_card_visa");
  return saga.order;
}

void rig_run(struct rig *rig, const struct order *stored) {
  assert_true(
      order_model_new(rig->inputs, rig->input_count, &saga_policy, &rig_unpaid_limits, rig->arena, &rig->model));
  struct order_entry *entry = stored ? order_model_find(rig->model, &stored->order_id) : NULL;
  if (entry) {
    entry->now = *stored;
    bus_set_keep(&rig->model->orders, entry);
  }
  bus_effects_init(&rig->effects, rig->arena, &rig->ids, rig->now, "order-svc");
  for (size_t i = 0; i < rig->input_count; i++) {
    bus_effects_begin(&rig->effects, &rig->inputs[i]);
    order_decide_input(rig->model, &rig->inputs[i], &rig->effects);
    rig->verdict = bus_effects_end(&rig->effects);
  }
}

const struct bus_effect *rig_effect(const struct rig *rig, enum bus_effect_kind kind, size_t index) {
  for (const struct bus_effect *effect = rig->effects.first; effect; effect = effect->next)
    if (effect->kind == kind && index-- == 0)
      return effect;
  return NULL;
}

size_t rig_count(const struct rig *rig, enum bus_effect_kind kind) {
  size_t count = 0;
  while (rig_effect(rig, kind, count))
    count++;
  return count;
}

void rig_assert_emits(const struct rig *rig, size_t index, const struct bus_message_type *type, const char *json) {
  const struct bus_effect *effect = rig_effect(rig, BUS_EFFECT_EMIT, index);
  assert_non_null(effect);
  assert_string_equal(effect->type->type, type->type);
  print_message("%.*s\n", (int)effect->body.len, effect->body.data);
  assert_text(effect->body, json);
  assert_memory_equal(&effect->envelope.correlation_id, &saga_order_id, sizeof saga_order_id);
}

void rig_assert_answers(const struct rig *rig, size_t index, const char *json) {
  const struct bus_effect *effect = rig_effect(rig, BUS_EFFECT_ANSWER, index);
  assert_non_null(effect);
  print_message("%.*s\n", (int)effect->body.len, effect->body.data);
  assert_text(effect->body, json);
}

const struct order_tally *rig_tally(const struct rig *rig, size_t index) {
  const struct bus_effect *effect = rig_effect(rig, BUS_EFFECT_ACTION, index);
  return effect ? effect->action : NULL;
}
