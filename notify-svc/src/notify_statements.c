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
    [LOCK_MAIL_WINDOWS] = BUS_LOCK(&mail_window_columns),
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
    /* Two processes may begin the window of one address at once. */
    [INSERT_MAIL_WINDOWS] = BUS_STATEMENT("INSERT INTO webhooks.mail_windows AS w (address_key, began_at, mails) "
                                          "SELECT * FROM unnest($1, $2, $3) ON CONFLICT (address_key) "
                                          "DO UPDATE SET mails = w.mails + EXCLUDED.mails",
                                          "TZI"),
    [UPDATE_MAIL_WINDOWS] = BUS_UPDATE(&mail_window_columns),
    /* Other endpoints of the customer that want to know; an endpoint is disabled once, so that the id may be any. */
    [TELL_DISABLED] = BUS_STATEMENT(
        "INSERT INTO webhooks.deliveries (delivery_id, endpoint_id, event, payload, created_at, status, attempts, "
        "failures, next_attempt_at) SELECT gen_random_uuid(), e.endpoint_id, 'webhook.disabled', n.payload, now(), "
        "'waiting', 0, 0, now() FROM unnest($1, $2) AS n (endpoint_id, payload) JOIN webhooks.endpoints d USING "
        "(endpoint_id) JOIN webhooks.endpoints e ON e.customer_id = d.customer_id AND e.endpoint_id <> d.endpoint_id "
        "WHERE e.status = 'enabled' AND e.events & 16 <> 0",
        "UT"),
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
        "SELECT d.delivery_id, w.id, CASE WHEN e.url LIKE 'mailto:%' THEN e.url END, e.status = 'enabled' "
        "FROM w JOIN webhooks.endpoints e ON e.endpoint_id = w.id AND e.status IN ('enabled', 'unconfirmed') "
        "CROSS JOIN LATERAL (SELECT c.delivery_id FROM webhooks.deliveries c WHERE c.endpoint_id = w.id "
        "AND c.next_attempt_at <= now() ORDER BY c.next_attempt_at LIMIT $3) d LIMIT $2)",
        "uii"),
    [LOOK_AFTER] = BUS_STATEMENT(
        "SELECT count(*), coalesce((extract(epoch FROM now() - min(o.created_at)) * 1000000)::bigint, 0), "
        "coalesce(max(o.overdue) FILTER (WHERE NOT o.mail), 0), coalesce(max(o.overdue) FILTER (WHERE o.mail), 0) "
        "FROM (SELECT d.created_at, e.url LIKE 'mailto:%' AS mail, CASE WHEN e.failing_since IS NULL THEN "
        "greatest(0, extract(epoch FROM now() - d.next_attempt_at) * 1000000)::bigint END AS overdue "
        "FROM webhooks.deliveries d JOIN webhooks.endpoints e USING (endpoint_id) "
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
    /* An address that was not confirmed within a day goes the way of deleted endpoints. */
    [PURGE_UNCONFIRMED] = BUS_STATEMENT(
        "UPDATE webhooks.endpoints e SET status = 'deleted', disabled_at = now() WHERE e.endpoint_id = ANY (ARRAY("
        "SELECT endpoint_id FROM webhooks.endpoints WHERE status = 'unconfirmed' AND created_at < now() - interval '1 "
        "day' "
        "ORDER BY endpoint_id LIMIT " PURGE_MAX "))",
        ""),
    [PURGE_MAIL_WINDOWS] =
        BUS_STATEMENT("DELETE FROM webhooks.mail_windows WHERE address_key = ANY (ARRAY(SELECT address_key FROM "
                      "webhooks.mail_windows "
                      "WHERE began_at < now() - interval '1 day' ORDER BY began_at LIMIT " PURGE_MAX "))",
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
_Static_assert(1 << WEBHOOK_WEBHOOK_DISABLED == 16, "TELL_DISABLED says so");
_Static_assert(WEBHOOK_ATTEMPTS_SHOWN == 10, "PAGE_ATTEMPTS says so");

struct bus_statement notify_statements[NOTIFY_STATEMENTS], notify_query_statements[NOTIFY_QUERY_STATEMENTS];

bool notify_statements_make(void) {
  return bus_recipes_make(recipes, NOTIFY_STATEMENTS, notify_statements) &&
         bus_recipes_make(query_recipes, NOTIFY_QUERY_STATEMENTS, notify_query_statements);
}
