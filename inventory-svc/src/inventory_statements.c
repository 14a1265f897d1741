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
    [FIND_HELD_PUT_OFF] =
        BUS_STATEMENT("SELECT order_id FROM inventory.reservations WHERE state = 'RESERVED' "
                      "AND expires_at IS NULL AND expected_until > now() + $1 * interval '1 microsecond' "
                      "ORDER BY expected_until DESC LIMIT 100",
                      "i"),
    /* The page of products behind $1, at most $2: how many, the last one, how many have fewer than $3, and none. */
    [WALK_STOCK] = BUS_STATEMENT(
        "SELECT count(*), coalesce(max(product_id), ''), count(*) FILTER (WHERE on_hand < $3 AND NOT withdrawn), "
        "count(*) FILTER (WHERE on_hand = 0 AND NOT withdrawn) FROM (SELECT product_id, on_hand, withdrawn "
        "FROM inventory.products WHERE product_id > $1 ORDER BY product_id LIMIT $2) page",
        "tii"),
};

/* A page of products on sale behind each cursor, pages in the order of the rows. */
#define PAGE(source, condition, order, words, letters)                                                                 \
  BUS_STATEMENT_OF(&product_columns,                                                                                   \
                   "SELECT n.page, {p.row} FROM unnest($1, $2, $3, $4, $5, $6" words                                   \
                   ") WITH ORDINALITY AS n (most, min_price, max_price, on_hand, price, id" source                     \
                   "WHERE NOT withdrawn AND c.price BETWEEN n.min_price AND n.max_price AND c.on_hand >= n.on_hand "   \
                   "AND " condition " ORDER BY " order " LIMIT n.most) p ORDER BY n.page, " order,                     \
                   letters)
#define PAGE_OF(...) PAGE(__VA_ARGS__)
#define LIST(by) PAGE_OF(", page), LATERAL (SELECT * FROM inventory.products c ", by, "", "IIIIIT")
/* OFFSET 0: the words' index finds the products, and no other index is read to its end for products in order. */
#define SEARCH(by)                                                                                                     \
  PAGE_OF(", words, page), LATERAL (SELECT * FROM (SELECT * FROM inventory.products WHERE NOT withdrawn "              \
          "AND to_tsvector('simple', name) @@ websearch_to_tsquery('simple', n.words) OFFSET 0) c ",                   \
          by, ", $7", "IIIIITT")
#define BY_ID "product_id > n.id", "product_id"
#define BY_PRICE "(price, product_id) > (n.price, n.id)", "price, product_id"
#define BY_PRICE_DOWN "(price, product_id) < (n.price, n.id)", "price DESC, product_id DESC"

static const struct bus_recipe query_recipes[INVENTORY_QUERY_STATEMENTS] = {
    [GET_PRODUCTS] = BUS_STATEMENT_OF(&product_columns,
                                      "SELECT {p.row} FROM inventory.products p WHERE p.product_id = ANY ($1) "
                                      "ORDER BY p.product_id",
                                      "T"),
    [GET_RESERVATIONS] = BUS_STATEMENT_OF(
        &reservation_columns, "SELECT {r.row} FROM inventory.reservations r WHERE r.order_id = ANY ($1)", "U"),
    [LIST_PRODUCTS] = LIST(BY_ID),
    [LIST_PRODUCTS + PRODUCTS_BY_PRICE] = LIST(BY_PRICE),
    [LIST_PRODUCTS + PRODUCTS_BY_PRICE_DOWN] = LIST(BY_PRICE_DOWN),
    [SEARCH_PRODUCTS] = SEARCH(BY_ID),
    [SEARCH_PRODUCTS + PRODUCTS_BY_PRICE] = SEARCH(BY_PRICE),
    [SEARCH_PRODUCTS + PRODUCTS_BY_PRICE_DOWN] = SEARCH(BY_PRICE_DOWN),
};

struct bus_statement inventory_statements[INVENTORY_STATEMENTS], inventory_query_statements[INVENTORY_QUERY_STATEMENTS];

bool inventory_statements_make(void) {
  return bus_recipes_make(recipes, INVENTORY_STATEMENTS, inventory_statements) &&
         bus_recipes_make(query_recipes, INVENTORY_QUERY_STATEMENTS, inventory_query_statements);
}
