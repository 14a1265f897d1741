/* bus/arena.h: limits, zeroed and aligned memory, blocks kept over a reset. */
#include <bus/arena.h>

#include <stdalign.h>

#include "test.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

TEST(arena_memory_is_zeroed_and_aligned)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  for (int round = 0; round < 3; round++) {
    for (size_t size = 1; size < 300; size += 7) {
      unsigned char *memory = bus_arena_alloc(arena, size);
      assert_non_null(memory);
      assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
      for (size_t i = 0; i < size; i++)
        assert_int_equal(memory[i], 0);
      memset(memory, 0xAB, size);
    }
    bus_arena_reset(arena);
  }
  bus_arena_free(arena);
}

TEST(arena_allocations_do_not_overlap)
{
  struct bus_arena *arena = bus_arena_new(1 << 20);
  unsigned char *blocks[200];
  for (size_t i = 0; i < 200; i++) {
    blocks[i] = bus_arena_alloc(arena, i * 5 + 1);
    assert_non_null(blocks[i]);
    memset(blocks[i], (int)i, i * 5 + 1);
  }
  for (size_t i = 0; i < 200; i++)
    for (size_t j = 0; j < i * 5 + 1; j++)
      assert_int_equal(blocks[i][j], (unsigned char)i);
  bus_arena_free(arena);
}

TEST(arena_limit_holds)
{
  struct bus_arena *arena = bus_arena_new(4096);
  assert_null(bus_arena_alloc(arena, 4097));
  size_t got = 0;
  while (got < 1000 && bus_arena_alloc(arena, 64))
    got++;
  assert_int_equal(got, 64);
  assert_int_equal(bus_arena_used(arena), 4096);
  assert_null(bus_arena_alloc(arena, 1));
  bus_arena_reset(arena);
  assert_int_equal(bus_arena_used(arena), 0);
  assert_non_null(bus_arena_alloc(arena, 4096));
  bus_arena_free(arena);
}

TEST(arena_limit_zero_gives_nothing)
{
  struct bus_arena *arena = bus_arena_new(0);
  assert_null(bus_arena_alloc(arena, 1));
  assert_null(bus_arena_alloc(arena, 0));
  bus_arena_free(arena);
}

TEST(arena_small_kept_blocks_make_room_for_a_large_one)
{
  struct bus_arena *arena = bus_arena_new(64 * 1024);
  while (bus_arena_alloc(arena, 1000))
    continue;
  bus_arena_reset(arena);
  assert_non_null(bus_arena_alloc(arena, 64 * 1024));
  bus_arena_free(arena);
}

TEST(arena_empty_allocation_is_not_null)
{
  struct bus_arena *arena = bus_arena_new(4096);
  void *a = bus_arena_alloc(arena, 0), *b = bus_arena_alloc(arena, 0);
  assert_non_null(a);
  assert_ptr_not_equal(a, b);
  bus_arena_free(arena);
}

TEST(arena_absurd_sizes_are_refused)
{
  struct bus_arena *arena = bus_arena_new(SIZE_MAX);
  size_t half = SIZE_MAX / 2; /* behind a variable: the compiler would warn */
  assert_null(bus_arena_alloc(arena, half * 2));
  assert_null(bus_arena_array(arena, half, 4));
  assert_null(bus_arena_array(arena, half, 2));
  assert_non_null(bus_arena_array(arena, 10, 24));
  bus_arena_free(arena);
}

TEST(arena_copy_ends_with_nul)
{
  struct bus_arena *arena = bus_arena_new(4096);
  char text[] = {'a', 'b', 'c'};
  struct bus_str copy = bus_arena_copy(arena, (struct bus_str){text, 3});
  text[0] = 'x';
  assert_string_equal(copy.data, "abc");
  assert_int_equal(copy.len, 3);
  struct bus_str empty = bus_arena_copy(arena, BUS_STR(""));
  assert_non_null(empty.data);
  assert_int_equal(empty.len, 0);
  bus_arena_free(arena);
}

TEST(arena_copy_in_used_memory_ends_with_nul)
{
  struct bus_arena *arena = bus_arena_new(4096);
  for (size_t size = 1; size < 40; size++) {
    memset(bus_arena_alloc(arena, 100), 'x', 100);
    bus_arena_reset(arena);
    struct bus_str copy = bus_arena_copy(arena, (struct bus_str){"0123456789012345678901234567890123456789", size});
    assert_int_equal(strlen(copy.data), size);
    assert_string_equal(bus_arena_printf(arena, "%s", "ab").data, "ab");
  }
  bus_arena_free(arena);
}

TEST(arena_copy_and_printf_say_when_out_of_memory)
{
  struct bus_arena *arena = bus_arena_new(16);
  assert_null(bus_arena_copy(arena, BUS_STR("0123456789abcdef")).data);
  assert_null(bus_arena_printf(arena, "%s", "0123456789abcdef").data);
  assert_non_null(bus_arena_copy(arena, BUS_STR("0123456789abcde")).data);
  bus_arena_free(arena);
}

TEST(arena_printf_formats)
{
  struct bus_arena *arena = bus_arena_new(4096);
  struct bus_str text = bus_arena_printf(arena, "%s-%04d", "a", 7);
  assert_string_equal(text.data, "a-0007");
  assert_int_equal(text.len, 6);
  bus_arena_free(arena);
}

TEST(arena_free_takes_null)
{ bus_arena_free(NULL); }

/* The same work in each cycle gets the same memory, so no malloc stands behind it. */
TEST(arena_steady_state_uses_the_same_memory)
{
  enum { ALLOCATIONS = 40 };
  struct bus_arena *arena = bus_arena_new(1 << 20);
  void *first[ALLOCATIONS];
  for (int round = 0; round < 5; round++) {
    for (size_t i = 0; i < ALLOCATIONS; i++) {
      void *memory = bus_arena_alloc(arena, 1 + i * 113);
      assert_non_null(memory);
      if (round > 0)
        assert_ptr_equal(memory, first[i]);
      first[i] = memory;
    }
    bus_arena_reset(arena);
  }
  bus_arena_free(arena);
}

#ifdef __SANITIZE_ADDRESS__
TEST(arena_poisons_what_was_not_given_or_was_taken_back)
{
  struct bus_arena *arena = bus_arena_new(4096);
  char *memory = bus_arena_alloc(arena, 20);
  assert_false(__asan_address_is_poisoned(memory + 19));
  assert_true(__asan_address_is_poisoned(memory + 20));
  bus_arena_reset(arena);
  assert_true(__asan_address_is_poisoned(memory));
  assert_ptr_equal(bus_arena_alloc(arena, 8), memory);
  assert_false(__asan_address_is_poisoned(memory + 7));
  assert_true(__asan_address_is_poisoned(memory + 8));
  bus_arena_free(arena);
}
#endif
