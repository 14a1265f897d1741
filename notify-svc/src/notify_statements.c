/* Every SQL statement of notify-svc. */
#include "notify_statements.h"

#include "notify.h"

/* No more rows are counted for gauges. */
#define GAUGE_MAX "10000"
#define PURGE_MAX "1000"

static const struct bus_recipe recipes[NOTIFY_STATEMENTS] = {
    /* A new endpoint counts those of its customer: two at once would count past each other. */
    [LOCK_CUSTOMERS] = BUS_STATEMENT("SELECT pg_advisory_xact_lock(hashtextextended(c.id, 0)) IS NULL FROM (SELECT "
                                     "DISTINCT unnest($1) AS id ORDER BY 1) AS c",
                                     "T"),
    [LOCK_ENDPOINTS] = BUS_STATEMENT_OF(
        &endpoint_columns,
        "SELECT {e.row} FROM webhooks.endpoints e WHERE e.endpoint_id = ANY (ARRAY(SELECT unnest($1) UNION "
        "SELECT c.endpoint_id FROM webhooks.endpoints c WHERE c.customer_id = ANY ($2))) "
        "ORDER BY e.endpoint_id FOR UPDATE",
        "UT"),
    [LOCK_DELIVERIES] = BUS_LOCK(&delivery_columns),
    [INSERT_ENDPOINTS] = BUS_INSERT(&endpoint_columns),
    [UPDATE_ENDPOINTS] = BUS_UPDATE(&endpoint_columns),
    /* An event that order-svc tells again is the same delivery. */
    [INSERT_DELIVERIES] = BUS_STATEMENT("INSERT INTO webhooks.deliveries (delivery_id, endpoint_id, order_id, event, "
                                        "payload, created_at, status, attempts, failures, next_attempt_at) "
                                        "SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
                                        "ON CONFLICT (delivery_id) DO NOTHING",
                                        "UUUTTZTIIZ"),
    [UPDATE_DELIVERIES] = BUS_UPDATE(&delivery_columns),
    [INSERT_ATTEMPTS] = BUS_INSERT(&attempt_columns),
    [REPLAY_DELIVERIES] =
        BUS_STATEMENT("UPDATE webhooks.deliveries u SET status = 'waiting', failures = 0, next_attempt_at = now() "
                      "WHERE u.delivery_id = ANY (ARRAY(SELECT d.delivery_id FROM unnest($2, $3, $4) AS n "
                      "(endpoint_id, since, all_of), "
                      "LATERAL (SELECT c.delivery_id FROM webhooks.deliveries c WHERE c.endpoint_id = n.endpoint_id "
                      "AND c.created_at >= n.since AND c.status <> 'waiting' AND (n.all_of OR c.status = 'failed') "
                      "ORDER BY c.created_at LIMIT $1) d))",
                      "iUZL"),
    /* For each endpoint that has something waiting, some rows that are due: a long queue of one endpoint hides no
     * other's. In parentheses, as statements that only read are known. */
    [FIND_DUE] = BUS_STATEMENT(
        "(WITH RECURSIVE w (id) AS ((SELECT d.endpoint_id FROM webhooks.deliveries d WHERE d.next_attempt_at IS NOT "
        "NULL "
        "AND d.endpoint_id > $1 ORDER BY d.endpoint_id LIMIT 1) UNION ALL "
        "SELECT (SELECT d.endpoint_id FROM webhooks.deliveries d WHERE d.next_attempt_at IS NOT NULL "
        "AND d.endpoint_id > w.id ORDER BY d.endpoint_id LIMIT 1) FROM w WHERE w.id IS NOT NULL) "
        "SELECT d.delivery_id, w.id FROM w JOIN webhooks.endpoints e ON e.endpoint_id = w.id AND e.status = 'enabled' "
        "CROSS JOIN LATERAL (SELECT c.delivery_id FROM webhooks.deliveries c WHERE c.endpoint_id = w.id "
        "AND c.next_attempt_at <= now() ORDER BY c.next_attempt_at LIMIT $3) d LIMIT $2)",
        "uii"),
    [LOOK_AFTER] = BUS_STATEMENT(
        "SELECT count(*), coalesce((extract(epoch FROM now() - min(o.created_at)) * 1000000)::bigint, 0) "
        "FROM (SELECT d.created_at FROM webhooks.deliveries d JOIN webhooks.endpoints e USING (endpoint_id) "
        "WHERE d.next_attempt_at IS NOT NULL AND e.status = 'enabled' LIMIT " GAUGE_MAX ") AS o",
        ""),
    [PURGE_DELIVERIES] = BUS_STATEMENT(
        "DELETE FROM webhooks.deliveries WHERE delivery_id = ANY (ARRAY(SELECT delivery_id FROM webhooks.deliveries "
        "WHERE created_at < now() - $1 * interval '1 microsecond' ORDER BY created_at LIMIT " PURGE_MAX "))",
        "i"),
    [PURGE_OF_DELETED] = BUS_STATEMENT(
        "DELETE FROM webhooks.deliveries WHERE delivery_id = ANY (ARRAY(SELECT d.delivery_id FROM (SELECT endpoint_id "
        "FROM webhooks.endpoints WHERE status = 'deleted' ORDER BY endpoint_id LIMIT 100) AS e, "
        "LATERAL (SELECT c.delivery_id FROM webhooks.deliveries c WHERE c.endpoint_id = e.endpoint_id LIMIT " PURGE_MAX
        ") d LIMIT " PURGE_MAX "))",
        ""),
    [PURGE_ENDPOINTS] = BUS_STATEMENT(
        "DELETE FROM webhooks.endpoints e WHERE e.endpoint_id = ANY (ARRAY(SELECT endpoint_id FROM webhooks.endpoints "
        "WHERE status = 'deleted' ORDER BY endpoint_id LIMIT 100)) AND NOT EXISTS (SELECT FROM webhooks.deliveries d "
        "WHERE d.endpoint_id = e.endpoint_id)",
        ""),
};

