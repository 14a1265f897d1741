/* The two generations of what arrives. */
#include "intake.h"

#include "turn.h"

#include "../core/heap.h"

enum { PUSHED_MAX = 10000 };
#define GENERATION_FIRST (64 * sizeof(struct entry))
/* Prefetch bounds what arrives; this only stops a runaway. */
#define GENERATION_LIMIT ((size_t)1 << 30)

static bool generation_init(struct generation *generation) {
  generation->arena = bus_arena_new(GENERATION_LIMIT);
  return generation->arena != NULL;
}

static void generation_free(struct generation *generation) {
  bus_arena_free(generation->arena);
  free(generation->entries);
}

bool intake_init(struct intake *intake) {
  intake->filling = &intake->generations[0];
  intake->draining = &intake->generations[1];
  return generation_init(intake->filling) && generation_init(intake->draining) && generation_init(&intake->deferred);
}

void intake_free(struct intake *intake) {
  generation_free(&intake->generations[0]);
  generation_free(&intake->generations[1]);
  generation_free(&intake->deferred);
}

static struct entry *append(struct generation *generation) {
  size_t needed = (generation->count + 1) * sizeof(struct entry);
  struct entry *entries = heap_grow(generation->entries, needed, GENERATION_FIRST, &generation->room);
  if (!entries)
    return NULL;
  generation->entries = entries;
  struct entry *entry = &entries[generation->count++];
  memset(entry, 0, sizeof *entry);
  return entry;
}

struct entry *intake_append(struct intake *intake) {
  return append(intake->filling);
}

bool intake_push(struct intake *intake, enum bus_input_kind kind, const void *body, size_t size) {
  assert(kind != BUS_INPUT_DELIVERY);
  if (intake->pushed >= PUSHED_MAX)
    return false;
  void *copy = bus_arena_alloc(intake->filling->arena, size);
  struct entry *entry = copy ? append(intake->filling) : NULL;
  if (!entry)
    return false;
  if (size > 0)
    memcpy(copy, body, size);
  entry->input.kind = kind;
  entry->input.body = copy;
  entry->body_size = size;
  intake->pushed++;
  return true;
}

/* Drops such entries that are not taken yet. Returns how many were dropped. */
static size_t drop_kind(struct generation *generation, enum bus_input_kind kind) {
  size_t kept = generation->next, count = generation->count;
  for (size_t i = generation->next; i < count; i++)
    if (generation->entries[i].input.kind != kind)
      generation->entries[kept++] = generation->entries[i];
  generation->count = kept;
  return count - kept;
}

void intake_forget_deliveries(struct intake *intake) {
  if (BUS_BUG("old-tags-acked", "tags of an older connection are acked on the new one"))
    return;
  (void)drop_kind(intake->filling, BUS_INPUT_DELIVERY);
  (void)drop_kind(intake->draining, BUS_INPUT_DELIVERY);
  (void)drop_kind(&intake->deferred, BUS_INPUT_DELIVERY);
  if (intake->filling->count == 0)
    bus_arena_reset(intake->filling->arena);
}

void intake_drop_deadlines(struct intake *intake) {
  intake->pushed -= drop_kind(intake->filling, BUS_INPUT_DEADLINE);
  intake->pushed -= drop_kind(intake->draining, BUS_INPUT_DEADLINE);
}

static bool waits_in(const struct generation *generation, const struct bus_uuid *due) {
  for (size_t i = generation->next; i < generation->count; i++)
    if (generation->entries[i].input.kind == BUS_INPUT_DEADLINE &&
        bus_uuid_equal(generation->entries[i].input.body, due))
      return true;
  return false;
}

bool intake_waits(const struct intake *intake, const struct bus_uuid *due) {
  return waits_in(intake->draining, due) || waits_in(intake->filling, due);
}

size_t intake_count(const struct intake *intake) {
  return intake->draining->count - intake->draining->next + intake->filling->count;
}

/* Memory that a burst took is given back over the cycles that follow. */
static void start_again(struct generation *generation) {
  size_t needed = generation->count * sizeof *generation->entries;
  bus_arena_reset(generation->arena);
  generation->entries = heap_shrink(generation->entries, needed, GENERATION_FIRST, &generation->room);
  generation->count = generation->next = 0;
}

static void swap(struct intake *intake) {
  struct generation *empty = intake->draining;
  start_again(empty);
  intake->draining = intake->filling;
  intake->filling = empty;
}

