/* Decides which messages travel together. */
#include <bus/bundle.h>
#include <bus/hash.h>

#include <assert.h>

#define NONE SIZE_MAX

/* Finds the first item that is like another one: a hash table with linear probing, at most half full. */
struct likes {
  const struct bus_bundle_item *items;
  bool (*are_alike)(const struct bus_bundle_item *a, const struct bus_bundle_item *b);
  size_t *slots; /* index of an item + 1; 0: free */
  size_t room;   /* a power of two */
};

struct load {
  size_t count, bytes;
};

struct grouping {
  struct likes kinds, ids;
  size_t most;
  size_t *open; /* by the first item of a kind: the group that takes more of them, or NONE */
  size_t *last; /* by the first item with a correlation_id: the last group that it stands in, or NONE */
  size_t *group_of;
  struct load *loads;
  size_t groups;
};

static bool is_same_kind(const struct bus_bundle_item *a, const struct bus_bundle_item *b) {
  return a->type == b->type && a->shard == b->shard && bus_str_equal(a->envelope->reply_to, b->envelope->reply_to);
}

static bool is_same_id(const struct bus_bundle_item *a, const struct bus_bundle_item *b) {
  return bus_uuid_equal(&a->envelope->correlation_id, &b->envelope->correlation_id);
}

static size_t first_like(struct likes *likes, size_t index, uint64_t hash) {
  size_t slot = (size_t)(hash ^ hash >> 32) & (likes->room - 1);
  while (likes->slots[slot] != 0) {
    size_t other = likes->slots[slot] - 1;
    if (likes->are_alike(&likes->items[other], &likes->items[index]))
      return other;
    slot = (slot + 1) & (likes->room - 1);
  }
  likes->slots[slot] = index + 1;
  return index;
}

static uint64_t hash_of_kind(const struct bus_bundle_item *item) {
  struct bus_str reply_to = item->envelope->reply_to;
  return (bus_hash64(&item->type, sizeof item->type) + item->shard) ^
         bus_hash64(reply_to.len > 0 ? reply_to.data : "", reply_to.len);
}

bool bus_bundle_takes(const struct bus_bundle_item *item) {
  return bus_message_bundles(item->type) && bus_bundle_item_bound(item) <= BUS_BUNDLE_ITEM_BYTES;
}

static bool has_room(const struct grouping *g, size_t group, size_t bytes) {
  return g->loads[group].count < g->most && g->loads[group].bytes + bytes <= BUS_BUNDLE_BYTES;
}

static void add(struct grouping *g, size_t index) {
  const struct bus_bundle_item *item = &g->kinds.items[index];
  size_t bytes = bus_bundle_item_bound(item), none = NONE;
  size_t *open = &g->open[first_like(&g->kinds, index, hash_of_kind(item))], *last = &none;
  if (!bus_uuid_is_nil(&item->envelope->correlation_id))
    last = &g->last[first_like(&g->ids, index, bus_hash64(item->envelope->correlation_id.bytes, 16))];
  bool takes = bus_bundle_takes(item), in_order = *last == NONE || (*open != NONE && *last <= *open);
  if (!takes || *open == NONE || !in_order || !has_room(g, *open, bytes)) {
    *open = g->groups++;
    g->loads[*open] = (struct load){0, BUS_BUNDLE_BRACKETS};
  }
  g->group_of[index] = *last = *open;
  g->loads[*open].count++;
  g->loads[*open].bytes += bytes;
  if (!takes) /* the next of its kind must not overtake it */
    *open = NONE;
}

static size_t *array_of(struct bus_arena *arena, size_t count, size_t value) {
  size_t *array = bus_arena_array(arena, count, sizeof *array);
  for (size_t i = 0; array && value != 0 && i < count; i++)
    array[i] = value;
  return array;
}

static bool init(struct grouping *g, const struct bus_bundle_item *items, size_t count, struct bus_arena *arena) {
  size_t room = 2;
  while (room < 2 * count)
    room *= 2;
  g->kinds = (struct likes){items, is_same_kind, array_of(arena, room, 0), room};
  g->ids = (struct likes){items, is_same_id, array_of(arena, room, 0), room};
  g->open = array_of(arena, count, NONE);
  g->last = array_of(arena, count, NONE);
  g->group_of = array_of(arena, count, 0);
  g->loads = bus_arena_array(arena, count, sizeof *g->loads);
  return g->kinds.slots && g->ids.slots && g->open && g->last && g->group_of && g->loads;
}

bool bus_bundle_group(const struct bus_bundle_item *items, size_t count, size_t most, struct bus_arena *arena,
                      struct bus_bundle_groups *ret) {
  struct grouping g = {.most = most};
  size_t *order = array_of(arena, count, 0), *first = array_of(arena, count + 1, 0);
  assert(most >= 1 && most <= BUS_BUNDLE_MAX);
  if (!order || !first || !init(&g, items, count, arena))
    return false;
  for (size_t i = 0; i < count; i++)
    add(&g, i);
  for (size_t group = 0; group < g.groups; group++)
    first[group + 1] = first[group] + g.loads[group].count;
  for (size_t i = 0; i < count;
       i++) /* first[group] is where its next message goes, and ends where the next group begins */
    order[first[g.group_of[i]]++] = i;
  for (size_t group = g.groups; group > 0; group--)
    first[group] = first[group - 1];
  first[0] = 0;
  *ret = (struct bus_bundle_groups){g.groups, order, first};
  return true;
}