/* The deliveries of a page: n is the page asked for, d one of its deliveries. */
#define PAGE                                                                                                           \
  "FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS n (endpoint_id, most, behind_at, behind_id, page), "                 \
  "LATERAL (SELECT * FROM webhooks.deliveries c WHERE c.endpoint_id = n.endpoint_id "                                  \
  "AND (c.created_at, c.delivery_id) < (n.behind_at, n.behind_id) "                                                    \
  "ORDER BY c.created_at DESC, c.delivery_id DESC LIMIT n.most) d "
#define PAGE_PARAMS "UIZU"

static const struct bus_recipe query_recipes[NOTIFY_QUERY_STATEMENTS] = {
    [GET_ENDPOINTS] = BUS_READ(&endpoint_columns),
    [LIST_ENDPOINTS] = BUS_STATEMENT_OF(
        &endpoint_columns,
        "SELECT n.page, {e.row} FROM unnest($1) WITH ORDINALITY AS n (customer_id, page), LATERAL (SELECT * FROM "
        "webhooks.endpoints c WHERE c.customer_id = n.customer_id AND c.status <> 'deleted' "
        "ORDER BY c.created_at, c.endpoint_id) e ORDER BY n.page, e.created_at, e.endpoint_id",
        "T"),
    [PAGE_DELIVERIES] = BUS_STATEMENT_OF(
        &delivery_columns, "SELECT n.page, {d.view} " PAGE "ORDER BY n.page, d.created_at DESC, d.delivery_id DESC",
        PAGE_PARAMS),
    [PAGE_ATTEMPTS] = BUS_STATEMENT_OF(
        &attempt_columns,
        "SELECT n.page, {a.row} " PAGE ", LATERAL (SELECT * FROM webhooks.attempts t WHERE t.delivery_id = "
        "d.delivery_id ORDER BY t.number DESC LIMIT 10) a ORDER BY n.page, a.delivery_id, a.number",
        PAGE_PARAMS),
};
_Static_assert(WEBHOOK_ATTEMPTS_SHOWN == 10, "PAGE_ATTEMPTS says so");

struct bus_statement notify_statements[NOTIFY_STATEMENTS], notify_query_statements[NOTIFY_QUERY_STATEMENTS];

bool notify_statements_make(void) {
  return bus_recipes_make(recipes, NOTIFY_STATEMENTS, notify_statements) &&
         bus_recipes_make(query_recipes, NOTIFY_QUERY_STATEMENTS, notify_query_statements);
}
