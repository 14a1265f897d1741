/* The messages that notify-svc takes and answers: field tables and types. */
#include "notify_messages.h"

#include <bus/pong.h>
#include <bus/trail.h>

#include <stdio.h>

#define EVENT_NAMES "order.confirmed", "order.cancelled", "order.rejected", "order.refunded", "webhook.disabled"
const char *const webhook_event_names[WEBHOOK_EVENTS + 1] = {EVENT_NAMES, NULL};
const char *const delivery_event_names[WEBHOOK_ALL_EVENTS + 1] = {EVENT_NAMES, "email.confirm", NULL};
const char *const webhook_status_names[] = {"enabled", "disabled", "unconfirmed", NULL};
const char *const webhook_cause_names[] = {"gone", "failing", "refused", NULL};
const char *const webhook_outcome_names[] = {"done",       "replayed",    "key_reused", "not_found",
                                             "too_many",   "bad_url",     "disabled",   "no_secret",
                                             "wrong_code", "unconfirmed", "no_address", NULL};
const char *const delivery_status_names[] = {"waiting", "delivered", "failed", NULL};

#define WEBHOOK_ID(S) BUS_FIELD_UUID(S, webhook_id, BUS_REQUIRED, "the webhook")
#define OWNER(S, presence)                                                                                             \
  BUS_FIELD_STRING(S, customer_id, BUS_VISIBLE, 1, WEBHOOK_CUSTOMER_MAX, presence, "who owns it")
#define URL(S)                                                                                                         \
  BUS_FIELD_STRING(S, url, BUS_VISIBLE, WEBHOOK_URL_MIN, WEBHOOK_URL_MAX, BUS_REQUIRED,                                \
                   "where webhooks are sent; of an address mailto: and it")
#define DESCRIPTION(S)                                                                                                 \
  BUS_FIELD_STRING(S, description, BUS_PLAIN, 1, WEBHOOK_DESCRIPTION_MAX, BUS_OPTIONAL, "the owner's own words")
#define EVENTS(S) BUS_FIELD_SET(S, events, webhook_event_names, 1, BUS_REQUIRED, "the events that it wants")

#define R struct webhook_request
#define REPLY_KEY                                                                                                      \
  BUS_FIELD_STRING(R, reply_key, BUS_TOKEN, WEBHOOK_REPLY_KEY, WEBHOOK_REPLY_KEY, BUS_REQUIRED,                        \
                   "the secret of the answer is sealed to it")
static const struct bus_field create_fields[] = {WEBHOOK_ID(R), OWNER(R, BUS_REQUIRED), URL(R),
                                                 EVENTS(R),     DESCRIPTION(R),         REPLY_KEY};
static const struct bus_field name_fields[] = {WEBHOOK_ID(R), OWNER(R, BUS_OPTIONAL)};
static const struct bus_field rotate_fields[] = {
    WEBHOOK_ID(R), OWNER(R, BUS_OPTIONAL),
    BUS_FIELD_UUID(R, rotation_id, BUS_REQUIRED, "of the client's idempotency key, or a new one"), REPLY_KEY};
static const struct bus_field confirm_fields[] = {WEBHOOK_ID(R), OWNER(R, BUS_OPTIONAL),
                                                  BUS_FIELD_STRING(R, code_hash, BUS_TOKEN, WEBHOOK_HASH_LEN,
                                                                   WEBHOOK_HASH_LEN, BUS_REQUIRED,
                                                                   "SHA-256 of the code in the mail, in hexadecimal")};
static const struct bus_field replay_fields[] = {
    WEBHOOK_ID(R), OWNER(R, BUS_OPTIONAL), BUS_FIELD_UUID(R, delivery_id, BUS_OPTIONAL, "this delivery"),
    BUS_FIELD_TIME(R, since, BUS_OPTIONAL, "deliveries that were made since then"),
    BUS_FIELD_BOOL(R, delivered, BUS_OPTIONAL, "since: also those that were delivered")};

#define REQUEST_TYPE(verb, fields)                                                                                     \
  static const struct bus_schema verb##_schema = BUS_SCHEMA("webhook." #verb, R, fields);                              \
  const struct bus_message_type webhook_##verb##_type = BUS_REQUEST("webhook." #verb ".v1", &verb##_schema, "edge")
REQUEST_TYPE(create, create_fields);
REQUEST_TYPE(delete, name_fields);
REQUEST_TYPE(rotate, rotate_fields);
REQUEST_TYPE(enable, name_fields);
REQUEST_TYPE(replay, replay_fields);
REQUEST_TYPE(confirm, confirm_fields);

