/* Deliveries and local inputs until they are batched: two generations alternate, each with its own arena, so that
 * deliveries during a transaction go into one while the other is released. A third keeps what nobody is blamed for
 * while no transaction commits: unacked, so that the prefetch window bounds it. */
#pragma once

#include "entry.h"
#include "suspects.h"

#include <bus/arena.h>

/* Its arena is released when all entries are settled. */
struct generation {
  struct bus_arena *arena;
  struct entry *entries;
  size_t count, room, next; /* room: in bytes; next: first one not yet taken */
};

struct intake {
  struct generation generations[2], deferred;
  struct generation *filling, *draining;
  size_t pushed; /* local inputs that wait */
};

bool intake_init(struct intake *intake) BUS_MUST_CHECK;
void intake_free(struct intake *intake);
/* A zeroed entry that arrives; NULL: out of memory. */
struct entry *intake_append(struct intake *intake) BUS_MUST_CHECK;
/* A copy of the body. False: out of memory, or 10,000 wait. */
bool intake_push(struct intake *intake, enum bus_input_kind kind, const void *body, size_t size) BUS_MUST_CHECK;
/* After a lost connection: deliveries will come again, local inputs stay. */
void intake_forget_deliveries(struct intake *intake);
/* Deadlines that were pushed and not yet taken: they are found again. */
void intake_drop_deadlines(struct intake *intake);
bool intake_waits(const struct intake *intake, const struct bus_uuid *due);
/* Takes up to max entries; 0: none has arrived. Pointers stay valid until the next call. */
size_t intake_take(struct intake *intake, struct suspects *suspects, struct entry **entries, size_t max);
size_t intake_count(const struct intake *intake);
static inline bool intake_is_empty(const struct intake *intake) {
  return intake_count(intake) == 0;
}
/* The arena that holds the entry's text. */
struct bus_arena *intake_arena_of(const struct intake *intake, const struct entry *entry);

/* ---- deferred inputs ---- */
/* Keeps a copy, or keeps one that lies there already. False: out of memory. */
bool intake_defer(struct intake *intake, struct entry *entry) BUS_MUST_CHECK;
/* Up to max entries; pointers stay valid until intake_deferred_done. */
size_t intake_take_deferred(struct intake *intake, struct entry **entries, size_t max);
/* Those that were taken and not kept again are settled; of a connection that is not `epoch`, they come again. False:
 * out of memory for those that stay. */
bool intake_deferred_done(struct intake *intake, uint64_t epoch, struct bus_arena *scratch) BUS_MUST_CHECK;
static inline size_t intake_deferred_count(const struct intake *intake) {
  return intake->deferred.count;
}
/* Does one that is suspected of a crash lie there? */
bool intake_defers_suspect(const struct intake *intake);

bool intake_is_valid(const struct intake *intake) BUS_MUST_CHECK;
