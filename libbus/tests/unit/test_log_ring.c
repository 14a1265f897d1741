/* The ring of log lines: whole lines in order, a bound that holds, and its start again once it is empty. */
#include "../../src/runtime/log_ring.h"

#include <stdlib.h>

#include "test.h"

static struct log_ring *new_ring(void) {
  struct log_ring *ring = calloc(1, sizeof *ring);
  assert_non_null(ring);
  return ring;
}

static void put(struct log_ring *ring, const char *line) {
  assert_true(log_ring_put(ring, bus_str(line)));
}

static void assert_taken(struct log_ring *ring, size_t room, const char *text, uint64_t lines) {
  char out[64] = "";
  uint64_t count = 0;
  size_t len = log_ring_take(ring, out, room, &count);
  out[len] = '\0';
  assert_string_equal(out, text);
  assert_int_equal(count, lines);
}

TEST(log_ring_gives_whole_lines_in_order)
{
  struct log_ring *ring = new_ring();
  put(ring, "one\n");
  put(ring, "two\n");
  put(ring, "three\n");
  assert_taken(ring, 9, "one\ntwo\n", 2);
  assert_taken(ring, 9, "three\n", 1);
  assert_taken(ring, 9, "", 0);
  free(ring);
}

TEST(log_ring_begins_at_its_start_when_it_is_empty)
{
  struct log_ring *ring = new_ring();
  for (int i = 0; i < 100; i++) {
    put(ring, "line\n");
    assert_int_equal(ring->at, 0);
    assert_taken(ring, 32, "line\n", 1);
  }
  free(ring);
}

TEST(log_ring_refuses_what_does_not_fit)
{
  struct log_ring *ring = new_ring();
  static char line[4094], out[4096];
  uint64_t taken = 0;
  size_t lines = 0;
  memset(line, 'x', sizeof line);
  while (log_ring_put(ring, (struct bus_str){line, sizeof line}))
    lines++;
  assert_int_equal(lines, LOG_RING_BYTES / 4096);
  assert_int_equal(log_ring_take(ring, out, sizeof out, &taken), sizeof line);
  assert_true(log_ring_put(ring, (struct bus_str){line, sizeof line})); /* across the end */
  assert_false(log_ring_put(ring, BUS_STR("")));
  for (size_t i = 0; i < lines; i++)
    assert_int_equal(log_ring_take(ring, out, sizeof out, &taken), sizeof line);
  assert_memory_equal(out, line, sizeof line);
  assert_int_equal(ring->used, 0);
  free(ring);
}

TEST(log_ring_wraps_inside_a_line)
{
  struct log_ring *ring = new_ring();
  char line[1000], out[1000];
  uint64_t taken = 0;
  put(ring, "held\n");
  for (int i = 0; i < 3000; i++) {
    memset(line, 'a' + i % 26, sizeof line);
    assert_true(log_ring_put(ring, (struct bus_str){line, sizeof line}));
    size_t len = log_ring_take(ring, out, sizeof out, &taken);
    if (i == 0)
      assert_int_equal(len, 5);
    else
      assert_true(len == sizeof out && out[0] == 'a' + (i - 1) % 26 && out[999] == out[0]);
  }
  free(ring);
}

TEST(log_ring_refuses_a_line_longer_than_its_prefix_can_say)
{
  struct log_ring *ring = new_ring();
  static char line[65536];
  assert_false(log_ring_put(ring, (struct bus_str){line, sizeof line}));
  assert_true(log_ring_put(ring, (struct bus_str){line, sizeof line - 1}));
  free(ring);
}
