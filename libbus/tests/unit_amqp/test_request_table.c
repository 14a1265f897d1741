/* Open requests and unconfirmed publications: pure bookkeeping, tried against plain models. */
#include "request_table.h"

#include "test.h"

#include <stdlib.h>

static struct bus_uuid id_of(uint64_t number, bool collide) {
  struct bus_uuid id = {{0}};
  uint64_t tail = collide ? 0 : number * UINT64_C(0x9e3779b97f4a7c15);
  memcpy(id.bytes, &number, 8);
  memcpy(id.bytes + 8, &tail, 8);
  id.bytes[15] |= 1;
  return id;
}

TEST(table_finds_nothing_in_an_empty_one)
{
  struct request_table table = {.entries = NULL};
  struct bus_uuid id = id_of(1, false);
  assert_null(request_table_find(&table, &id));
  request_table_remove(&table, &id);
  request_table_done(&table);
}

static void churn(bool collide) {
  enum { N = 300 };
  static int values[N];
  bool present[N] = {false};
  struct request_table table = {.entries = NULL};
  srandom(7);
  for (int step = 0; step < 20000; step++) {
    int i = (int)(random() % N);
    struct bus_uuid id = id_of((uint64_t)i + 1, collide);
    if (present[i])
      request_table_remove(&table, &id);
    else
      assert_true(request_table_add(&table, &id, &values[i]));
    present[i] = !present[i];
    int other = (int)(random() % N);
    struct bus_uuid other_id = id_of((uint64_t)other + 1, collide);
    assert_ptr_equal(request_table_find(&table, &other_id), present[other] ? &values[other] : NULL);
  }
  size_t count = 0;
  for (int i = 0; i < N; i++) {
    struct bus_uuid id = id_of((uint64_t)i + 1, collide);
    count += present[i];
    assert_ptr_equal(request_table_find(&table, &id), present[i] ? &values[i] : NULL);
  }
  assert_int_equal(table.count, count);
  request_table_done(&table);
}

TEST(table_survives_churn)
{ churn(false); }

TEST(table_survives_churn_where_all_collide)
{ churn(true); }

TEST(table_removal_of_a_stranger_removes_nothing)
{
  struct request_table table = {.entries = NULL};
  struct bus_uuid a = id_of(1, true), b = id_of(2, true);
  int value;
  assert_true(request_table_add(&table, &a, &value));
  request_table_remove(&table, &b);
  assert_ptr_equal(request_table_find(&table, &a), &value);
  assert_int_equal(table.count, 1);
  request_table_done(&table);
}

/* ---- window ---- */

struct visited {
  uint32_t numbers[4096]; /* of the requests, by their generation */
  size_t count;
};

static void visit(void *context, const struct window_entry *entry) {
  struct visited *visited = context;
  visited->numbers[visited->count++] = entry->generation;
}

static void push(struct request_window *window, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    struct window_entry entry = {.generation = (uint32_t)window->next, .bytes = 10};
    assert_true(request_window_push(window, window->next, &entry));
  }
}

static struct request_window new_window(uint32_t count) {
  struct request_window window = {.ring = NULL};
  request_window_reset(&window);
  push(&window, count);
  return window;
}

TEST(window_confirms_one)
{
  struct request_window window = new_window(3);
  static struct visited visited;
  request_window_confirm(&window, 2, false, visit, &visited);
  assert_int_equal(visited.count, 1);
  assert_int_equal(visited.numbers[0], 2);
  assert_int_equal(window.bytes, 20);
  assert_int_equal(window.low, 1);
  request_window_done(&window);
}

TEST(window_confirms_all_up_to_one_and_none_twice)
{
  struct request_window window = new_window(1000);
  static struct visited visited;
  request_window_confirm(&window, 500, false, visit, &visited);
  request_window_confirm(&window, 1000, true, visit, &visited);
  assert_int_equal(visited.count, 1000);
  assert_int_equal(window.bytes, 0);
  assert_int_equal(window.low, 1001);
  request_window_confirm(&window, 1000, true, visit, &visited);
  assert_int_equal(visited.count, 1000);
  request_window_done(&window);
}

TEST(window_ignores_what_was_never_sent)
{
  struct request_window window = new_window(2);
  static struct visited visited;
  request_window_confirm(&window, 3, true, visit, &visited);
  request_window_confirm(&window, 0, true, visit, &visited);
  request_window_confirm(&window, UINT64_MAX, false, visit, &visited);
  assert_int_equal(visited.count, 0);
  request_window_done(&window);
}

TEST(window_moves_on_over_gaps)
{
  struct request_window window = new_window(4);
  static struct visited visited;
  request_window_confirm(&window, 1, false, visit, &visited);
  request_window_confirm(&window, 3, false, visit, &visited);
  assert_int_equal(window.low, 2);
  request_window_confirm(&window, 2, false, visit, &visited);
  assert_int_equal(window.low, 4);
  request_window_done(&window);
}

TEST(window_grows_while_it_is_wrapped)
{
  struct request_window window = new_window(200);
  static struct visited visited;
  request_window_confirm(&window, 150, true, visit, &visited);
  push(&window, 800); /* beyond the first ring, from its middle */
  request_window_confirm(&window, 1000, true, visit, &visited);
  assert_int_equal(visited.count, 1000);
  for (uint32_t i = 0; i < 1000; i++)
    assert_int_equal(visited.numbers[i], i + 1);
  request_window_done(&window);
}

TEST(window_forgets_at_a_reset)
{
  struct request_window window = new_window(5);
  static struct visited visited;
  request_window_reset(&window);
  request_window_confirm(&window, 5, true, visit, &visited);
  assert_int_equal(visited.count, 0);
  assert_int_equal(window.bytes, 0);
  push(&window, 1);
  request_window_confirm(&window, 1, false, visit, &visited);
  assert_int_equal(visited.count, 1);
  request_window_done(&window);
}

/* ---- bundles ---- */

static void note_bundle(void *context, const struct window_entry *entry) {
  struct request_table *bundles = context;
  assert_non_null(entry->bundle);
  request_bundle_free(bundles, entry->bundle);
}

/* One sequence number stands for all members; what is never confirmed goes with its connection. */
TEST(bundle_is_one_publication_of_several_requests)
{
  static int requests[3];
  struct request_table bundles = {.entries = NULL};
  struct request_window window = {.ring = NULL};
  request_window_reset(&window);
  for (uint64_t seq = 1; seq <= 200; seq++) {
    struct bus_uuid id = id_of(seq, false);
    struct request_bundle *bundle = request_bundle_new(&bundles, &id, 3);
    assert_non_null(bundle);
    for (uint32_t i = 0; i < 3; i++)
      bundle->members[i] = (struct request_member){&requests[i], i};
    assert_true(request_window_push(&window, seq, &(struct window_entry){.bundle = bundle, .bytes = 10}));
    assert_ptr_equal(request_table_find(&bundles, &id), bundle);
  }
  assert_int_equal(window.bytes, 2000);
  request_window_confirm(&window, 150, true, note_bundle, &bundles);
  assert_int_equal(window.bytes, 500);
  assert_int_equal(bundles.count, 50);
  struct bus_uuid gone = id_of(150, false), there = id_of(151, false);
  assert_null(request_table_find(&bundles, &gone));
  const struct request_bundle *bundle = request_table_find(&bundles, &there);
  assert_int_equal(bundle->count, 3);
  assert_ptr_equal(bundle->members[2].request, &requests[2]);
  request_bundles_reset(&bundles);
  assert_null(request_table_find(&bundles, &there));
  request_window_done(&window);
}
