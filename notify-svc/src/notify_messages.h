/* The messages that notify-svc takes and answers: structs, bounds and types. Pure.
 *
 * The secret of a webhook is in no message in clear: an answer seals it (bus/secret.h) to the request's reply_key. */
#pragma once

#include <bus/field.h>
#include <bus/message.h>

/* Bytes of texts, here, in rows and in their CHECKs. */
enum {
  WEBHOOK_URL_MIN = 8,
  WEBHOOK_URL_MAX = 512,
  WEBHOOK_DESCRIPTION_MAX = 200,
  WEBHOOK_CUSTOMER_MAX = 64,
  WEBHOOK_SECRET_BYTES = 32,
  WEBHOOK_SECRET_TEXT = 50,    /* "whsec_" and base64 of them */
  WEBHOOK_SEALED_SECRET = 131, /* of that text */
  WEBHOOK_REPLY_KEY = 43,
  WEBHOOK_NOTE_MAX = 200, /* of what an endpoint answered, or why it did not */
  WEBHOOK_REASON_MAX = 300,
  WEBHOOK_CURSOR_MAX = 63,
  WEBHOOK_HASH_LEN = 64, /* SHA-256 in hexadecimal */
};
enum {
  WEBHOOK_ENDPOINTS_MAX = 10, /* of a customer */
  WEBHOOK_PAGE_MAX = 50,
  WEBHOOK_ATTEMPTS_SHOWN = 10, /* of a delivery, the last ones */
  WEBHOOK_REPLAY_MAX = 10000,  /* deliveries of one request */
};

/* Types of webhooks, which an endpoint may want, and bits of a set; behind them those that are sent unasked. */
enum webhook_event {
  WEBHOOK_ORDER_CONFIRMED,
  WEBHOOK_ORDER_CANCELLED,
  WEBHOOK_ORDER_REJECTED,
  WEBHOOK_ORDER_REFUNDED,
  WEBHOOK_WEBHOOK_DISABLED, /* another endpoint of the customer */
  WEBHOOK_EVENTS,
  WEBHOOK_EMAIL_CONFIRM = WEBHOOK_EVENTS, /* to an address that is to be confirmed */
  WEBHOOK_ALL_EVENTS,
};
extern const char *const webhook_event_names[WEBHOOK_EVENTS + 1], *const delivery_event_names[WEBHOOK_ALL_EVENTS + 1];

/* An endpoint as its owner sees it. UNCONFIRMED: an address, to which nothing is sent but its code. */
enum webhook_status { WEBHOOK_ENABLED, WEBHOOK_DISABLED, WEBHOOK_UNCONFIRMED, WEBHOOK_DELETED };
extern const char *const webhook_status_names[]; /* without the last: nobody sees a deleted one */
enum webhook_cause {
  WEBHOOK_GONE,    /* it answered 410 */
  WEBHOOK_FAILING, /* all attempts have failed for too long */
  WEBHOOK_REFUSED, /* an address: mails were refused for good, one after the other */
};
enum { WEBHOOK_CAUSES = WEBHOOK_REFUSED + 1 };
extern const char *const webhook_cause_names[];

struct webhook_view {
  struct bus_uuid webhook_id;
  struct bus_str url, description;
  int64_t events; /* a set of enum webhook_event */
  int status;
  int cause;                 /* DISABLED: why; else -1 */
  bus_time disabled_at;      /* DISABLED */
  bus_time failing_since;    /* BUS_NO_TIME: the last attempt succeeded, or there was none */
  bus_time old_secret_until; /* BUS_NO_TIME: there is one secret */
  bus_time created_at;
};

/* All requests; each type's table has the members that it needs. */
struct webhook_request {
  struct bus_uuid webhook_id;
  struct bus_str customer_id; /* who must own it; absent: anybody may */
  struct bus_str url, description;
  int64_t events;
  struct bus_str reply_key;    /* the secret of the answer is sealed to it */
  struct bus_uuid rotation_id; /* of the client's idempotency key: a repetition has the same */
  struct bus_uuid delivery_id; /* replay: this one */
  bus_time since;              /* replay: those that were made since then */
  bool delivered;              /* replay since: also those that were delivered */
  struct bus_str code_hash;    /* confirm: SHA-256 of the code, which no message has in clear */
};

