/* The keyed set of a batch's rows, without a database. */
#include "column_sample.h"

#include <bus/aggregate.h>

#include <test.h>

static struct bus_arena *arena;

static struct bus_set begin(const struct bus_table *table) {
  struct bus_set set;
  arena = bus_arena_new(1 << 20);
  bus_set_init(&set, table, 0, arena);
  return set;
}

static struct bus_uuid id(uint8_t number) {
  return (struct bus_uuid){{1, number}};
}

TEST(each_key_is_a_row_once_in_order)
{
  struct bus_set set = begin(&sample_table);
  for (size_t i = 0; i < 100; i++) {
    const struct bus_uuid key = id((uint8_t)(i * 37 % 20));
    bus_set_add(&set, &key);
  }
  assert_true(bus_set_open(&set));
  assert_int_equal(set.count, 20);
  for (size_t i = 0; i < set.count; i++)
    assert_int_equal(((const struct sample *)bus_set_at(&set, i))->id.bytes[1], i);
  for (uint8_t i = 0; i < 20; i++) {
    const struct bus_uuid key = id(i);
    assert_ptr_equal(bus_set_find(&set, &key), bus_set_at(&set, i));
  }
  const struct bus_uuid other = id(77);
  assert_null(bus_set_find(&set, &other));
  bus_arena_free(arena);
}

TEST(a_row_begins_absent)
{
  struct bus_set set = begin(&sample_table);
  const struct bus_uuid key = id(1);
  bus_set_add(&set, &key);
  assert_true(bus_set_open(&set));
  const struct sample *row = bus_set_at(&set, 0);
  assert_true(row->maybe == BUS_NO_INT64 && row->at == BUS_NO_TIME && row->level == -1);
  assert_true(row->number == 0 && row->state == SAMPLE_NEW && !row->text.data && !row->flag);
  assert_false(bus_set_is_stored(&set, row) || bus_set_is_changed(&set, row));
  bus_arena_free(arena);
}

TEST(rows_keep_their_marks)
{
  struct bus_set set = begin(&sample_table);
  const struct bus_uuid keys[] = {id(2), id(1)};
  bus_set_add(&set, &keys[0]);
  bus_set_add(&set, &keys[1]);
  assert_true(bus_set_open(&set));
  bus_set_change(&set, bus_set_find(&set, &keys[0]));
  bus_set_keep(&set, bus_set_find(&set, &keys[1]));
  assert_true(bus_set_is_changed(&set, bus_set_at(&set, 1)) && !bus_set_is_stored(&set, bus_set_at(&set, 1)));
  assert_true(bus_set_is_stored(&set, bus_set_at(&set, 0)) && !bus_set_is_changed(&set, bus_set_at(&set, 0)));
  bus_set_keep(&set, bus_set_at(&set, 1));
  bus_set_change(&set, bus_set_at(&set, 0));
  for (size_t i = 0; i < 2; i++)
    assert_true(bus_set_is_changed(&set, bus_set_at(&set, i)) && bus_set_is_stored(&set, bus_set_at(&set, i)));
  bus_arena_free(arena);
}

TEST(text_keys_are_in_the_order_of_their_bytes)
{
  struct bus_set set = begin(&label_table);
  const struct bus_str keys[] = {BUS_STR("b"), BUS_STR("ab"), BUS_STR("a"), BUS_STR("B"),
                                 BUS_STR("_"), BUS_STR("ab"), BUS_STR(""),  BUS_STR("-")};
  static const char *const sorted[] = {"", "-", "B", "_", "a", "ab", "b"};
  for (size_t i = 0; i < BUS_COUNT(keys); i++)
    bus_set_add(&set, &keys[i]);
  assert_true(bus_set_open(&set));
  assert_int_equal(set.count, BUS_COUNT(sorted));
  for (size_t i = 0; i < set.count; i++)
    assert_true(bus_str_is(((const struct label *)bus_set_at(&set, i))->name, sorted[i]));
  bus_arena_free(arena);
}