#define V struct webhook_view
static const struct bus_field view_fields[] = {
    WEBHOOK_ID(V),
    URL(V),
    EVENTS(V),
    DESCRIPTION(V),
    BUS_FIELD_ENUM(
        V, status, webhook_status_names, BUS_REQUIRED,
        "disabled: nothing is sent until it is enabled; unconfirmed: an address that has not been confirmed yet"),
    BUS_FIELD_ENUM(
        V, cause, webhook_cause_names, BUS_OPTIONAL,
        "why it is disabled: it answered 410 Gone, every attempt has failed for days, or mails were refused"),
    BUS_FIELD_TIME(V, disabled_at, BUS_OPTIONAL, "since when it is disabled"),
    BUS_FIELD_TIME(V, failing_since, BUS_OPTIONAL, "every attempt since then has failed"),
    BUS_FIELD_TIME(V, old_secret_until, BUS_OPTIONAL, "until then the secret before signs, too"),
    BUS_FIELD_TIME(V, created_at, BUS_REQUIRED, "when it was made"),
};
const struct bus_schema webhook_view_schema = BUS_SCHEMA("webhook", V, view_fields);

static const struct bus_field answer_fields[] = {
    BUS_FIELD_ENUM(struct webhook_answer, outcome, webhook_outcome_names, BUS_REQUIRED, "what became of it"),
    BUS_FIELD_STRING(struct webhook_answer, reason, BUS_PLAIN, 1, WEBHOOK_REASON_MAX, BUS_OPTIONAL,
                     "what is wrong with the URL"),
    BUS_FIELD_OBJECT(struct webhook_answer, webhook, V, &webhook_view_schema, BUS_OPTIONAL, "the webhook"),
    BUS_FIELD_STRING(struct webhook_answer, secret, BUS_TOKEN, WEBHOOK_SEALED_SECRET, WEBHOOK_SEALED_SECRET,
                     BUS_OPTIONAL, "the sealed secret"),
};
const struct bus_schema webhook_answer_schema = BUS_SCHEMA("webhook.answer", struct webhook_answer, answer_fields);

static const struct bus_field get_fields[] = {WEBHOOK_ID(struct webhook_get), OWNER(struct webhook_get, BUS_OPTIONAL)};
static const struct bus_schema get_schema = BUS_SCHEMA("webhook.get", struct webhook_get, get_fields);

static const struct bus_field list_fields[] = {OWNER(struct webhook_list, BUS_REQUIRED)};
static const struct bus_schema list_schema = BUS_SCHEMA("webhook.list", struct webhook_list, list_fields);

static const struct bus_field page_fields[] = {
    BUS_FIELD_ARRAY(struct webhook_page, items, item_count, V, &webhook_view_schema, 0, WEBHOOK_ENDPOINTS_MAX,
                    BUS_REQUIRED, "all webhooks of the customer, oldest first"),
};
const struct bus_schema webhook_page_schema = BUS_SCHEMA("webhook.page", struct webhook_page, page_fields);

#define G struct webhook_deliveries_get
static const struct bus_field deliveries_get_fields[] = {
    WEBHOOK_ID(G),
    OWNER(G, BUS_OPTIONAL),
    BUS_FIELD_STRING(G, cursor, BUS_TOKEN, 1, WEBHOOK_CURSOR_MAX, BUS_OPTIONAL, "begin behind it"),
    BUS_FIELD_INT64(G, limit, 1, WEBHOOK_PAGE_MAX, BUS_REQUIRED, "how many at most"),
};
static const struct bus_schema deliveries_get_schema = BUS_SCHEMA("webhook.deliveries-get", G, deliveries_get_fields);

#define A struct webhook_attempt
static const struct bus_field attempt_fields[] = {
    BUS_FIELD_TIME(A, at, BUS_REQUIRED, "when it ended"),
    BUS_FIELD_INT64(A, status, 100, 999, BUS_OPTIONAL,
                    "the answer's status, of HTTP or SMTP; null: there was no answer"),
    BUS_FIELD_INT64(A, duration_ms, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "how long it took"),
    BUS_FIELD_STRING(A, note, BUS_TEXT, 0, WEBHOOK_NOTE_MAX, BUS_OPTIONAL,
                     "the beginning of the answer's body, or why there was no answer"),
};
static const struct bus_schema attempt_schema = BUS_SCHEMA("attempt", A, attempt_fields);