enum webhook_outcome {
  WEBHOOK_DONE,
  WEBHOOK_REPLAYED,   /* create: the same request again */
  WEBHOOK_KEY_REUSED, /* create: the key of another request */
  WEBHOOK_NOT_FOUND,
  WEBHOOK_TOO_MANY,      /* create: the customer has WEBHOOK_ENDPOINTS_MAX */
  WEBHOOK_BAD_URL,       /* create: reason says why */
  WEBHOOK_IS_DISABLED,   /* replay: enable it first */
  WEBHOOK_NO_SECRET,     /* rotate: an address has none */
  WEBHOOK_WRONG_CODE,    /* confirm */
  WEBHOOK_NOT_CONFIRMED, /* enable: confirm it first */
  WEBHOOK_NO_ADDRESS,    /* confirm: a webhook needs no confirmation */
};
extern const char *const webhook_outcome_names[];

/* webhook.answer.v1 */
struct webhook_answer {
  int outcome;
  struct bus_str reason;        /* BAD_URL */
  struct webhook_view *webhook; /* NULL where there is none to show */
  struct bus_str secret;        /* sealed; create and rotate alone, and not of an address */
};

/* Queries. */
struct webhook_get {
  struct bus_uuid webhook_id;
  struct bus_str customer_id;
};
struct webhook_list {
  struct bus_str customer_id;
};
struct webhook_page {
  struct webhook_view *items;
  size_t item_count;
};
/* Newest first. cursor: from order_cursor_format, of a delivery. */
struct webhook_deliveries_get {
  struct bus_uuid webhook_id;
  struct bus_str customer_id;
  struct bus_str cursor;
  int64_t limit;
};
enum delivery_status {
  DELIVERY_WAITING,   /* for its first attempt, or for the next one; while the endpoint is disabled none is made */
  DELIVERY_DELIVERED, /* 2xx */
  DELIVERY_FAILED,    /* after the last attempt of the schedule */
};
extern const char *const delivery_status_names[];
struct webhook_attempt {
  bus_time at;
  int64_t status; /* of HTTP or SMTP; BUS_NO_INT64: no answer */
  int64_t duration_ms;
  struct bus_str note; /* the beginning of what was answered, or why there was no answer */
};
struct webhook_delivery {
  struct bus_uuid delivery_id; /* the header webhook-id */
  struct bus_uuid order_id;    /* nil: it is about none */
  int event, status;
  int64_t attempt_count;
  bus_time created_at, next_attempt_at; /* WAITING */
  struct webhook_attempt *attempts;     /* the last ones, oldest first */
  size_t shown_count;
};
struct webhook_deliveries {
  int outcome; /* DONE or NOT_FOUND */
  struct webhook_delivery *items;
  size_t item_count;
  struct bus_str next_cursor; /* absent: the end */
};
struct notify_ping {
  bool deep;
};

extern const struct bus_schema webhook_view_schema, webhook_answer_schema, webhook_page_schema, webhook_delivery_schema,
    webhook_deliveries_schema;
extern const struct bus_message_type webhook_create_type, webhook_delete_type, webhook_rotate_type, webhook_enable_type,
    webhook_replay_type, webhook_confirm_type; /* queries that write, from edge */
extern const struct bus_message_type webhook_get_type, webhook_list_type, webhook_deliveries_get_type, notify_ping_type,
    notify_trail_type; /* queries, from edge */
extern const struct bus_message_type webhook_answer_type, webhook_page_type, webhook_deliveries_type,
    notify_pong_type; /* answers */

/* UUIDv5 of customer and key: the same request has the same id. */
void webhook_id_of(struct bus_str customer_id, struct bus_str key, struct bus_uuid *ret);
/* UUIDv5 of the key in the endpoint's namespace. */
void webhook_rotation_id_of(const struct bus_uuid *webhook_id, struct bus_str key, struct bus_uuid *ret);
