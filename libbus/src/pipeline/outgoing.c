/* Effects of one attempt become messages and actions. */
#include "outgoing.h"

/* The effects that may travel in bundles, as items. */
struct joined {
  struct bus_bundle_item *items;
  struct bus_effect **effects; /* of each item */
  size_t count;
  struct bus_bundle_groups groups;
};

static bool may_be_joined(const struct bus_effect *effect) {
  return effect->kind == BUS_EFFECT_EMIT || effect->kind == BUS_EFFECT_ANSWER;
}

static struct outgoing single(struct bus_effect *effect) {
  bool acts = effect->kind == BUS_EFFECT_ACTION;
  assert(acts == (effect->type == NULL));
  return (struct outgoing){.kind = effect->kind,
                           .type = acts ? NULL : effect->type,
                           .envelope = acts ? NULL : &effect->envelope,
                           .body = effect->body,
                           .action = effect->action};
}

/* Answers go to no shard. */
static size_t shard_of(const struct turn *turn, const struct bus_effect *effect) {
  return effect->kind == BUS_EFFECT_EMIT
             ? bus_shard_of(&effect->envelope.correlation_id, bus_topology_shards(turn->setup->topology))
             : 0;
}

static bool collect(struct joined *joined, const struct turn *turn, const struct bus_effects *effects) {
  struct bus_arena *arena = effects->arena;
  joined->items = bus_arena_array(arena, effects->count + 1, sizeof *joined->items);
  joined->effects = bus_arena_array(arena, effects->count + 1, sizeof(struct bus_effect *));
  if (!joined->items || !joined->effects)
    return false;
  for (struct bus_effect *effect = effects->first; effect; effect = effect->next) {
    if (!may_be_joined(effect))
      continue;
    joined->items[joined->count] =
        (struct bus_bundle_item){effect->type, &effect->envelope, effect->body, shard_of(turn, effect)};
    joined->effects[joined->count++] = effect;
  }
  return true;
}

/* Its composition never changes: the outbox keeps the bundle as it is. */
static bool join(const struct turn *turn, const struct bus_effects *effects, const struct joined *joined, size_t group,
                 struct outgoing *ret) {
  size_t first = joined->groups.first[group], count = joined->groups.first[group + 1] - first;
  const size_t *order = joined->groups.order + first;
  assert(group < joined->groups.count && count > 0);
  struct bus_arena *arena = effects->arena;
  struct bus_uuid id;
  *ret = single(joined->effects[order[0]]);
  if (count == 1)
    return true;
  struct bus_bundle_item *items = bus_arena_array(arena, count, sizeof *items);
  struct bus_envelope *envelope = bus_arena_alloc(arena, sizeof *envelope);
  if (!items || !envelope)
    return false;
  for (size_t i = 0; i < count; i++)
    items[i] = joined->items[order[i]];
  if (BUS_BUG("bundle-element-id-reused", "the messages of a bundle share the first one's id"))
    joined->effects[order[1]]->envelope.message_id = joined->effects[order[0]]->envelope.message_id;
  bus_uuid_v7(effects->ids, effects->now, &id);
  bus_bundle_envelope(items, count, &id, envelope);
  ret->envelope = envelope;
  return bus_bundle_encode(turn->setup->service->name, items, count, arena, &ret->body);
}

/* Groups are in the order of their first message: each stands where that one stood. */
static bool place(struct outgoings *outgoings, const struct turn *turn, const struct bus_effects *effects,
                  const struct joined *joined) {
  size_t group = 0;
  for (struct bus_effect *effect = effects->first; effect; effect = effect->next) {
    if (!may_be_joined(effect)) {
      outgoings->items[outgoings->count++] = single(effect);
      continue;
    }
    bool begins =
        group < joined->groups.count && joined->effects[joined->groups.order[joined->groups.first[group]]] == effect;
    if (begins && !join(turn, effects, joined, group++, &outgoings->items[outgoings->count++]))
      return false;
  }
  assert(group == joined->groups.count);
  return true;
}

/* A planted bug's. */
static void reverse(struct outgoings *outgoings) {
  for (size_t i = 0; i < outgoings->count / 2; i++) {
    struct outgoing *other = &outgoings->items[outgoings->count - 1 - i], kept = outgoings->items[i];
    outgoings->items[i] = *other;
    *other = kept;
  }
}

bool outgoings_plan(struct outgoings *outgoings, const struct turn *turn, const struct bus_effects *effects,
                    size_t most) {
  struct joined joined = {.count = 0};
  assert(most >= 1 && most <= BUS_BUNDLE_MAX);
  *outgoings =
      (struct outgoings){.items = bus_arena_array(effects->arena, effects->count + 1, sizeof(struct outgoing))};
  if (!outgoings->items)
    return false;
  if (!collect(&joined, turn, effects) ||
      !bus_bundle_group(joined.items, joined.count, most, effects->arena, &joined.groups) ||
      !place(outgoings, turn, effects, &joined))
    return false;
  if (BUS_BUG("bundle-order-reversed", "what one transaction sends is published in the reverse order"))
    reverse(outgoings);
  return true;
}
