/* Bump allocation for the memory of one batch or one request; freed at once. Not thread-safe. */
#pragma once

#include <bus/base.h>

BUS_C_BEGIN

struct bus_arena;

/* limit: bytes that it may hold in all. NULL when out of memory. */
struct bus_arena *bus_arena_new(size_t limit);
/* Frees everything that was allocated in it. Accepts NULL. */
void bus_arena_free(struct bus_arena *arena);

/* Zeroed, aligned for any type. NULL when out of memory or over the limit. Blocks are kept over a reset, so that the
 * steady state allocates nothing; blocks beyond what a reset's predecessors used are given back. Under ASan what was
 * reset is poisoned. */
void *bus_arena_alloc(struct bus_arena *arena, size_t size) BUS_MUST_CHECK;
/* The same for `count` elements of that size; NULL also where the product overflows. */
void *bus_arena_array(struct bus_arena *arena, size_t count, size_t size) BUS_MUST_CHECK;
/* A NUL-terminated copy; `data` is NULL when out of memory. */
struct bus_str bus_arena_copy(struct bus_arena *arena, struct bus_str text) BUS_MUST_CHECK;
/* printf into the arena; `data` is NULL when out of memory. */
struct bus_str bus_arena_printf(struct bus_arena *arena, const char *format, ...) BUS_PRINTF(2, 3) BUS_MUST_CHECK;

/* A growing array: room for `needed` bytes where `used` bytes lie in *room. Doubles the room, from `first` on, if it is
 * too small, and copies them. NULL when out of memory: the array stays as it is. */
void *bus_arena_grow(struct bus_arena *arena, void *memory, size_t used, size_t needed, size_t first,
                     size_t *room) BUS_MUST_CHECK;

/* Frees everything that was allocated, and keeps the arena for further use. */
void bus_arena_reset(struct bus_arena *arena);
/* Bytes that are allocated since the last reset. */
size_t bus_arena_used(const struct bus_arena *arena);

BUS_C_END
