/* The table of processes: who spoke, who is silent, and its bounds. */
#include "instances.h"
#include "test.h"

#include <stdio.h>

static struct instances instances;
static struct bus_arena *arena;
static struct instance_list list;

static void begin(void) {
  instances_init(&instances);
  arena = bus_arena_new(1 << 20);
}

static bool say(const char *service, const char *id, bus_time started_at, int64_t now) {
  struct bus_alive_breaker breakers[] = {{BUS_STR("payment_provider"), BUS_ALIVE_OPEN}};
  const struct bus_alive alive = {.instance = bus_str(id),
                                  .version = BUS_STR("1.0"),
                                  .started_at = started_at,
                                  .figures = {.outbox_messages = now},
                                  .breakers = breakers,
                                  .breaker_count = BUS_COUNT(breakers)};
  return instances_note(&instances, bus_str(service), &alive, now, now * 10);
}

static size_t count(int64_t now) {
  bus_arena_reset(arena);
  assert_true(instances_list(&instances, now, arena, &list));
  return list.item_count;
}

TEST(processes_are_listed_by_service_and_start)
{
  begin();
  assert_int_equal(count(1), 0);
  (void)say("order-svc", "b", 20, 1);
  (void)say("order-svc", "a", 30, 2);
  (void)say("edge", "a", 40, 3);
  (void)say("order-svc", "b", 20, 4); /* again */
  assert_int_equal(count(5), 3);
  assert_string_equal(list.items[0].service.data, "edge");
  assert_string_equal(list.items[1].instance.data, "b");
  assert_int_equal(list.items[1].seen_at, 40);
  assert_string_equal(list.items[2].instance.data, "a");
  assert_string_equal(list.items[2].version.data, "1.0");
  bus_arena_free(arena);
}

TEST(a_process_keeps_what_it_said_last)
{
  begin();
  (void)say("order-svc", "a", 1, 5);
  (void)say("order-svc", "a", 1, 6);
  assert_int_equal(count(7), 1);
  assert_int_equal(list.items[0].figures.outbox_messages, 6);
  assert_int_equal(list.items[0].breaker_count, 1);
  assert_string_equal(list.items[0].breakers[0].dependency.data, "payment_provider");
  assert_int_equal(list.items[0].breakers[0].state, BUS_ALIVE_OPEN);
  bus_arena_free(arena);
}

TEST(a_process_is_new_once)
{
  begin();
  assert_true(say("edge", "a", 1, 1));
  assert_false(say("edge", "a", 1, 2));
  assert_true(say("order-svc", "a", 1, 3));
  assert_true(say("edge", "b", 1, 4));
  assert_false(say("edge", "a", 1, 5 + BUS_ALIVE_SILENT)); /* it was silent for a while */
  bus_arena_free(arena);
}

TEST(a_silent_process_falls_out)
{
  begin();
  (void)say("edge", "a", 1, 1);
  (void)say("edge", "b", 1, 1 + BUS_ALIVE_EVERY);
  assert_int_equal(count(BUS_ALIVE_SILENT), 2);
  assert_int_equal(count(1 + BUS_ALIVE_SILENT), 1);
  assert_string_equal(list.items[0].instance.data, "b");
  (void)say("edge", "a", 1, 2 + BUS_ALIVE_SILENT);
  assert_int_equal(count(3 + BUS_ALIVE_SILENT), 2);
  bus_arena_free(arena);
}

TEST(the_table_is_bounded)
{
  char id[16];
  begin();
  for (int i = 0; i < 2 * INSTANCES_MAX; i++) {
    (void)snprintf(id, sizeof id, "%d", i);
    (void)say("edge", id, i, i + 1);
  }
  assert_int_equal(count(2 * INSTANCES_MAX), INSTANCES_MAX);
  assert_string_equal(list.items[0].instance.data, "256"); /* those that spoke first gave way */
  bus_arena_free(arena);
}

TEST(a_list_without_memory_is_none)
{
  struct bus_arena *tiny = bus_arena_new(64);
  begin();
  (void)say("edge", "a", 1, 1);
  assert_false(instances_list(&instances, 2, tiny, &list));
  bus_arena_free(tiny);
  bus_arena_free(arena);
}
