/* Tests which blocks an arena keeps and frees, counted by malloc itself: for builds without a sanitizer. */
#include <bus/arena.h>

#include <malloc.h>

#include "test.h"

/* Bytes that malloc has given out since `before`. */
static size_t held_since(const struct mallinfo2 *before) {
  struct mallinfo2 now = mallinfo2();
  return now.uordblks + now.hblkhd - before->uordblks - before->hblkhd;
}

/* Blocks outlive a reset; two small cycles after a large one give the large one's back. */
TEST(arena_keeps_what_recent_cycles_used_and_no_more)
{
#ifdef __SANITIZE_ADDRESS__
  test_skip("the sanitizer's malloc does not count like that");
#endif
  enum { LARGE = 100 * 1024 };
  struct bus_arena *arena = bus_arena_new(64 << 20);
  struct mallinfo2 before = mallinfo2();
  for (int i = 0; i < 100; i++)
    assert_non_null(bus_arena_alloc(arena, LARGE));
  bus_arena_reset(arena);
  assert_true(held_since(&before) >= 100 * LARGE);
  assert_non_null(bus_arena_alloc(arena, 100));
  bus_arena_reset(arena);
  assert_true(held_since(&before) >= 100 * LARGE);
  assert_non_null(bus_arena_alloc(arena, 100));
  bus_arena_reset(arena);
  assert_true(held_since(&before) < 3 * LARGE);
  bus_arena_free(arena);
}

/* Hundreds of requests wait at once, each with one. */
TEST(arena_for_little_is_little)
{
#ifdef __SANITIZE_ADDRESS__
  test_skip("the sanitizer's malloc does not count like that");
#endif
  enum { LITTLE = 500, ENOUGH = 1500 };
  struct mallinfo2 before = mallinfo2();
  struct bus_arena *arena = bus_arena_new(8 << 20);
  for (int used = 0; used < LITTLE; used += 100)
    assert_non_null(bus_arena_alloc(arena, 100));
  assert_true(held_since(&before) < ENOUGH);
  bus_arena_free(arena);
}