#define D struct webhook_delivery
static const struct bus_field delivery_fields[] = {
    BUS_FIELD_UUID(D, delivery_id, BUS_REQUIRED,
                   "the delivery, as in the header webhook-id, or in the Message-ID of a mail"),
    BUS_FIELD_ENUM(D, event, delivery_event_names, BUS_REQUIRED, "what it tells"),
    BUS_FIELD_UUID(D, order_id, BUS_OPTIONAL, "the order; null: it is about none"),
    BUS_FIELD_ENUM(D, status, delivery_status_names, BUS_REQUIRED, "what became of it"),
    BUS_FIELD_INT64(D, attempt_count, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "attempts so far"),
    BUS_FIELD_TIME(D, created_at, BUS_REQUIRED, "when the event came"),
    BUS_FIELD_TIME(D, next_attempt_at, BUS_OPTIONAL, "when it is tried next; null: it is not"),
    BUS_FIELD_ARRAY(D, attempts, shown_count, A, &attempt_schema, 0, WEBHOOK_ATTEMPTS_SHOWN, BUS_REQUIRED,
                    "the last attempts, oldest first"),
};
const struct bus_schema webhook_delivery_schema = BUS_SCHEMA("delivery", D, delivery_fields);

#define L struct webhook_deliveries
static const struct bus_field deliveries_fields[] = {
    BUS_FIELD_ENUM(L, outcome, webhook_outcome_names, BUS_REQUIRED, "done or not_found"),
    BUS_FIELD_ARRAY(L, items, item_count, D, &webhook_delivery_schema, 0, WEBHOOK_PAGE_MAX, BUS_REQUIRED,
                    "deliveries, newest first"),
    BUS_FIELD_STRING(L, next_cursor, BUS_TOKEN, 1, WEBHOOK_CURSOR_MAX, BUS_OPTIONAL,
                     "where the next page begins; null at the end"),
};
const struct bus_schema webhook_deliveries_schema = BUS_SCHEMA("webhook.deliveries", L, deliveries_fields);

static const struct bus_field ping_fields[] = {BUS_FIELD_BOOL(struct notify_ping, deep, BUS_OPTIONAL, "reserved")};
static const struct bus_schema ping_schema = BUS_SCHEMA("ping", struct notify_ping, ping_fields);

const struct bus_message_type webhook_get_type = BUS_QUERY("webhook.get.v1", &get_schema, "edge");
const struct bus_message_type webhook_list_type = BUS_QUERY("webhook.list.v1", &list_schema, "edge");
const struct bus_message_type webhook_deliveries_get_type =
    BUS_QUERY("webhook.deliveries-get.v1", &deliveries_get_schema, "edge");
const struct bus_message_type notify_ping_type = BUS_QUERY("notify.ping.v1", &ping_schema, "edge");
const struct bus_message_type notify_trail_type = BUS_TRAIL_QUERY("notify.trail.v1", "edge");
const struct bus_message_type webhook_answer_type = BUS_ANSWER("webhook.answer.v1", &webhook_answer_schema);
const struct bus_message_type webhook_page_type = BUS_ANSWER("webhook.page.v1", &webhook_page_schema);
const struct bus_message_type webhook_deliveries_type = BUS_ANSWER("webhook.deliveries.v1", &webhook_deliveries_schema);
const struct bus_message_type notify_pong_type = BUS_ANSWER("notify.pong.v1", &bus_pong_schema);

/* ---- ids ---- */

/* The namespace of the ids of webhooks; a constant for ever. */
static const struct bus_uuid webhook_namespace = {
    {0x77, 0x65, 0x62, 0x68, 0x6f, 0x6f, 0x4b, 0x73, 0x9e, 0x10, 0x69, 0x64, 0x73, 0x2e, 0x76, 0x31}};

enum { NAME_TEXT = WEBHOOK_CUSTOMER_MAX + 255 + 2 };

/* Neither part has a line break. */
void webhook_id_of(struct bus_str customer_id, struct bus_str key, struct bus_uuid *ret) {
  char name[NAME_TEXT];
  (void)snprintf(name, sizeof name, "%.*s\n%.*s", (int)customer_id.len, customer_id.data, (int)key.len, key.data);
  bus_uuid_v5(&webhook_namespace, bus_str(name), ret);
}

void webhook_rotation_id_of(const struct bus_uuid *webhook_id, struct bus_str key, struct bus_uuid *ret) {
  bus_uuid_v5(webhook_id, key, ret);
}
