/* Growing arrays on the heap. Private to libbus. */
#pragma once

#include <bus/base.h>

#include <stdlib.h>

/* Room for `needed` bytes; *room is how many there are, and doubles, from `first` on, until they are enough. NULL when
 * out of memory: the array stays as it is. */
static inline void *heap_grow(void *memory, size_t needed, size_t first, size_t *room) {
  size_t size = *room > 0 ? *room : first;
  if (needed <= *room)
    return memory;
  while (size < needed)
    size *= 2;
  void *larger = realloc(memory, size);
  if (larger)
    *room = size;
  return larger;
}

/* Halves an array's room, though not below `first`, where a quarter of it was enough; what is needed is kept. */
static inline void *heap_shrink(void *memory, size_t needed, size_t first, size_t *room) {
  size_t size = *room / 2;
  void *smaller = size >= first && needed <= size / 2 ? realloc(memory, size) : NULL;
  if (!smaller)
    return memory;
  *room = size;
  return smaller;
}
