/* inventory-svc's decisions without memory: a batch that cannot be decided says so, and is not committed. */
#include "inventory_service.h"

#include <order_messages.h>
#include <test.h>
#include <torture.h>

struct told {
  const struct bus_message_type *type;
  const void *body;
};

static bool decide(struct bus_arena *arena, const void *context) {
  static const uint64_t seed[4] = {1, 2, 3, 4};
  static struct product products[] = {{.id = {"SKU-1", 5}, .name = {"one", 3}, .currency = {"EUR", 3}, .version = 1},
                                      {.id = {"SKU-2", 5}, .name = {"two", 3}, .currency = {"EUR", 3}, .version = 1}};
  const struct told *told = context;
  const struct bus_envelope envelope = {
      .message_id = {{1}}, .type = bus_str(told->type->type), .reply_to = BUS_STR("edge.reply.1")};
  const struct bus_input input = {
      .kind = BUS_INPUT_DELIVERY, .type = told->type, .envelope = &envelope, .body = told->body};
  struct inventory_model *model = NULL;
  struct bus_uuid_source ids;
  struct bus_effects effects;
  bus_uuid_source_init(&ids, seed);
  bus_effects_init(&effects, arena, &ids, BUS_SECOND, "inventory-svc");
  for (size_t i = 0; i < BUS_COUNT(products); i++)
    products[i].price = 5, products[i].on_hand = products[i].received = 100;
  bool done = inventory_model_new(&input, 1, arena, &model);
  for (size_t i = 0; done && i < BUS_COUNT(products); i++) {
    struct product *product = inventory_model_product(model, products[i].id);
    if (product)
      *product = products[i];
  }
  if (done) {
    bus_effects_begin(&effects, &input);
    inventory_decide(model, &input, &effects);
    assert_int_equal(bus_effects_end(&effects), BUS_DONE);
    done = !effects.failed;
  }
  bus_refusals_over();
  assert_true(!done || (effects.count > 0 && inventory_model_is_valid(model)));
  return done;
}

TEST(every_command)
{
  static struct stock_item items[] = {{{"SKU-1", 5}, 2, BUS_NO_INT64}, {{"SKU-2", 5}, 1, BUS_NO_INT64}};
  static struct stock_item unknown[] = {{{"SKU-9", 5}, 2, BUS_NO_INT64}};
  static const struct inventory_reserve reserve = {{{1}}, items, 2, BUS_NO_INT64, BUS_NO_TIME},
                                        none = {{{1}}, unknown, 1, 5, BUS_NO_TIME};
  static const struct inventory_order order = {{{1}}};
  static struct order_item sold[] = {{{"SKU-1", 5}, 2, 5}};
  static const struct order_event confirmed = {
      .order_id = {{1}}, .customer_id = {"c", 1}, .items = sold, .item_count = 1, .total = 10, .currency = {"EUR", 3}};
  static const struct inventory_set_stock stock = {{{2}}, {"SKU-1", 5}, 7};
  static const struct inventory_put_product put = {{"SKU-3", 5}, {"three", 5}, 5, {"EUR", 3}, 9};
  const struct told told[] = {{&inventory_reserve_type, &reserve}, {&inventory_reserve_type, &none},
                              {&inventory_commit_type, &order},    {&order_confirmed_type, &confirmed},
                              {&inventory_release_type, &order},   {&inventory_set_stock_type, &stock},
                              {&inventory_put_product_type, &put}};
  for (size_t i = 0; i < BUS_COUNT(told); i++)
    torture(decide, &told[i]);
}
