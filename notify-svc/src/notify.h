/* Endpoints of customers, the deliveries to them, and what becomes of an attempt. Pure. */
#pragma once

#include "notify_messages.h"

#include <bus/column.h>

enum { NOTIFY_PAYLOAD_MAX = 20000, NOTIFY_SCHEDULE_MAX = 16, NOTIFY_MAIL_KEY = 64 };

struct endpoint {
  struct bus_uuid endpoint_id;
  struct bus_str customer_id, url, description;
  int64_t events;
  struct bus_str secret, old_secret; /* sealed; old: absent, or good until old_secret_until */
  bus_time old_secret_until;
  struct bus_uuid rotation_id; /* of the last rotation */
  int status;                  /* enum webhook_status */
  int cause;                   /* enum webhook_cause, or -1 */
  bus_time disabled_at, failing_since, created_at;
  int64_t refusals; /* an address: mails that were refused for good, one after the other */
};

struct delivery {
  struct bus_uuid delivery_id, endpoint_id, order_id; /* the order: nil where it is about none */
  int event;                                          /* enum webhook_event */
  struct bus_str payload;                             /* the body: the same bytes at each attempt */
  int status;                                         /* enum delivery_status */
  int64_t attempts;                                   /* in all */
  int64_t failures;                                   /* place in the schedule; a replay begins again */
  bus_time next_attempt_at, created_at;
};

struct attempt {
  struct bus_uuid delivery_id;
  int64_t number;
  bus_time at;
  int64_t status; /* of HTTP or SMTP; BUS_NO_INT64: no answer */
  int64_t duration_ms;
  struct bus_str note;
};

/* Mails to one address, whoever owns its endpoints. */
struct mail_window {
  struct bus_str address_key; /* notify_mail_key */
  bus_time began_at;
  int64_t mails;
};

extern const struct bus_table endpoint_columns, delivery_columns, attempt_columns, mail_window_columns;

struct notify_policy {
  int64_t schedule[NOTIFY_SCHEDULE_MAX]; /* waits before the second and each further attempt, in microseconds */
  size_t schedule_count;
  int64_t retry_after_max, disable_after, lease, rotation_keep, keep;
  int64_t endpoint_concurrency;
  bool allow_local;
  int64_t ports[8];
  size_t port_count;
  bool sends_mail;
  int64_t mails_per_hour, confirmations_per_day; /* to one address */
  int64_t refusals_max;                          /* one after the other, and the address is disabled */
};

/* ---- one attempt (notify_decide.c) ---- */

enum notify_result_kind {
  NOTIFY_ANSWERED,    /* status */
  NOTIFY_NO_ANSWER,   /* time-out, refused address, cut connection, … */
  NOTIFY_NOT_STARTED, /* no room: as if it had not been claimed */
};

/* The completion of a call: the input of a batch, copied by libbus. */
struct notify_result {
  struct bus_uuid delivery_id, endpoint_id;
  int64_t number; /* of the attempt, counted from 1 */
  int kind;
  int64_t status;
  int64_t retry_after_s; /* -1: none */
  int64_t duration_ms;
  char note[WEBHOOK_NOTE_MAX + 1];
};

/* Effects of an attempt on its delivery, and on the endpoint. */
struct attempt_decision {
  bool counts; /* false: a stale result; nothing changes */
  int status;  /* of the delivery */
  int64_t attempts, failures;
  bus_time next_attempt_at;
  bus_time failing_since; /* of the endpoint */
  int64_t refusals;       /* of the endpoint */
  int disables;           /* enum webhook_cause, or -1 */
};

/* random: spreads attempts that failed together. */
void notify_decide_attempt(const struct endpoint *endpoint, const struct delivery *delivery,
                           const struct notify_result *result, const struct notify_policy *policy, bus_time now,
                           uint64_t random, struct attempt_decision *ret);
/* May an attempt of this delivery begin now, as far as the rows say? */
bool notify_decide_due(const struct endpoint *endpoint, const struct delivery *delivery, bus_time now);
/* How long mails to an address are counted together. */
static inline int64_t notify_mail_window(bool confirmed) {
  return confirmed ? BUS_HOUR : 24 * BUS_HOUR;
}
/* When the address may get the next mail: now, or when its window ends. confirmed: it is not the mail with its code. */
bus_time notify_decide_mail(const struct mail_window *window, bool confirmed, const struct notify_policy *policy,
                            bus_time now);
/* Attempts that an endpoint may have under way: one, while it fails. */
int64_t notify_decide_limit(const struct endpoint *endpoint, const struct notify_policy *policy);

/* ---- changes of rows (notify_evolve.c) ---- */
void delivery_evolve_claimed(struct delivery *delivery, const struct notify_policy *policy, bus_time now);
void delivery_evolve_attempted(struct delivery *delivery, const struct attempt_decision *decision);
void delivery_evolve_put_off(struct delivery *delivery, bus_time until);
void delivery_evolve_replayed(struct delivery *delivery, bus_time now);
/* True: the endpoint has changed. */
bool endpoint_evolve_attempted(struct endpoint *endpoint, const struct attempt_decision *decision, bus_time now);
void endpoint_evolve_enabled(struct endpoint *endpoint);
void endpoint_evolve_deleted(struct endpoint *endpoint, bus_time now);
void endpoint_evolve_rotated(struct endpoint *endpoint, struct bus_str secret, const struct bus_uuid *rotation_id,
                             const struct notify_policy *policy, bus_time now);
/* One more mail. */
void mail_window_evolve(struct mail_window *window, bool confirmed, bus_time now);
void webhook_view_of(const struct endpoint *endpoint, bus_time now, struct webhook_view *ret);
