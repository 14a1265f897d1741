/* The cache of views, of products here: lifetime, changes, reads that were under way, bounds. */
#include "test.h"
#include "view_cache.h"

#include <inventory_messages.h>

#include <stdio.h>

enum { LIFE = 1000, ROOM = 4096 };

static struct view_cache *cache;
static struct bus_arena *arena;
static struct view_ticket ticket;
static struct product_view found;

static void begin(void) {
  arena = bus_arena_new(1 << 16);
  cache = view_cache_new(&product_view_schema, ROOM, LIFE);
  view_cache_open(cache);
}

static void end(void) {
  view_cache_free(cache);
  bus_arena_free(arena);
}

static bool find(const char *id, int64_t now) {
  bus_arena_reset(arena);
  return view_cache_find(cache, bus_str(id), now, arena, &found, &ticket);
}

static void keep(const char *id, int64_t version, int64_t now) {
  const struct product_view product = {.product_id = bus_str(id),
                                       .name = BUS_STR("a name"),
                                       .currency = BUS_STR("EUR"),
                                       .version = version,
                                       .stock_version = 1};
  struct bus_arena *scratch = bus_arena_new(1 << 16);
  view_cache_keep(cache, &ticket, product.product_id, &product, scratch, now);
  bus_arena_free(scratch);
}

TEST(a_product_is_kept_for_its_lifetime)
{
  begin();
  assert_false(find("A", 10));
  keep("A", 3, 10);
  assert_true(find("A", 10 + LIFE - 1));
  assert_int_equal(found.version, 3);
  assert_true(bus_str_is(found.product_id, "A") && bus_str_is(found.name, "a name") &&
              bus_str_is(found.currency, "EUR"));
  assert_false(find("A", 10 + LIFE));
  assert_false(find("B", 10));
  keep("A", 4, 20);
  assert_true(find("A", 20));
  assert_int_equal(found.version, 4);
  end();
}

TEST(a_change_forgets_the_product_and_reads_under_way)
{
  begin();
  assert_false(find("A", 1));
  keep("A", 1, 1);
  view_cache_forget(cache, BUS_STR("A"));
  assert_false(find("A", 1));
  view_cache_forget(cache, BUS_STR("A")); /* while inventory-svc is asked */
  keep("A", 1, 1);
  assert_false(find("A", 1));
  keep("A", 2, 1);
  assert_true(find("A", 1));
  end();
}

TEST(nothing_is_kept_while_changes_are_missed)
{
  begin();
  assert_false(find("A", 1));
  keep("A", 1, 1);
  assert_false(find("B", 1));
  view_cache_close(cache);
  keep("B", 1, 1);
  assert_false(find("A", 1));
  keep("A", 1, 1);
  assert_false(find("A", 1));
  view_cache_open(cache);
  keep("A", 1, 1); /* read before it was open */
  assert_false(find("A", 1));
  keep("A", 1, 1);
  assert_true(find("A", 1));
  end();
}

TEST(many_products_take_no_more_room)
{
  char id[16];
  size_t kept = 0;
  begin();
  for (int i = 0; i < 20000; i++) {
    (void)snprintf(id, sizeof id, "P-%d", i);
    assert_false(find(id, i));
    keep(id, 1, i);
  }
  assert_true(find("P-19999", 20000)); /* the newest of its set */
  for (int i = 0; i < 20000; i++) {
    (void)snprintf(id, sizeof id, "P-%d", i);
    kept += find(id, 999);
  }
  assert_in_range(kept, 1000, 4096);
  end();
}

TEST(without_a_lifetime_or_memory_nothing_is_kept_or_found)
{
  struct bus_arena *tiny = bus_arena_new(1);
  begin();
  assert_false(find("A", 1));
  keep("A", 1, 1);
  assert_false(view_cache_find(cache, BUS_STR("A"), 1, tiny, &found, &ticket));
  view_cache_free(cache);
  cache = view_cache_new(&product_view_schema, ROOM, 0);
  view_cache_open(cache);
  assert_false(find("A", 1));
  keep("A", 1, 1);
  assert_false(find("A", 1));
  bus_arena_free(tiny);
  end();
}
