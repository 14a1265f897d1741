/* Pages go by the primary key, so that each is short however large the table is. */
#include "reconcile_statements.h"

#define PAGE(columns, table)                                                                                           \
  [RECONCILE_SQL_PAGE] = {"SELECT " columns " FROM " table " o WHERE o.order_id > $1 "                                 \
                          "AND o.created_at >= to_timestamp($2::float8) ORDER BY o.order_id LIMIT $3",                 \
                          "uii"}
#define MESSAGES                                                                                                       \
  [RECONCILE_SQL_OUTBOX] = {"SELECT message_id FROM bus.outbox_messages LIMIT $1", "i"},                               \
  [RECONCILE_SQL_TAKEN] = {"SELECT count(*) FROM bus.inbox WHERE message_id = ANY ($1)", "U"}
/* A body of JSON without members that are NULL. */
#define BODY(members) "SELECT json_strip_nulls(json_build_object('order_id', " members "))::text "
#define PAYMENT(members, states)                                                                                       \
  BODY("coalesce(attempt_of, order_id), " members ", 'attempt', nullif(pay_attempt, 0)")                               \
  "FROM payments.payments WHERE $1 IN (order_id, attempt_of) AND pay_attempt = $2 AND state IN (" states ")"

static const struct bus_statement orders[] = {
    MESSAGES,
    PAGE("o.order_id, o.order_id, o.created_at, o.updated_at, o.status, o.total, o.refunded, o.attempts, o.pay_later, "
         "o.stock_settled, o.payment_settled, "
         "EXISTS (SELECT FROM orders.all_events e WHERE e.order_id = o.order_id AND e.type = 'stock.missing')",
         "orders.order_states"),
};

static const struct bus_statement inventory[] = {
    MESSAGES,
    PAGE("o.order_id, o.order_id, o.created_at, o.updated_at, CASE WHEN o.expires_at IS NULL THEN o.state END",
         "inventory.reservations"),
    [RECONCILE_SQL_RESERVED] =
        {BODY("r.order_id, 'total', r.total, 'currency', r.currency, 'items', "
              "(SELECT json_agg(json_build_object('product_id', i.product_id, 'quantity', "
              "i.quantity, 'unit_price', i.unit_price) ORDER BY i.position) "
              "FROM inventory.reservation_items i WHERE i.order_id = r.order_id)") "FROM inventory.reservations r "
                                                                                   "WHERE r.order_id = $1 AND "
                                                                                   "r.expires_at IS NULL "
                                                                                   "AND r.total IS NOT NULL",
         "u"},
};

static const struct bus_statement payments[] = {
    MESSAGES,
    PAGE(
        "o.order_id, coalesce(o.attempt_of, o.order_id), o.created_at, o.updated_at, o.state, o.pay_attempt, o.amount, "
        "o.refunded_amount, o.psp_id",
        "payments.payments"),
    [RECONCILE_SQL_CAPTURED] = {PAYMENT("'amount', amount, 'currency', currency",
                                        "'captured', 'refunding', 'refunded'"),
                                "ui"},
    [RECONCILE_SQL_REFUSED] = {PAYMENT("'reason', reason", "'declined', 'failed'"), "ui"},
    [RECONCILE_SQL_REFUNDED] = {PAYMENT("'amount', refunded_amount, 'currency', currency, 'left', "
                                        "nullif(amount - refunded_amount, 0)",
                                        "'captured', 'refunding', 'refunded'"),
                                "ui"},
};

#define ITEMS(more)                                                                                                    \
  "'items', (SELECT json_agg(json_build_object('product_id', i.product_id, 'quantity', i.quantity" more                \
  ") ORDER BY i.position) FROM unnest(o.product_ids, o.quantities, o.unit_prices) WITH ORDINALITY "                    \
  "AS i (product_id, quantity, unit_price, position))"

static const struct bus_statement order_log[] = {
    [RECONCILE_SQL_RESERVE] = {BODY("o.order_id, 'expected_total', o.expected_total, " ITEMS(
                                   "")) "FROM orders.orders o WHERE o.order_id = $1",
                               "u"},
    [RECONCILE_SQL_CONFIRMED] =
        {BODY("o.order_id, 'customer_id', o.customer_id, 'total', o.total, 'currency', "
              "o.currency, " ITEMS(
                  ", 'unit_price', i.unit_price")) "FROM orders.orders o WHERE o.order_id = $1 AND o.status = 4",
         "u"},
};
const struct bus_registry reconcile_log_statements = {order_log, BUS_COUNT(order_log)};

static const struct bus_statement orders_repairs[] = {
    [RECONCILE_SQL_PUT_OFF] = {"SELECT orders.put_off(make_interval(secs => $1::float8))", "i"},
};
const struct bus_registry reconcile_orders_repairs = {orders_repairs, BUS_COUNT(orders_repairs)};

static const struct bus_statement payments_repairs[] = {
    [RECONCILE_SQL_ADOPT] = {"SELECT payments.adopt($1, $2, $3, $4, $5, $6, $7, $8)", "uuiittit"},
};
const struct bus_registry reconcile_payments_repairs = {payments_repairs, BUS_COUNT(payments_repairs)};

const struct bus_registry reconcile_statements[STORY_BROKER] = {
    [STORY_ORDERS] = {orders, BUS_COUNT(orders)},
    [STORY_INVENTORY] = {inventory, BUS_COUNT(inventory)},
    [STORY_PAYMENTS] = {payments, BUS_COUNT(payments)},
};

bool reconcile_reader_open(const struct program *program, enum story_place place, int64_t timeout_ms,
                           struct bus_reader **ret, struct bus_error *err) {
  const struct bus_reader_settings settings =
      story_reader(&program->settings, program->settings.urls[place], &reconcile_statements[place], timeout_ms);
  return bus_reader_open(&settings, ret, err);
}
