/* listing.c, listing_compare.c: what a broker lists, beside what a topology declares. */
#include "listing.h"

#include <stdio.h>
#include <test.h>

static const struct bus_message_type place = BUS_COMMAND("order.place.v1", NULL, "edge");
static const struct bus_message_type reserved = BUS_EVENT("stock.reserved.v1", NULL, "order-svc");
static const struct bus_message_type *const placed[] = {&place}, *const heard[] = {&reserved};
static const struct bus_queue queues[] = {BUS_QUERY_QUEUE("order-svc.query", placed)};
static const struct bus_queue events[] = {BUS_EVENT_QUEUE("edge.event", heard)};
static const struct bus_topology_part edge = {.user = {.name = "edge", .asks = true},
                                              .queues = events,
                                              .queue_count = 1},
                                      order = BUS_TOPOLOGY_PART("order-svc", placed, queues);
static const struct bus_topology_part *const parts[] = {&edge, &order};
static const struct bus_topology topology = {
    .parts = parts, .part_count = 2, .tiers = bus_default_tiers, .tier_count = 1, .query_ttl_ms = 1000};

static struct bus_arena *arena;
static struct listing listing;
static char found[8192];

static void on_difference(void *context, const struct difference *difference) {
  size_t len = strlen(found);
  (void)context;
  (void)snprintf(found + len, sizeof found - len, "%s: %s%s%s\n", difference_names[difference->kind], difference->name,
                 difference->detail[0] ? ": " : "", difference->detail);
}

static const char *compared(void) {
  found[0] = '\0';
  listing_compare(&listing, &topology, on_difference, NULL);
  return found;
}

static bool add_exchange(void *context, const struct bus_declaration *d) {
  char *text = context;
  size_t len = strlen(text);
  if (d->kind == BUS_DECLARE_EXCHANGE)
    (void)snprintf(text + len, 4096 - len, "%s{\"name\":\"%s\",\"type\":\"topic\",\"durable\":true,\"other\":1}",
                   len > 1 ? "," : "", d->name);
  return true;
}

#define QUEUE(name, durable, arguments)                                                                                \
  "{\"name\":\"" name "\",\"durable\":" durable ",\"exclusive\":false,\"arguments\":" arguments "}"
#define GOOD "{\"x-queue-type\":\"classic\",\"x-message-ttl\":1000}"
#define DEFAULT_BINDING "{\"source\":\"\",\"destination\":\"order-svc.query\",\"routing_key\":\"order-svc.query\"}"
#define BINDING "{\"source\":\"bus.cmd\",\"destination\":\"order-svc.query\",\"routing_key\":\"order.place\"}"

static void take(const char *queues_json, const char *bindings_json) {
  struct bus_error err;
  char exchanges[4096] = "[";
  (void)bus_topology_each(&topology, add_exchange, exchanges);
  (void)snprintf(exchanges + strlen(exchanges), 8, "]");
  arena = bus_arena_new(1 << 22);
  listing = (struct listing){0};
  assert_true(listing_take_exchanges(&listing, bus_str(exchanges), arena, &err));
  assert_true(listing_take_queues(&listing, bus_str(queues_json), arena, &err));
  assert_true(listing_take_bindings(&listing, bus_str(bindings_json), arena, &err));
}

TEST(equal_sides_have_no_difference)
{
  take("[" QUEUE("order-svc.query", "true",
                 GOOD) ","
                       "{\"name\":\"amq.gen-1\",\"durable\":false,\"exclusive\":true,\"arguments\":{}}," QUEUE(
                           "edge.reply.1", "false", "{}") "," QUEUE("edge.event.1", "false", "{}") "]",
       "[" DEFAULT_BINDING "," BINDING "]");
  assert_string_equal(compared(), "");
  bus_arena_free(arena);
}

TEST(missing_things_are_named)
{
  take("[]", "[]");
  assert_string_equal(compared(), "missing: queue order-svc.query\n"
                                  "missing: binding bus.cmd order.place -> order-svc.query\n");
  listing.exchange_count--;
  assert_non_null(strstr(compared(), "missing: exchange "));
  bus_arena_free(arena);
}

TEST(changed_arguments_are_named_with_both_values)
{
  take("[" QUEUE("order-svc.query", "false",
                 "{\"x-queue-type\":\"quorum\",\"x-message-ttl\":2000,\"x-max-length\":5}") "]",
       "[" BINDING "]");
  assert_string_equal(compared(), "differs: queue order-svc.query: is not durable\n"
                                  "differs: queue order-svc.query: x-queue-type is quorum, declared classic\n"
                                  "differs: queue order-svc.query: x-message-ttl is 2000, declared 1000\n"
                                  "differs: queue order-svc.query: x-max-length is 5, declared absent\n");
  bus_arena_free(arena);
  take("[" QUEUE("order-svc.query", "true", "{\"x-queue-type\":\"classic\"}") "]", "[" BINDING "]");
  assert_string_equal(compared(), "differs: queue order-svc.query: x-message-ttl is absent, declared 1000\n");
  bus_arena_free(arena);
  take("[" QUEUE("order-svc.query", "true",
                 "{\"x-queue-type\":\"classic\",\"x-message-ttl\":1000,\"x-single-active-consumer\":true}") "]",
       "[" BINDING "]");
  assert_string_equal(compared(),
                      "differs: queue order-svc.query: x-single-active-consumer is true, declared absent\n");
  bus_arena_free(arena);
  take("[" QUEUE("order-svc.query", "true", "{\"x-expires\":1}") "]", "[" BINDING "]");
  assert_non_null(strstr(compared(), "differs: queue order-svc.query: its arguments are not the declared ones: "));
  assert_non_null(strstr(found, "x-expires"));
  bus_arena_free(arena);
}

TEST(what_is_there_beyond_the_topology_is_surplus)
{
  take("[" QUEUE("order-svc.query", "true", GOOD) "," QUEUE("old", "true", "{}") "]",
       "[" BINDING ",{\"source\":\"bus.event\",\"destination\":\"old\",\"routing_key\":\"#\"}]");
  listing.exchanges[0].name = BUS_STR("bus.old");
  assert_non_null(strstr(compared(), "surplus: queue old\n"
                                     "surplus: exchange bus.old\n"
                                     "surplus: binding bus.event # -> old\n"));
  listing.exchanges[0].name = BUS_STR("amq.direct");
  assert_null(strstr(compared(), "amq.direct"));
  listing.exchanges[1].type = BUS_STR("fanout");
  assert_non_null(strstr(compared(), ": is fanout and durable, declared topic and durable\n"));
  bus_arena_free(arena);
}

TEST(an_answer_of_another_form_is_refused)
{
  struct bus_error err;
  arena = bus_arena_new(1 << 20);
  assert_false(listing_take_queues(&listing, BUS_STR("{\"error\":\"not_authorised\"}"), arena, &err));
  assert_non_null(strstr(err.text, "the management API's list is not understood: list "));
  assert_false(listing_take_bindings(&listing, BUS_STR("[{\"source\":1}]"), arena, &err));
  assert_false(listing_take_exchanges(&listing, BUS_STR("<html>"), arena, &err));
  bus_arena_free(arena);
}

TEST(a_difference_is_one_object_of_json)
{
  struct bus_str text;
  struct difference difference = {.kind = DIFFERENCE_SURPLUS, .name = "queue old"};
  arena = bus_arena_new(1 << 16);
  assert_true(difference_encode(&difference, arena, &text));
  assert_string_equal(text.data, "{\"kind\":\"surplus\",\"name\":\"queue old\",\"detail\":null}");
  bus_arena_free(arena);
}
