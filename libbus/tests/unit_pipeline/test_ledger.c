/* ledger.c: confirmed ids are kept until their deletion is committed, in order and bounded. */
#include "ledger.h"

#include "own.h"

#include <test.h>

static struct bus_uuid numbered(size_t n) {
  struct bus_uuid id = {{0}};
  n++; /* no nil */
  memcpy(id.bytes, &n, sizeof n);
  return id;
}

static void confirm(struct ledger *ledger, size_t from, size_t count) {
  for (size_t i = from; i < from + count; i++) {
    struct bus_uuid id = numbered(i);
    ledger_confirmed(ledger, &id);
  }
}

TEST(confirmed_ids_are_forgotten_from_the_front)
{
  struct ledger ledger = {.again_at = 0};
  confirm(&ledger, 0, 990);
  ledger.confirmed_in_trip = 990;
  confirm(&ledger, 990, 10); /* while the trip is under way */
  ledger_committed(&ledger, 5);
  assert_int_equal(ledger.confirmed.count, 10);
  for (size_t i = 0; i < 10; i++) {
    struct bus_uuid id = numbered(990 + i);
    assert_true(bus_uuid_equal(&ledger.confirmed.ids[i], &id));
  }
  assert_true(ledger_is_valid(&ledger));
  ledger_free(&ledger);
}

TEST(confirmed_ids_are_bounded)
{
  struct ledger ledger = {.again_at = 0};
  confirm(&ledger, 0, 70000);
  assert_int_equal(ledger.confirmed.count, 65536);
  ledger.confirmed_in_trip = 1;
  ledger_committed(&ledger, 5);
  confirm(&ledger, 7, 1);
  assert_int_equal(ledger.confirmed.count, 65536);
  ledger_free(&ledger);
}

/* A statement of its own for a few rows is not worth it: they wait for others, or for a while. */
TEST(enough_confirmed_ids_are_deleted_at_once)
{
  enum { ENOUGH = 100 };
  const struct bus_registry registries[BUS_REGISTRIES] = {
      [BUS_REGISTRY_OWN] = {bus_own_statements, BUS_OWN_STATEMENTS}};
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct ledger ledger = {.deleted_at = BUS_SECOND};
  struct bus_sql *sql = bus_sql_new(arena, registries);
  confirm(&ledger, 0, ENOUGH - 1);
  ledger_add(&ledger, sql, BUS_SECOND, false, false);
  assert_int_equal(bus_sql_count(sql), 0);
  confirm(&ledger, ENOUGH, 1);
  ledger_add(&ledger, sql, BUS_SECOND, false, false);
  assert_int_equal(bus_sql_count(sql), 1);
  assert_int_equal(ledger.confirmed_in_trip, ENOUGH);
  bus_arena_free(arena);
  ledger_free(&ledger);
}
