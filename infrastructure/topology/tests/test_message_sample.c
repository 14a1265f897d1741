/* Every message of the topology: a body with all members is read as it was written, and nothing more is in it. */
#include "message_sample.h"

#include <stdio.h>
#include <test.h>

#include "orderbus_topology.h"

static bool comes_back(const struct bus_message_type *type, struct bus_arena *arena) {
  struct bus_problems problems;
  struct bus_str text, again;
  char why[512];
  assert_true(message_sample(type->schema, arena, &text));
  void *value = bus_arena_alloc(arena, type->schema->size);
  assert_non_null(value);
  if (bus_decode(type->schema, text, BUS_REFUSE_UNKNOWN, arena, value, &problems))
    return bus_encode(type->schema, value, arena, &again) && bus_str_equal(text, again);
  bus_problems_text(&problems, why, sizeof why);
  print_error("%s: %s: %.*s\n", type->type, why, (int)text.len, text.data);
  return false;
}

TEST(every_message_is_read_as_it_was_written)
{
  size_t wrong = 0, count = 0;
  const struct bus_message_type *type;
  for (; (type = bus_topology_type_at(&orderbus_topology, count)) != NULL; count++) {
    struct bus_arena *arena = bus_arena_new((size_t)4 << 20);
    wrong += !comes_back(type, arena);
    bus_arena_free(arena);
  }
  assert_int_equal(wrong, 0);
  assert_true(count > 80);
}

TEST(a_sample_has_every_member)
{
  struct item {
    struct bus_uuid id;
  };
  struct whole {
    struct bus_str name;
    int64_t least, set;
    bool flag;
    struct item *items;
    size_t item_count;
  };
  static const char *const names[] = {"a", "b", "c", NULL};
  static const struct bus_field item_fields[] = {BUS_FIELD_UUID(struct item, id, BUS_OPTIONAL, "id")};
  static const struct bus_schema item = BUS_SCHEMA("item", struct item, item_fields);
  static const struct bus_field fields[] = {
      BUS_FIELD_STRING(struct whole, name, BUS_TOKEN, 3, 9, BUS_OPTIONAL, "name"),
      BUS_FIELD_INT64(struct whole, least, -5, 9, BUS_REQUIRED, "least"),
      BUS_FIELD_SET(struct whole, set, names, 2, BUS_REQUIRED, "set"),
      BUS_FIELD_BOOL(struct whole, flag, BUS_OPTIONAL, "flag"),
      BUS_FIELD_ARRAY(struct whole, items, item_count, struct item, &item, 0, 9, BUS_OPTIONAL, "items"),
  };
  static const struct bus_schema whole = BUS_SCHEMA("whole", struct whole, fields);
  struct bus_arena *arena = bus_arena_new(1 << 20);
  struct bus_str text;
  assert_true(message_sample(&whole, arena, &text));
  assert_string_equal(text.data, "{\"name\":\"AAA\",\"least\":-5,\"set\":[\"a\",\"b\"],\"flag\":true,"
                                 "\"items\":[{\"id\":\"01000000-0000-7000-8000-000000000000\"}]}");
  bus_arena_free(arena);
}
