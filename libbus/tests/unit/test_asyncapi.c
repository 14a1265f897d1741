/* The documents of a small topology's messages, byte for byte. */
#include <bus/asyncapi.h>

#include "test.h"

struct place {
  struct bus_uuid order_id;
  struct bus_str note;
};
static const struct bus_field place_fields[] = {
    BUS_FIELD_UUID(struct place, order_id, BUS_REQUIRED, "the order"),
    BUS_FIELD_STRING(struct place, note, BUS_TOKEN, 1, 8, BUS_OPTIONAL, "a note"),
};
static const struct bus_schema place_schema = BUS_SCHEMA("place", struct place, place_fields);
static const struct bus_message_type place_1 = BUS_COMMAND("order.place.v1", &place_schema, "edge", "operator");
static const struct bus_message_type place_2 = BUS_COMMAND("order.place.v2", NULL, "edge");
static const struct bus_message_type said = BUS_ANSWER("order.said.v1", &place_schema);
static const struct bus_message_type placed = BUS_SINGLE_EVENT("order.placed.v1", &place_schema, "order-svc");
static const struct bus_message_type hint = BUS_NOTICE("order.hint.v1", &place_schema, "order-svc");
static const struct bus_message_type get = BUS_QUERY("order.get.v1", &place_schema, "edge");
static const struct bus_message_type *const types[] = {&place_1, &place_2, &said, &placed, &hint, &get},
                                            *const taken[] = {&place_1};
static const struct bus_queue queues[] = {BUS_WORK_QUEUE("orders", taken)};
static const struct bus_topology_part order = BUS_TOPOLOGY_PART("order-svc", types, queues);
static const struct bus_topology_part *const parts[] = {&order};
static const struct bus_topology topology = {.parts = parts, .part_count = 1, .title = "shop", .version = "7"};

#define PLACE                                                                                                          \
  "\"title\":\"place\",\"type\":\"object\",\"required\":[\"order_id\"],\"properties\":{\"order_id\":{\"type\":"        \
  "\"string\",\"format\":\"uuid\",\"description\":\"the order\"},\"note\":{\"type\":[\"string\",\"null\"],"            \
  "\"minLength\":1,\"maxLength\":8,\"pattern\":\"^[A-Za-z0-9._:-]*$\",\"description\":\"a note\"}}"
#define SCHEMAS                                                                                                        \
  "\"order.place.v1\":{" PLACE "},\"order.place.v2\":{\"title\":\"any body\",\"type\":\"object\",\"required\":[],"     \
  "\"properties\":{}},\"order.said.v1\":{" PLACE "},\"order.placed.v1\":{" PLACE "},\"order.hint.v1\":{" PLACE "},"    \
  "\"order.get.v1\":{" PLACE "}"

static struct bus_str encoded(bool (*encode)(const struct bus_topology *topology, struct bus_arena *arena,
                                             struct bus_str *ret),
                              struct bus_arena *arena) {
  struct bus_str text = BUS_NO_STR;
  assert_true(encode(&topology, arena, &text));
  return text;
}

static void assert_has(struct bus_str text, const char *part) {
  if (strstr(text.data, part) == NULL)
    fail_msg("%s is not in %s", part, text.data);
}

TEST(each_type_has_a_json_schema)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  assert_string_equal(
      encoded(bus_message_schemas_encode, arena).data,
      "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"shop\",\"$defs\":{" SCHEMAS "}}");
  bus_arena_free(arena);
}

TEST(versions_of_a_type_share_the_channel_of_their_key)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  assert_has(encoded(bus_asyncapi_encode, arena),
             "\"channels\":{\"order.place\":{\"address\":\"order.place\",\"messages\":{"
             "\"order.place.v1\":{\"$ref\":\"#/components/messages/order.place.v1\"},"
             "\"order.place.v1.bundle\":{\"$ref\":\"#/components/messages/order.place.v1.bundle\"},"
             "\"order.place.v2\":{\"$ref\":\"#/components/messages/order.place.v2\"},"
             "\"order.place.v2.bundle\":{\"$ref\":\"#/components/messages/order.place.v2.bundle\"}},"
             "\"bindings\":{\"amqp\":{\"is\":\"routingKey\",\"exchange\":{\"name\":\"bus.cmd\"");
  bus_arena_free(arena);
}

TEST(answers_go_to_the_queue_of_the_asker)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  assert_has(encoded(bus_asyncapi_encode, arena), "\"answers\":{\"address\":null,");
  bus_arena_free(arena);
}

TEST(senders_and_queues_are_operations)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_str text = encoded(bus_asyncapi_encode, arena);
  assert_has(text,
             "\"operator.send.order.place.v1\":{\"action\":\"send\",\"summary\":\"operator sends order.place.v1\"");
  assert_has(text, "\"orders.receive.order.place.v1\":{\"action\":\"receive\",\"summary\":\"The queue orders takes "
                   "order.place.v1\",\"channel\":{\"$ref\":\"#/channels/order.place\"},\"messages\":[{\"$ref\":"
                   "\"#/channels/order.place/messages/order.place.v1\"},{\"$ref\":"
                   "\"#/channels/order.place/messages/order.place.v1.bundle\"}]}");
  bus_arena_free(arena);
}

TEST(a_message_names_its_senders_and_its_schema)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_str text = encoded(bus_asyncapi_encode, arena);
  assert_has(text, "{\"asyncapi\":\"3.0.0\",\"info\":{\"title\":\"shop\",\"version\":\"7\"");
  assert_has(text, "\"summary\":\"command of edge, operator\"");
  assert_has(text, "\"payload\":{\"$ref\":\"#/components/schemas/order.said.v1\"}");
  assert_has(text, SCHEMAS "}}}");
  bus_arena_free(arena);
}

/* A single event, a notice and a query have one form. */
TEST(a_type_that_travels_in_bundles_has_two_forms)
{
  struct bus_arena *arena = bus_arena_new(1 << 16);
  struct bus_str text = encoded(bus_asyncapi_encode, arena);
  assert_has(text,
             "\"order.said.v1.bundle\":{\"name\":\"order.said.v1\",\"title\":\"order.said.v1.bundle\",\"summary\":"
             "\"several order.said.v1 in one AMQP message\",\"contentType\":"
             "\"application/cloudevents-batch+json\",\"tags\":[{\"name\":\"bundle\"}],\"headers\":{\"$ref\":"
             "\"#/components/schemas/bundle\"},\"payload\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":128,"
             "\"items\":{\"allOf\":[{\"$ref\":\"#/components/schemas/cloudevent\"},{\"type\":\"object\","
             "\"properties\":{\"type\":{\"const\":\"order.said.v1\"},\"data\":{\"$ref\":"
             "\"#/components/schemas/order.said.v1\"}}}]}}}");
  assert_has(text, "The AMQP binding of CloudEvents defines only the single event");
  assert_has(text, "\"cloudevent\":{\"title\":\"cloudevent\"");
  assert_has(text, "\"order.placed.v1\":{\"name\":\"order.placed.v1\"");
  assert_null(strstr(text.data, "order.placed.v1.bundle"));
  assert_null(strstr(text.data, "order.hint.v1.bundle"));
  assert_null(strstr(text.data, "order.get.v1.bundle"));
  bus_arena_free(arena);
}

TEST(without_memory_there_is_no_document_of_messages)
{
  struct bus_arena *arena = bus_arena_new(256);
  struct bus_str text;
  assert_false(bus_asyncapi_encode(&topology, arena, &text));
  assert_false(bus_message_schemas_encode(&topology, arena, &text));
  bus_arena_free(arena);
}
