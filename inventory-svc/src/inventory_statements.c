/* Every SQL statement of inventory-svc. */
#include "inventory_statements.h"

/* Arrays of one statement have one length: the shorter is filled up with NULLs, which equal nothing. */
const struct bus_statement inventory_statements[INVENTORY_STATEMENTS] = {
    [LOCK_RESERVATIONS] =
        {"SELECT order_id, state, reason, product_id, total, currency, created_at, "
         "expected_until FROM inventory.reservations WHERE order_id = ANY ($1) ORDER BY order_id FOR UPDATE",
         "U"},
    /* Those that messages name, and those of the reservations that they name. */
    [LOCK_PRODUCTS] = {"SELECT product_id, name, price, currency, on_hand, reserved, sold, received, version "
                       "FROM inventory.products WHERE product_id = ANY (ARRAY("
                       "SELECT unnest($1) UNION "
                       "SELECT unnest(product_ids) FROM inventory.reservations WHERE order_id = ANY ($2))) "
                       "ORDER BY product_id FOR UPDATE",
                       "TU"},
    [READ_ITEMS] = {"SELECT r.order_id, i.product_id, i.quantity, i.unit_price FROM inventory.reservations r, "
                    "unnest(r.product_ids, r.quantities, r.unit_prices) WITH ORDINALITY "
                    "AS i (product_id, quantity, unit_price, position) "
                    "WHERE r.order_id = ANY ($1) ORDER BY r.order_id, i.position",
                    "U"},
    [READ_REQUESTS] = {"SELECT request_id, product_id, on_hand FROM inventory.stock_requests "
                       "WHERE request_id = ANY ($1)",
                       "U"},
    [INSERT_RESERVATIONS] =
        {"INSERT INTO inventory.reservations (order_id, state, reason, product_id, total, currency, expected_until, "
         "product_ids, quantities, unit_prices) "
         "SELECT order_id, state, reason, product_id, total, currency, expected_until, "
         "string_to_array(product_ids, ','), string_to_array(quantities, ',')::bigint[], "
         "string_to_array(unit_prices, ',')::bigint[] "
         "FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS n (order_id, state, reason, "
         "product_id, total, currency, expected_until, product_ids, quantities, unit_prices)",
         "UTTTITZTTT"},
    [MOVE_RESERVATIONS] = {"UPDATE inventory.reservations r SET state = n.state, expected_until = n.expected_until, "
                           "updated_at = now() FROM unnest($1, $2, $3) AS n (order_id, state, expected_until) "
                           "WHERE r.order_id = n.order_id",
                           "UTZ"},
    [UPDATE_STOCK] = {"UPDATE inventory.products p SET on_hand = n.on_hand, reserved = n.reserved, sold = n.sold, "
                      "received = n.received, version = n.version, updated_at = now() "
                      "FROM unnest($1, $2, $3, $4, $5, $6) AS n (product_id, on_hand, reserved, sold, received, "
                      "version) WHERE p.product_id = n.product_id",
                      "TIIIII"},
    [UPDATE_CARDS] = {"UPDATE inventory.products p SET name = n.name, price = n.price, currency = n.currency "
                      "FROM unnest($1, $2, $3, $4) AS n (product_id, name, price, currency) "
                      "WHERE p.product_id = n.product_id",
                      "TTIT"},
    [INSERT_PRODUCTS] = {"INSERT INTO inventory.products (product_id, name, price, currency, on_hand, reserved, sold, "
                         "received, version) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                         "TTITIIIII"},
    [INSERT_REQUESTS] = {"INSERT INTO inventory.stock_requests (request_id, product_id, on_hand) "
                         "SELECT * FROM unnest($1, $2, $3)",
                         "UTI"},
    [PURGE_REQUESTS] = {"DELETE FROM inventory.stock_requests WHERE request_id = ANY (ARRAY("
                        "SELECT request_id FROM inventory.stock_requests "
                        "WHERE created_at < now() - interval '7 days' ORDER BY created_at LIMIT 1000))",
                        ""},
    [FIND_HELD] = {"SELECT order_id FROM inventory.reservations WHERE state = 'RESERVED' AND expected_until <= now() "
                   "ORDER BY expected_until LIMIT 100",
                   ""},
};

const struct bus_statement inventory_query_statements[INVENTORY_QUERY_STATEMENTS] = {
    [GET_PRODUCTS] = {"SELECT product_id, name, price, currency, on_hand, reserved, sold, received, version "
                      "FROM inventory.products WHERE product_id = ANY ($1) ORDER BY product_id",
                      "T"},
    /* A page behind each cursor, pages in the order of the rows. */
    [LIST_PRODUCTS] = {"SELECT p.product_id, p.name, p.price, p.currency, p.on_hand, p.reserved, p.sold, p.received, "
                       "p.version, n.page FROM unnest($1, $2) WITH ORDINALITY AS n (cursor, most, page), "
                       "LATERAL (SELECT * FROM inventory.products WHERE product_id > n.cursor "
                       "ORDER BY product_id LIMIT n.most) p ORDER BY n.page, p.product_id",
                       "TI"},
};
