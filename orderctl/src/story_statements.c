/* Reads through the views and columns that the migrations grant the operator's role. */
#include "story_statements.h"

#define OUTGOING                                                                                                       \
  [STORY_SQL_OUTGOING] = {"SELECT message_id, type, causation_id, unroutable, attempts, messages, created_at, "        \
                          "next_attempt_at FROM bus.outbox_messages WHERE correlation_id = $1 "                        \
                          "ORDER BY created_at LIMIT 200",                                                             \
                          "u"}
#define PARKED                                                                                                         \
  [STORY_SQL_PARKED] = {"SELECT message_id, queue, type, attempt, cause_class, cause, history, service_version, "      \
                        "parked_at FROM bus.parked WHERE correlation_id = $1 ORDER BY parked_at LIMIT 200",            \
                        "u"}
#define NOW "SELECT now()"

static const struct bus_statement orders[] = {
    OUTGOING,
    PARKED,
    [STORY_SQL_NOW] = {NOW, ""},
    [STORY_SQL_ORDER] = {"SELECT status, reason, total, currency, captured, refunded, stock_settled, payment_settled, "
                         "pay_later, attempts, version, resends, created_at, updated_at, deadline, causation_id "
                         "FROM orders.order_states WHERE order_id = $1",
                         "u"},
    [STORY_SQL_EVENTS] = {"SELECT seq, type, at FROM orders.all_events WHERE order_id = $1 ORDER BY seq LIMIT 200",
                          "u"},
    [STORY_SQL_CANCEL] = {"SELECT min(received_at) FROM orders.tombstones WHERE order_id = $1", "u"},
    [STORY_SQL_PLACE] = {"SELECT i.message_id, 'order.place', i.received_at FROM orders.order_states o "
                         "JOIN bus.inbox i ON i.message_id = o.causation_id WHERE o.order_id = $1",
                         "u"},
    [STORY_SQL_STUCK] = {"SELECT order_id FROM orders.order_states WHERE due_at IS NOT NULL "
                         "AND updated_at < now() - make_interval(secs => $1::float8) "
                         "AND NOT (status = 'AWAITING_PAYMENT' AND payment_settled AND deadline > now()) "
                         "ORDER BY due_at LIMIT $2",
                         "ii"},
};

static const struct bus_statement inventory[] = {
    OUTGOING,
    PARKED,
    [STORY_SQL_RESERVATION] = {"SELECT state, reason, created_at, updated_at, expected_until "
                               "FROM inventory.reservations WHERE order_id = $1 AND expires_at IS NULL",
                               "u"},
};

static const struct bus_statement payments[] = {
    OUTGOING,
    PARKED,
    [STORY_SQL_PAYMENTS] = {"SELECT pay_attempt, state, reason, amount, currency, refunds, refund_requested, attempts, "
                            "first_attempt_at, next_attempt_at, psp_id, created_at, updated_at, causation_id "
                            "FROM payments.payments WHERE order_id = $1 OR attempt_of = $1 ORDER BY pay_attempt",
                            "u"},
    [STORY_SQL_LEDGER] = {"SELECT l.entry, l.refund, l.amount, l.currency, l.psp_id, l.at FROM payments.ledger l "
                          "JOIN payments.payments p USING (order_id) WHERE p.order_id = $1 OR p.attempt_of = $1 "
                          "ORDER BY l.at LIMIT 200",
                          "u"},
    /* Lines of payment-svc's reconcile.h. */
    [STORY_SQL_MOVEMENTS] =
        {"SELECT concat_ws(E'\\t', coalesce(p.attempt_of, l.order_id), l.entry, l.amount, l.currency, "
         "l.psp_id, floor(extract(epoch FROM l.at))::int8) FROM payments.ledger l "
         "LEFT JOIN payments.payments p ON p.order_id = l.order_id "
         "WHERE l.at >= to_timestamp($1::float8) UNION ALL "
         "SELECT concat_ws(E'\\t', coalesce(attempt_of, order_id), 'open', amount, currency, "
         "coalesce(psp_id, '-'), floor(extract(epoch FROM updated_at))::int8) FROM payments.payments "
         "WHERE next_attempt_at IS NOT NULL AND state IN ('processing', 'refunding')",
         "i"},
    [STORY_SQL_REFUNDS] = {"SELECT refund_id, number, state, amount, created_at, updated_at FROM payments.refunds "
                           "WHERE order_id = $1 ORDER BY number LIMIT 200",
                           "u"},
    [STORY_SQL_COMMANDS] = {"SELECT i.message_id, 'a command', i.received_at FROM payments.payments p "
                            "JOIN bus.inbox i ON i.message_id = p.causation_id "
                            "WHERE p.order_id = $1 OR p.attempt_of = $1 ORDER BY i.received_at",
                            "u"},
};

static const struct bus_statement order_log[] = {
    [STORY_LOG_ORDERS] = {"SELECT order_id FROM orders.all_events WHERE at >= $1 AND at < $2 AND type IN "
                          "('order.created', 'order.confirmed', 'order.rejected', 'order.cancelled') "
                          "GROUP BY order_id ORDER BY min(at) LIMIT $3",
                          "zzi"},
    [STORY_LOG_OF_ORDER] = {"SELECT seq, type, at, data::text FROM orders.all_events WHERE order_id = $1 ORDER BY seq",
                            "u"},
};
const struct bus_registry story_log_statements = {order_log, BUS_COUNT(order_log)};

static const struct bus_statement outbox[] = {
    [OUTBOX_SQL_NOW] = {NOW, ""},
    [OUTBOX_SQL_GROUPS] =
        {"SELECT type, count(*), sum(messages)::int8, count(*) FILTER (WHERE next_attempt_at <= now()), "
         "count(*) FILTER (WHERE next_attempt_at > now() AND (attempts > 0 OR unroutable)), "
         "count(*) FILTER (WHERE unroutable), max(attempts), min(created_at), min(next_attempt_at) "
         "FROM bus.outbox GROUP BY type ORDER BY min(created_at)",
         ""},
};
const struct bus_registry outbox_statements = {outbox, BUS_COUNT(outbox)};

static const struct bus_statement fates[] = {
    /* How many of these messages were taken, and how many were dead-lettered. */
    [FATES_SQL_FATES] = {"SELECT (SELECT count(*) FROM bus.inbox WHERE message_id = ANY ($1)), "
                         "(SELECT count(DISTINCT message_id) FROM bus.parked WHERE message_id = ANY ($1))",
                         "U"},
    [FATES_SQL_FIRST] = {"SELECT min(received_at) FROM bus.inbox", ""},
};
const struct bus_registry fates_statements = {fates, BUS_COUNT(fates)};

const struct bus_registry story_statements[STORY_BROKER] = {
    [STORY_ORDERS] = {orders, BUS_COUNT(orders)},
    [STORY_INVENTORY] = {inventory, BUS_COUNT(inventory)},
    [STORY_PAYMENTS] = {payments, BUS_COUNT(payments)},
};