size_t intake_take(struct intake *intake, struct suspects *suspects, struct entry **entries, size_t max) {
  if (intake->draining->next == intake->draining->count && intake->filling->count > 0)
    swap(intake);
  if (intake->deferred.count == 0)
    start_again(&intake->deferred); /* not earlier: the last batch's answers may have pointed into it */
  struct generation *from = intake->draining;
  size_t count = 0;
  for (bool alone = false; !alone && count < max && from->next < from->count; from->next++) {
    struct entry *entry = &from->entries[from->next];
    alone = suspects_must_be_alone(suspects, entry);
    if (alone && count > 0)
      break;
    if (!entry_is_delivery(entry))
      intake->pushed--;
    entries[count++] = entry;
  }
  return count;
}

struct bus_arena *intake_arena_of(const struct intake *intake, const struct entry *entry) {
  return entry->deferred ? intake->deferred.arena : intake->draining->arena;
}

/* ---- deferred inputs ---- */

static bool copy_delivery(struct bus_arena *arena, struct entry *entry) {
  bool has_body = entry->raw.data != NULL;
  if (has_body)
    entry->raw = bus_arena_copy(arena, entry->raw);
  entry->decoded = false; /* what was decoded lies in the other arena */
  entry->input.body = NULL;
  return bus_envelope_move(&entry->envelope, arena) && (!has_body || entry->raw.data);
}

static bool copy_local(struct bus_arena *arena, struct entry *entry) {
  void *copy = bus_arena_alloc(arena, entry->body_size);
  if (copy && entry->body_size > 0)
    memcpy(copy, entry->input.body, entry->body_size);
  entry->input.body = copy;
  return copy != NULL;
}

bool intake_defer(struct intake *intake, struct entry *entry) {
  struct generation *deferred = &intake->deferred;
  if (entry->deferred) {
    entry->kept = true;
    return true;
  }
  struct entry copy = *entry;
  copy.deferred = copy.kept = true;
  if (!(entry_is_delivery(entry) ? copy_delivery(deferred->arena, &copy) : copy_local(deferred->arena, &copy)))
    return false;
  struct entry *slot = append(deferred);
  if (!slot)
    return false;
  *slot = copy;
  return true;
}

size_t intake_take_deferred(struct intake *intake, struct entry **entries, size_t max) {
  struct generation *deferred = &intake->deferred;
  size_t count = 0;
  for (bool alone = false; !alone && count < max && deferred->next < deferred->count; deferred->next++) {
    struct entry *entry = &deferred->entries[deferred->next];
    alone = entry->alone;
    if (alone && count > 0)
      break;
    entry->kept = false;
    if (entry_is_delivery(entry))
      entry->input.envelope = &entry->envelope; /* it was decoded where it lay before, perhaps */
    entries[count++] = entry;
  }
  return count;
}

static bool stays(const struct entry *entry, uint64_t epoch) {
  return entry->kept && (!entry_is_delivery(entry) || entry->epoch == epoch);
}

/* Puts inputs that are kept behind the others, so that each gets its turn. */
bool intake_deferred_done(struct intake *intake, uint64_t epoch, struct bus_arena *scratch) {
  struct generation *deferred = &intake->deferred;
  size_t taken = deferred->next, rest = deferred->count - taken, kept = 0;
  struct entry *again = taken ? bus_arena_array(scratch, taken, sizeof *again) : NULL;
  for (size_t i = 0; i < taken && again; i++)
    if (stays(&deferred->entries[i], epoch))
      again[kept++] = deferred->entries[i];
  if (taken > 0)
    memmove(deferred->entries, deferred->entries + taken, rest * sizeof *again);
  if (kept > 0)
    memcpy(deferred->entries + rest, again, kept * sizeof *again);
  deferred->count = rest + kept;
  deferred->next = 0;
  return taken == 0 || again != NULL;
}

bool intake_defers_suspect(const struct intake *intake) {
  for (size_t i = 0; i < intake->deferred.count; i++)
    if (intake->deferred.entries[i].alone)
      return true;
  return false;
}

static bool generation_is_valid(const struct generation *generation) {
  return generation->arena && generation->next <= generation->count &&
         generation->count * sizeof(struct entry) <= generation->room;
}

bool intake_is_valid(const struct intake *intake) {
  return intake->filling != intake->draining && generation_is_valid(intake->filling) && intake->filling->next == 0 &&
         generation_is_valid(intake->draining) && generation_is_valid(&intake->deferred) &&
         intake->pushed <= intake_count(intake);
}
