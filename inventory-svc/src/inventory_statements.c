/* Every SQL statement of inventory-svc. */
#include "inventory_statements.h"

#include "inventory_columns.h"

static const struct bus_recipe recipes[INVENTORY_STATEMENTS] = {
    [LOCK_RESERVATIONS] = BUS_LOCK(&reservation_columns),
    /* Those that messages name, and those of the reservations that they name. */
    [LOCK_PRODUCTS] =
        BUS_STATEMENT_OF(&product_columns,
                         "SELECT {p.row} FROM inventory.products p WHERE p.product_id = ANY (ARRAY("
                         "SELECT unnest($1) UNION "
                         "SELECT unnest(product_ids) FROM inventory.reservations WHERE order_id = ANY ($2))) "
                         "ORDER BY p.product_id FOR UPDATE",
                         "TU"),
    [READ_REQUESTS] = BUS_STATEMENT_OF(
        &request_columns, "SELECT {r.row} FROM inventory.stock_requests r WHERE r.request_id = ANY ($1)", "U"),
    [INSERT_RESERVATIONS] = BUS_INSERT(&reservation_columns),
    [UPDATE_RESERVATIONS] = BUS_UPDATE(&reservation_columns),
    [INSERT_PRODUCTS] = BUS_INSERT(&product_columns),
    [UPDATE_PRODUCTS] = BUS_UPDATE(&product_columns),
    [INSERT_REQUESTS] = BUS_INSERT(&request_columns),
    [PURGE_REQUESTS] = BUS_STATEMENT("DELETE FROM inventory.stock_requests WHERE request_id = ANY (ARRAY("
                                     "SELECT request_id FROM inventory.stock_requests "
                                     "WHERE created_at < now() - interval '7 days' ORDER BY created_at LIMIT 1000))",
                                     ""),
    [FIND_HELD] = BUS_STATEMENT(
        "SELECT order_id FROM inventory.reservations WHERE state = 'RESERVED' AND expected_until <= now() "
        "ORDER BY expected_until LIMIT 100",
        ""),
    /* Expected later than anything can be: by the time of before the server's clock was set back. */
    [FIND_HELD_PUT_OFF] = BUS_STATEMENT("SELECT order_id FROM inventory.reservations WHERE state = 'RESERVED' "
                                        "AND expected_until > now() + $1 * interval '1 microsecond' "
                                        "ORDER BY expected_until DESC LIMIT 100",
                                        "i"),
};

static const struct bus_recipe query_recipes[INVENTORY_QUERY_STATEMENTS] = {
    [GET_PRODUCTS] = BUS_STATEMENT_OF(&product_columns,
                                      "SELECT {p.row} FROM inventory.products p WHERE p.product_id = ANY ($1) "
                                      "ORDER BY p.product_id",
                                      "T"),
    /* A page behind each cursor, pages in the order of the rows. */
    [LIST_PRODUCTS] = BUS_STATEMENT_OF(&product_columns,
                                       "SELECT n.page, {p.row} FROM unnest($1, $2) WITH ORDINALITY "
                                       "AS n (cursor, most, page), LATERAL (SELECT * FROM inventory.products "
                                       "WHERE product_id > n.cursor ORDER BY product_id LIMIT n.most) p "
                                       "ORDER BY n.page, p.product_id",
                                       "TI"),
};

struct bus_statement inventory_statements[INVENTORY_STATEMENTS], inventory_query_statements[INVENTORY_QUERY_STATEMENTS];

bool inventory_statements_make(void) {
  return bus_recipes_make(recipes, INVENTORY_STATEMENTS, inventory_statements) &&
         bus_recipes_make(query_recipes, INVENTORY_QUERY_STATEMENTS, inventory_query_statements);
}
