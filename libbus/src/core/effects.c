/* Effects of a decision: a list in the batch's arena, taken back when an input is retried or parked. */
#include <bus/effects.h>

#include "effects_check.h"

#include <stdarg.h>
#include <stdio.h>

void bus_effects_init(struct bus_effects *effects, struct bus_arena *arena, struct bus_uuid_source *ids, bus_time now,
                      const char *service) {
  *effects = (struct bus_effects){.arena = arena, .ids = ids, .now = now, .service = service};
}

void bus_effects_begin(struct bus_effects *effects, const struct bus_input *input) {
  effects->input = input;
  effects->before_input = effects->last;
  effects->verdict = BUS_DONE;
  effects->reason[0] = '\0';
}

static void take_back(struct bus_effects *effects) {
  struct bus_effect **tail = effects->before_input ? &effects->before_input->next : &effects->first;
  for (const struct bus_effect *effect = *tail; effect; effect = effect->next)
    effects->count--;
  *tail = NULL;
  effects->last = effects->before_input;
}

enum bus_verdict bus_effects_end(struct bus_effects *effects) {
  if (effects->verdict != BUS_DONE)
    take_back(effects);
  return effects->verdict;
}

void *bus_effects_array(struct bus_effects *effects, size_t count, size_t size) {
  void *elements = bus_arena_array(effects->arena, count, size);
  effects->failed |= !elements;
  return elements;
}

static struct bus_effect *append_effect(struct bus_effects *effects, enum bus_effect_kind kind) {
  struct bus_effect *effect = bus_effects_array(effects, 1, sizeof *effect);
  if (!effect)
    return NULL;
  effect->kind = kind;
  effect->cause = effects->input;
  if (effects->last)
    effects->last->next = effect;
  else
    effects->first = effect;
  effects->last = effect;
  effects->count++;
  return effect;
}

static const struct bus_envelope *cause_envelope(const struct bus_effects *effects) {
  return effects->input ? effects->input->envelope : NULL;
}

static void add_message(struct bus_effects *effects, enum bus_effect_kind kind, const struct bus_message_type *type,
                        const struct bus_envelope *envelope, const void *body) {
  struct bus_str json;
  if (!effects_may_send(effects, kind, type))
    return;
  if (!bus_encode(type->schema, body, effects->arena, &json)) {
    effects->failed = true;
    return;
  }
  struct bus_effect *effect = append_effect(effects, kind);
  if (!effect)
    return;
  effect->type = type;
  effect->body = json;
  effect->envelope = *envelope;
  effect->envelope.type = bus_str(type->type);
  effect->envelope.app_id = bus_str(effects->service);
  effect->envelope.timestamp = effects->now;
  effect->envelope.first_failed_at = BUS_NO_TIME;
  bus_uuid_v7(effects->ids, effects->now, &effect->envelope.message_id);
}

void bus_emit_caused(struct bus_effects *effects, const struct bus_message_type *type,
                     const struct bus_uuid *correlation_id, const struct bus_cause *kept, const void *body) {
  const struct bus_envelope *cause = cause_envelope(effects);
  bool has_trace = cause && bus_trace_is_set(&cause->trace);
  const struct bus_trace *trace = has_trace ? &cause->trace : &kept->trace;
  struct bus_envelope envelope = {.correlation_id = *correlation_id,
                                  .causation_id = cause ? cause->message_id : kept->message_id};
  if (bus_trace_is_set(trace))
    envelope.trace = *trace;
  add_message(effects, BUS_EFFECT_EMIT, type, &envelope, body);
}

void bus_emit(struct bus_effects *effects, const struct bus_message_type *type, const struct bus_uuid *correlation_id,
              const void *body) {
  static const struct bus_cause none;
  bus_emit_caused(effects, type, correlation_id, &none, body);
}

void bus_answer_to(struct bus_effects *effects, const struct bus_asker *asker, const struct bus_message_type *type,
                   const void *body) {
  if (!asker->reply_to.data || asker->reply_to.len == 0)
    return;
  const struct bus_envelope *cause = cause_envelope(effects);
  struct bus_envelope envelope = {.causation_id = asker->request_id, .reply_to = asker->reply_to};
  if (cause) {
    envelope.correlation_id = cause->correlation_id;
    if (bus_trace_is_set(&cause->trace))
      envelope.trace = cause->trace;
  }
  add_message(effects, BUS_EFFECT_ANSWER, type, &envelope, body);
}

void bus_answer(struct bus_effects *effects, const struct bus_message_type *type, const void *body) {
  const struct bus_envelope *cause = cause_envelope(effects);
  if (!cause)
    return;
  const struct bus_asker asker = {.reply_to = cause->reply_to, .request_id = cause->message_id};
  bus_answer_to(effects, &asker, type, body);
}

void bus_notify(struct bus_effects *effects, const struct bus_message_type *type, const void *body) {
  static const struct bus_envelope plain;
  add_message(effects, BUS_EFFECT_NOTICE, type, &plain, body);
}

void bus_notify_list(struct bus_effects *effects, const struct bus_message_type *type, const void *items,
                     size_t count) {
  const struct bus_field *list = &type->schema->fields[0];
  char *body = count > 0 ? bus_effects_array(effects, 1, type->schema->size) : NULL;
  for (size_t first = 0, part; body && first < count; first += part) {
    const void *at = (const char *)items + first * list->item->size;
    part = count - first < (size_t)list->max ? count - first : (size_t)list->max;
    memcpy(body + list->offset, &at, sizeof at);
    memcpy(body + list->count_offset, &part, sizeof part);
    bus_notify(effects, type, body);
  }
}

void bus_act(struct bus_effects *effects, const void *action) {
  struct bus_effect *effect = append_effect(effects, BUS_EFFECT_ACTION);
  if (effect)
    effect->action = action;
}

BUS_PRINTF(3, 0)
static void set_verdict(struct bus_effects *effects, enum bus_verdict verdict, const char *format, va_list args) {
  effects->verdict = verdict;
  (void)vsnprintf(effects->reason, sizeof effects->reason, format, args); /* a cut reason is still a reason */
}

void bus_retry(struct bus_effects *effects, const char *format, ...) {
  va_list args;
  if (effects->refused)
    return; /* its reason stays */
  va_start(args, format);
  set_verdict(effects, BUS_RETRY, format, args);
  va_end(args);
}

void bus_park(struct bus_effects *effects, const char *format, ...) {
  va_list args;
  if (effects->refused)
    return; /* its reason stays */
  va_start(args, format);
  set_verdict(effects, BUS_PARK, format, args);
  va_end(args);
}
