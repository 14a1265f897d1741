/* The least program under test: it answers each message with another, and has no table. */
#include <bus/testing.h>
#include <stdio.h>

struct greeting {
  struct bus_uuid id;
};
BUS_MESSAGE(greet, struct greeting);
BUS_MESSAGE(greeted, struct greeting);

static const struct bus_field fields[] = {BUS_FIELD_UUID(struct greeting, id, BUS_REQUIRED, "who")};
static const struct bus_schema schema = BUS_SCHEMA("greeting", struct greeting, fields);
const struct bus_message_type greet_type = BUS_COMMAND("consumer.greet.v1", &schema, "guest");
const struct bus_message_type greeted_type = BUS_EVENT("consumer.greeted.v1", &schema, "consumer");

static bool lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                 struct bus_sql *sql, void **ret_model) {
  (void)context, (void)inputs, (void)count, (void)arena, (void)sql;
  *ret_model = NULL;
  return true;
}

static bool load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err) {
  (void)model, (void)rows, (void)count, (void)err;
  return true;
}

static void decide(void *model, const struct bus_input *input, struct bus_effects *effects) {
  const struct greeting *greeting = BUS_BODY(input, greet);
  (void)model;
  BUS_EMIT(effects, greeted, &greeting->id, greeting);
}

static bool store(void *model, struct bus_sql *sql) {
  (void)model, (void)sql;
  return true;
}

int main(void) {
  static const struct bus_message_type *const types[] = {&greet_type, &greeted_type};
  static const struct bus_message_type *const taken[] = {&greet_type};
  static const struct bus_queue queues[] = {BUS_WORK_QUEUE("consumer", taken)};
  static const struct bus_topology_part part = BUS_TOPOLOGY_PART("consumer", types, queues);
  static const struct bus_topology_part guest = {.user = {.name = "guest"}};
  static const struct bus_topology_part *const parts[] = {&part, &guest};
  static const struct bus_topology topology = {
      .parts = parts, .part_count = 2, .tiers = bus_default_tiers, .tier_count = BUS_COUNT(bus_default_tiers)};
  static const struct bus_service commands = {.lock = lock, .load = load, .decide = decide, .store = store};
  static const struct bus_program program = {.part = &part, .topology = &topology, .commands = &commands};
  const struct bus_uuid id = {{7}};
  struct bus_error err = {.code = BUS_OK};
  struct bus_test *test;
  if (!bus_test_new(&program, &test, &err))
    return 1;
  (void)BUS_TEST_SEND(test, greet, &id, &(struct greeting){.id = id});
  bool good = bus_test_run(test, &err) && BUS_TEST_PUBLISHED(test, greeted, 0);
  puts(good ? "the message was answered" : err.text);
  bus_test_free(test);
  return good ? 0 : 1;
}
