/* Queries: what a batch of them reads, and the answers. */
#include "inventory_queries.h"

#include <test.h>

enum { ARENA = 1 << 20 };

struct asked {
  struct bus_arena *arena;
  struct bus_uuid_source ids;
  struct bus_envelope envelope;
  struct bus_effects effects;
  struct inventory_query_model *model;
};

static void ask(struct asked *asked, const struct bus_input *inputs, size_t count) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  asked->arena = bus_arena_new(ARENA);
  assert_non_null(asked->arena);
  bus_uuid_source_init(&asked->ids, seed);
  asked->envelope = (struct bus_envelope){.reply_to = BUS_STR("edge.reply.1")};
  assert_true(inventory_query_model_new(inputs, count, asked->arena, &asked->model));
  bus_effects_init(&asked->effects, asked->arena, &asked->ids, 0, "inventory-svc");
}

static void decide(struct asked *asked, struct bus_input input, const struct bus_message_type *type, const char *json) {
  input.envelope = &asked->envelope;
  bus_effects_begin(&asked->effects, &input);
  inventory_query_decide(asked->model, &input, &asked->effects);
  assert_int_equal(bus_effects_end(&asked->effects), BUS_DONE);
  assert_ptr_equal(asked->effects.last->type, type);
  assert_int_equal(asked->effects.last->kind, BUS_EFFECT_ANSWER);
  assert_int_equal(asked->effects.last->body.len, strlen(json));
  assert_memory_equal(asked->effects.last->body.data, json, strlen(json));
}

static struct product thing(const char *id) {
  return (struct product){.id = bus_str(id),
                          .name = BUS_STR("T"),
                          .currency = BUS_STR("EUR"),
                          .price = 1,
                          .on_hand = 2,
                          .received = 2,
                          .version = 1,
                          .stock_version = 1};
}

#define THING(id)                                                                                                      \
  "{\"product_id\":\"" id "\",\"name\":\"T\",\"price\":1,\"currency\":\"EUR\",\"on_hand\":2,\"reserved\":0,"           \
  "\"version\":1,\"withdrawn\":false,\"stock_version\":1}"

#define LIST(from, most)                                                                                               \
  { .cursor = from, .limit = (most), .min_price = BUS_NO_INT64, .max_price = BUS_NO_INT64, .sort = -1 }

static struct bus_input get(const struct product_get *body) {
  return (struct bus_input){.type = &product_get_type, .body = body};
}

static struct bus_input list(const struct product_list *body) {
  return (struct bus_input){.type = &product_list_type, .body = body};
}

TEST(products_are_read_sorted_and_found)
{
  struct asked asked;
  const struct product_get bodies[] = {{BUS_STR("b")}, {BUS_STR("a")}, {BUS_STR("none")}};
  const struct bus_input inputs[] = {get(&bodies[0]), get(&bodies[1]), get(&bodies[2])};
  struct bus_set *products;
  ask(&asked, inputs, 3);
  products = &asked.model->products;
  assert_int_equal(products->count, 3);
  assert_true(bus_str_is(((const struct product *)bus_set_at(products, 2))->id, "none"));
  *(struct product *)bus_set_at(products, 0) = thing("a");
  *(struct product *)bus_set_at(products, 1) = thing("b");
  bus_set_keep(products, bus_set_at(products, 0));
  bus_set_keep(products, bus_set_at(products, 1));
  decide(&asked, inputs[0], &inventory_answer_type, "{\"outcome\":\"found\",\"product\":" THING("b") "}");
  decide(&asked, inputs[1], &inventory_answer_type, "{\"outcome\":\"found\",\"product\":" THING("a") "}");
  decide(&asked, inputs[2], &inventory_answer_type, "{\"outcome\":\"not_found\"}");
  bus_arena_free(asked.arena);
}

TEST(a_catalogue_without_products)
{
  struct asked asked;
  const struct product_get body = {BUS_STR("b")};
  const struct product_list page = LIST(BUS_NO_STR, 10);
  const struct bus_input inputs[] = {get(&body), list(&page)};
  ask(&asked, inputs, 2);
  decide(&asked, inputs[0], &inventory_answer_type, "{\"outcome\":\"not_found\"}");
  decide(&asked, inputs[1], &product_page_type, "{\"items\":[]}");
  bus_arena_free(asked.arena);
}

TEST(a_page_has_a_cursor_only_when_more_follows)
{
  struct asked asked;
  const struct product_list bodies[] = {LIST(BUS_NO_STR, 2), LIST(BUS_STR("b"), 2)};
  const struct bus_input inputs[] = {list(&bodies[0]), list(&bodies[1])};
  struct product first[] = {thing("a"), thing("b"), thing("c")}, rest[] = {thing("c")};
  ask(&asked, inputs, 2);
  assert_int_equal(asked.model->first[INVENTORY_PAGE_KINDS], 2);
  asked.model->pages[0].page.items = first;
  asked.model->pages[0].page.count = 3;
  asked.model->pages[1].page.items = rest;
  asked.model->pages[1].page.count = 1;
  decide(&asked, inputs[0], &product_page_type, "{\"items\":[" THING("a") "," THING("b") "],\"next_cursor\":\"b\"}");
  decide(&asked, inputs[1], &product_page_type, "{\"items\":[" THING("c") "]}");
  bus_arena_free(asked.arena);
}

