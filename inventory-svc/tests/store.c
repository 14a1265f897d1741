/* inventory-svc's store on a link to a real Postgres. */
#include "store.h"

#include "inventory_queries.h"
#include "inventory_statements.h"
#include "inventory_store.h"

#include <test.h>

static const struct bus_service commands = {.name = "inventory-svc",
                                            .statements = inventory_statements,
                                            .statement_count = INVENTORY_STATEMENTS,
                                            .lock = inventory_lock,
                                            .load = inventory_load,
                                            .decide = inventory_decide,
                                            .store = inventory_store};
static const struct bus_service queries = {.name = "inventory-svc",
                                           .statements = inventory_query_statements,
                                           .statement_count = INVENTORY_QUERY_STATEMENTS,
                                           .lock = inventory_query_lock,
                                           .load = inventory_query_load,
                                           .decide = inventory_query_decide};

struct link *store_connect(const struct migrated *database) {
  assert_true(inventory_statements_make());
  return link_connect(database, &commands);
}

struct link *store_connect_queries(const struct migrated *database) {
  assert_true(inventory_statements_make());
  return link_connect(database, &queries);
}

void store_put(struct link *link, const char *id, int64_t price, const char *currency, int64_t on_hand) {
  const struct inventory_put_product body = {.product_id = bus_str(id),
                                             .name = BUS_STR("Ein Ding"),
                                             .price = price,
                                             .currency = bus_str(currency),
                                             .on_hand = on_hand};
  link_add(link, &inventory_put_product_type, &body);
  assert_true(link_run(link));
}
