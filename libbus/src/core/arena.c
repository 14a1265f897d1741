/* Chunked bump allocation: blocks in a list, the current one filling up, unused ones behind it. */
#include <bus/arena.h>

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum { ALIGNMENT = alignof(max_align_t), FIRST_BLOCK = 1024, LARGEST_STEP = 1024 * 1024 };

struct block {
  struct block *next;
  size_t size, used;
  alignas(max_align_t) unsigned char data[];
};

struct bus_arena {
  struct block *first, *current; /* behind `current` lie only blocks that this cycle has not touched */
  size_t limit, held, used;
  size_t previous_blocks; /* how many the cycle before this one touched */
};

struct bus_arena *bus_arena_new(size_t limit) {
  struct bus_arena *arena = calloc(1, sizeof *arena);
  if (arena)
    arena->limit = limit;
  return arena;
}

static void free_blocks(struct bus_arena *arena, struct block **link) {
  while (*link) {
    struct block *block = *link;
    *link = block->next;
    arena->held -= block->size;
    ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
    free(block);
  }
}

void bus_arena_free(struct bus_arena *arena) {
  if (arena == NULL)
    return;
  free_blocks(arena, &arena->first);
  free(arena);
}

/* The first block that this cycle has not touched. */
static struct block **untouched(struct bus_arena *arena) {
  return arena->current ? &arena->current->next : &arena->first;
}

/* Puts an untouched block right behind the current one and makes it current. */
static struct block *make_current(struct bus_arena *arena, struct block *block) {
  struct block **link = untouched(arena);
  block->next = *link;
  *link = block;
  arena->current = block;
  return block;
}

static struct block *take_kept(struct bus_arena *arena, size_t size) {
  for (struct block **link = untouched(arena); *link; link = &(*link)->next) {
    struct block *block = *link;
    if (block->size < size)
      continue;
    *link = block->next;
    return make_current(arena, block);
  }
  return NULL;
}

/* Doubles what is held, within the limit. */
static size_t next_block_size(const struct bus_arena *arena, size_t size) {
  size_t wanted = arena->held < FIRST_BLOCK ? FIRST_BLOCK : arena->held;
  if (wanted > LARGEST_STEP)
    wanted = LARGEST_STEP;
  if (wanted < size)
    wanted = size;
  size_t room = arena->limit - arena->held;
  return wanted < room ? wanted : room;
}

static struct block *take_new(struct bus_arena *arena, size_t size) {
  if (size > arena->limit)
    return NULL;
  if (size > arena->limit - arena->held) /* kept blocks are too small: they make room */
    free_blocks(arena, untouched(arena));
  if (size > arena->limit - arena->held)
    return NULL;
  size_t capacity = next_block_size(arena, size);
  struct block *block = malloc(sizeof *block + capacity);
  if (block == NULL)
    return NULL;
  *block = (struct block){.size = capacity};
  arena->held += capacity;
  ASAN_POISON_MEMORY_REGION(block->data, capacity);
  return make_current(arena, block);
}

/* Not zeroed. */
static void *take(struct bus_arena *arena, size_t size) {
  if (size > SIZE_MAX - sizeof(struct block) - ALIGNMENT)
    return NULL;
  size_t step = size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  struct block *block = arena->current;
  if (block == NULL || block->size - block->used < step)
    block = take_kept(arena, step);
  if (block == NULL)
    block = take_new(arena, step);
  if (block == NULL)
    return NULL;
  void *memory = block->data + block->used;
  block->used += step;
  arena->used += step;
  ASAN_UNPOISON_MEMORY_REGION(memory, size);
  return memory;
}

void *bus_arena_alloc(struct bus_arena *arena, size_t size) {
  void *memory = take(arena, size);
  return memory ? memset(memory, 0, size) : NULL;
}

void *bus_arena_array(struct bus_arena *arena, size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total))
    return NULL;
  return bus_arena_alloc(arena, total);
}

struct bus_str bus_arena_copy(struct bus_arena *arena, struct bus_str text) {
  if (text.len == SIZE_MAX)
    return BUS_NO_STR;
  char *copy = take(arena, text.len + 1);
  if (copy == NULL)
    return BUS_NO_STR;
  if (text.len > 0)
    memcpy(copy, text.data, text.len);
  copy[text.len] = '\0';
  return (struct bus_str){copy, text.len};
}

struct bus_str bus_arena_printf(struct bus_arena *arena, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int len = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *text = len < 0 ? NULL : take(arena, (size_t)len + 1);
  if (text == NULL)
    return BUS_NO_STR;
  va_start(args, format);
  vsnprintf(text, (size_t)len + 1, format, args);
  va_end(args);
  return (struct bus_str){text, (size_t)len};
}

void *bus_arena_grow(struct bus_arena *arena, void *memory, size_t used, size_t needed, size_t first, size_t *room) {
  if (needed <= *room)
    return memory;
  size_t size = *room > 0 ? *room : first;
  while (size < needed)
    size *= 2;
  void *larger = bus_arena_alloc(arena, size);
  if (larger == NULL)
    return NULL;
  if (used > 0)
    memcpy(larger, memory, used);
  *room = size;
  return larger;
}

void bus_arena_reset(struct bus_arena *arena) {
  size_t touched = 0;
  if (arena->current) {
    for (struct block *block = arena->first; block != arena->current->next; block = block->next)
      touched++;
  }
  size_t keep = touched > arena->previous_blocks ? touched : arena->previous_blocks;
  struct block **link = &arena->first;
  for (size_t i = 0; *link && i < keep; link = &(*link)->next, i++) {
    (*link)->used = 0;
    ASAN_POISON_MEMORY_REGION((*link)->data, (*link)->size);
  }
  free_blocks(arena, link);
  arena->previous_blocks = touched;
  arena->current = NULL;
  arena->used = 0;
}

size_t bus_arena_used(const struct bus_arena *arena) {
  return arena->used;
}