TEST(the_same_page_is_read_once)
{
  struct asked asked;
  const struct product_list bodies[] = {LIST(BUS_STR("b"), 2), LIST(BUS_STR("b"), 2), LIST(BUS_STR("b"), 3),
                                        LIST(BUS_STR("c"), 2)};
  const struct bus_input inputs[] = {list(&bodies[0]), list(&bodies[1]), list(&bodies[2]), list(&bodies[3])};
  ask(&asked, inputs, 4);
  assert_int_equal(asked.model->first[INVENTORY_PAGE_KINDS], 3);
  bus_arena_free(asked.arena);
}

TEST(pages_of_other_filters_are_other_pages)
{
  struct asked asked;
  struct product_list bodies[] = {LIST(BUS_STR("b"), 2), LIST(BUS_STR("b"), 2), LIST(BUS_STR("b"), 2),
                                  LIST(BUS_STR("b"), 2), LIST(BUS_STR("b"), 2), LIST(BUS_STR("b"), 2)};
  bodies[1].q = BUS_STR("red");
  bodies[2].min_price = 1;
  bodies[3].max_price = 1;
  bodies[4].in_stock = true;
  bodies[5].sort = PRODUCTS_BY_PRICE;
  const struct bus_input inputs[] = {list(&bodies[0]), list(&bodies[1]), list(&bodies[2]),
                                     list(&bodies[3]), list(&bodies[4]), list(&bodies[5])};
  ask(&asked, inputs, 6);
  assert_int_equal(asked.model->first[INVENTORY_PAGE_KINDS], 6);
  assert_int_equal(asked.model->first[PRODUCTS_BY_PRICE], 4);
  assert_ptr_equal(asked.model->pages[4].list, &bodies[5]);
  assert_ptr_equal(asked.model->pages[5].list, &bodies[1]);
  bus_arena_free(asked.arena);
}

TEST(cursors_are_those_of_their_order)
{
  struct product_place place;
  char text[PRODUCT_CURSOR_MAX + 1];
  product_cursor_format(PRODUCTS_BY_PRICE, &(struct product_place){INT64_C(1000000000000), BUS_STR("a:1")}, text);
  assert_string_equal(text, "1000000000000:a:1");
  assert_true(product_cursor_parse(PRODUCTS_BY_PRICE_DOWN, bus_str(text), &place));
  assert_true(place.price == INT64_C(1000000000000) && bus_str_is(place.id, "a:1"));
  product_cursor_format(-1, &(struct product_place){5, BUS_STR("a")}, text);
  assert_string_equal(text, "a");
  assert_true(product_cursor_parse(-1, bus_str(text), &place) && bus_str_is(place.id, "a"));
  static const char *const wrong[] = {"", "a", ":a", "5:", "5", "12345678901234:a", "5:.."};
  for (size_t i = 0; i < BUS_COUNT(wrong); i++)
    assert_false(product_cursor_parse(PRODUCTS_BY_PRICE, bus_str(wrong[i]), &place));
}

TEST(a_full_last_page_ends)
{
  struct asked asked;
  const struct product_list body = LIST(BUS_NO_STR, 2);
  const struct bus_input input = list(&body);
  struct product items[] = {thing("a"), thing("b")};
  ask(&asked, &input, 1);
  asked.model->pages[0].page.items = items;
  asked.model->pages[0].page.count = 2;
  decide(&asked, input, &product_page_type, "{\"items\":[" THING("a") "," THING("b") "]}");
  bus_arena_free(asked.arena);
}

TEST(a_ping_is_answered)
{
  struct asked asked;
  const struct inventory_ping body = {false};
  const struct bus_input input = {.type = &inventory_ping_type, .body = &body};
  ask(&asked, &input, 1);
  assert_int_equal(asked.model->products.count + asked.model->first[INVENTORY_PAGE_KINDS], 0);
  decide(&asked, input, &inventory_pong_type, "{\"workers_down\":false}");
  asked.model->pong.workers_down = true;
  decide(&asked, input, &inventory_pong_type, "{\"workers_down\":true}");
  bus_arena_free(asked.arena);
}

TEST(what_is_no_query_is_parked)
{
  struct asked asked;
  const struct bus_input input = {.type = &inventory_commit_type};
  ask(&asked, &input, 1);
  bus_effects_begin(&asked.effects, &input);
  inventory_query_decide(asked.model, &input, &asked.effects);
  assert_int_equal(bus_effects_end(&asked.effects), BUS_PARK);
  bus_arena_free(asked.arena);
}
