/* The tables of the webhooks database, column by column. */
#include "notify.h"

#include <order_messages.h>

/* In rows a deleted endpoint has a name, too. */
static const char *const status_names[] = {"enabled", "disabled", "unconfirmed", "deleted", NULL};

#define E struct endpoint
#define SEALED(member, what) BUS_COLUMN_TEXT(E, member, WEBHOOK_SEALED_SECRET, WEBHOOK_SEALED_SECRET, what)
static const struct bus_column endpoints[] = {
    BUS_COLUMN_UUID(E, endpoint_id, BUS_KEY),
    BUS_COLUMN_TEXT(E, customer_id, 1, WEBHOOK_CUSTOMER_MAX, BUS_FIXED),
    BUS_COLUMN_TEXT(E, url, WEBHOOK_URL_MIN, WEBHOOK_URL_MAX, BUS_FIXED),
    BUS_COLUMN_INT64(E, events, 1, (1 << WEBHOOK_EVENTS) - 1, BUS_FIXED),
    BUS_COLUMN_TEXT(E, description, 1, WEBHOOK_DESCRIPTION_MAX, BUS_FIXED | BUS_NULL),
    BUS_COLUMN_TIME(E, created_at, BUS_FIXED),
    SEALED(secret, BUS_CHANGING),
    SEALED(old_secret, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(E, old_secret_until, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_UUID(E, rotation_id, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_NAME(E, status, int, status_names, BUS_CHANGING),
    BUS_COLUMN_NAME(E, cause, int, webhook_cause_names, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(E, disabled_at, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(E, failing_since, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_INT64(E, refusals, 0, INT64_MAX, BUS_CHANGING),
};
const struct bus_table endpoint_columns = BUS_COLUMN_TABLE("webhooks.endpoints", E, endpoints);

#define D struct delivery
static const struct bus_column deliveries[] = {
    BUS_COLUMN_UUID(D, delivery_id, BUS_KEY | BUS_VIEW),
    BUS_COLUMN_UUID(D, endpoint_id, BUS_FIXED),
    BUS_COLUMN_UUID(D, order_id, BUS_FIXED | BUS_NULL | BUS_VIEW),
    BUS_COLUMN_NAME(D, event, int, delivery_event_names, BUS_FIXED | BUS_VIEW),
    BUS_COLUMN_TEXT(D, payload, 2, NOTIFY_PAYLOAD_MAX, BUS_FIXED),
    BUS_COLUMN_TIME(D, created_at, BUS_FIXED | BUS_VIEW),
    BUS_COLUMN_NAME(D, status, int, delivery_status_names, BUS_CHANGING | BUS_VIEW),
    BUS_COLUMN_INT64(D, attempts, 0, INT64_MAX, BUS_CHANGING | BUS_VIEW),
    BUS_COLUMN_INT64(D, failures, 0, NOTIFY_SCHEDULE_MAX + 1, BUS_CHANGING),
    BUS_COLUMN_TIME(D, next_attempt_at, BUS_CHANGING | BUS_NULL | BUS_VIEW),
};
const struct bus_table delivery_columns = BUS_COLUMN_TABLE("webhooks.deliveries", D, deliveries);

#define A struct attempt
static const struct bus_column attempts[] = {
    BUS_COLUMN_UUID(A, delivery_id, BUS_KEY),
    BUS_COLUMN_INT64(A, number, 1, INT64_MAX, BUS_KEY),
    BUS_COLUMN_TIME(A, at, BUS_FIXED),
    BUS_COLUMN_INT64(A, status, 100, 999, BUS_FIXED | BUS_NULL),
    BUS_COLUMN_INT64(A, duration_ms, 0, INT64_MAX, BUS_FIXED),
    BUS_COLUMN_TEXT(A, note, 0, WEBHOOK_NOTE_MAX, BUS_FIXED | BUS_NULL),
};
const struct bus_table attempt_columns = BUS_COLUMN_TABLE("webhooks.attempts", A, attempts);

#define M struct mail_window
static const struct bus_column mail_windows[] = {
    BUS_COLUMN_TEXT(M, address_key, NOTIFY_MAIL_KEY, NOTIFY_MAIL_KEY, BUS_KEY),
    BUS_COLUMN_TIME(M, began_at, BUS_CHANGING),
    BUS_COLUMN_INT64(M, mails, 0, INT64_MAX, BUS_CHANGING),
};
const struct bus_table mail_window_columns = BUS_COLUMN_TABLE("webhooks.mail_windows", M, mail_windows);