TEST(a_table_changes_if_a_column_of_it_does)
{
  static const struct bus_column columns[] = {BUS_COLUMN_UUID(struct sample, id, BUS_KEY)};
  static const struct bus_table keys = BUS_COLUMN_TABLE("toy.keys", struct sample, columns);
  assert_true(bus_table_changes(&sample_table));
  assert_false(bus_table_changes(&keys));
}

TEST(an_empty_set_finds_nothing)
{
  struct bus_set set = begin(&label_table);
  const struct bus_str key = BUS_STR("a");
  assert_true(bus_set_open(&set));
  assert_null(bus_set_find(&set, &key));
  bus_arena_free(arena);
}

TEST(lack_of_memory_is_remembered_until_the_set_is_opened)
{
  struct bus_set set;
  const struct bus_uuid key = id(1);
  arena = bus_arena_new(16);
  bus_set_init(&set, &sample_table, 0, arena);
  bus_set_add(&set, &key);
  assert_false(bus_set_open(&set));
  bus_arena_free(arena);
}

/* ---- what a batch tells of its rows ---- */

struct number {
  int64_t n;
};
struct numbers {
  struct number *items;
  size_t count;
};
static const struct bus_field number_fields[] = {BUS_FIELD_INT64(struct number, n, 0, 100, BUS_REQUIRED, "a number")};
static const struct bus_schema number_schema = BUS_SCHEMA("number", struct number, number_fields);
static const struct bus_field list_fields[] = {
    BUS_FIELD_ARRAY(struct numbers, items, count, struct number, &number_schema, 1, 9, BUS_REQUIRED, "the numbers")};
static const struct bus_schema list_schema = BUS_SCHEMA("numbers", struct numbers, list_fields);
static const struct bus_message_type numbered = BUS_NOTICE("thing.numbered.v1", &list_schema, "thing");

/* The row's number, unless it is zero. */
static bool take_number(const void *row, void *ret) {
  const struct number number = {((const struct label *)row)->number};
  if (number.n != 0)
    *(struct number *)ret = number;
  return number.n != 0;
}

static struct bus_effects notify_of(struct bus_set *set, struct bus_arena *memory, int64_t count) {
  static struct bus_uuid_source ids;
  static const uint64_t seed[4] = {1, 2, 3, 4};
  static const char *const names[] = {"a", "b", "c"};
  struct bus_effects effects;
  bus_uuid_source_init(&ids, seed);
  for (int64_t i = 0; i < count; i++)
    bus_set_add(set, &(struct bus_str){names[i], 1});
  assert_true(bus_set_open(set));
  for (int64_t i = 0; i < count; i++)
    ((struct label *)bus_set_at(set, (size_t)i))->number = i == 1 ? 0 : i + 5;
  bus_effects_init(&effects, memory, &ids, 1, "thing");
  bus_set_notify(set, &effects, &numbered, take_number);
  return effects;
}

TEST(a_notice_is_of_the_rows_that_are_taken)
{
  struct bus_set set = begin(&label_table);
  struct bus_effects effects = notify_of(&set, arena, 3);
  assert_int_equal(effects.count, 1);
  assert_true(bus_str_is(effects.first->body, "{\"items\":[{\"n\":5},{\"n\":7}]}"));
  bus_arena_free(arena);
}

TEST(an_empty_set_is_no_notice)
{
  struct bus_set set = begin(&label_table);
  struct bus_effects effects = notify_of(&set, arena, 0);
  assert_int_equal(effects.count, 0);
  assert_false(effects.failed);
  bus_arena_free(arena);
}

TEST(a_notice_without_memory_is_remembered)
{
  struct bus_set set = begin(&label_table);
  struct bus_arena *small = bus_arena_new(1);
  struct bus_effects effects = notify_of(&set, small, 3);
  assert_true(effects.failed);
  assert_int_equal(effects.count, 0);
  bus_arena_free(small);
  bus_arena_free(arena);
}
