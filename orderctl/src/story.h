/* One order's story: what databases and broker know of it at one time. No data of its customer is in it. */
#ifndef STORY_H
#define STORY_H

#include <bus/field.h>

/* The places that a story is read from. */
enum story_place { STORY_ORDERS, STORY_INVENTORY, STORY_PAYMENTS, STORY_BROKER, STORY_PLACES };
extern const char *const story_place_names[STORY_PLACES + 1];
/* Services of the databases; each is also the name of its work queue. */
extern const char *const story_services[STORY_BROKER];

/* problem: absent where the place was read. */
struct story_source {
  int place;
  struct bus_str problem;
};

/* A row of orders.order_states. */
struct story_order {
  struct bus_str status, reason, currency;
  int64_t total, captured, refunded, version, resends, attempts;
  bool stock_settled, payment_settled, pay_later;
  bus_time created_at, updated_at, deadline;
  struct bus_uuid causation_id; /* the order.place */
};

struct story_event {
  int64_t seq;
  struct bus_str type;
  bus_time at;
};

struct story_reservation {
  struct bus_str state, reason;
  bus_time created_at, updated_at, expected_until;
};

/* pay_attempt: 0, or the number of an attempt to pay later. */
struct story_payment {
  int64_t pay_attempt, amount, refunds, attempts;
  struct bus_str state, currency, reason, psp_id;
  bool refund_requested;
  bus_time first_attempt_at, next_attempt_at, created_at, updated_at;
  struct bus_uuid causation_id; /* the last command */
};

struct story_movement {
  struct bus_str entry, currency, psp_id;
  int64_t refund, amount;
  bus_time at;
};

struct story_refund {
  struct bus_uuid refund_id;
  struct bus_str state;
  int64_t number, amount;
  bus_time created_at, updated_at;
};

/* A message that a service has taken. */
struct story_taken {
  int place;
  struct bus_uuid message_id;
  struct bus_str type;
  bus_time received_at;
};

/* A message that waits to be published, or is published and not yet seen to be confirmed. */
struct story_outgoing {
  int place;
  struct bus_uuid message_id, causation_id;
  struct bus_str type;
  bool unroutable;
  int64_t attempts, messages;
  bus_time created_at, next_attempt_at;
};

/* A row of bus.parked: also of a message that has left the dead queue. */
struct story_parked {
  int place;
  struct bus_uuid message_id;
  struct bus_str queue, type, cause_class, cause, history, version;
  int64_t attempt;
  bus_time parked_at;
};

/* A message that lies in a dead queue. */
struct story_dead {
  struct bus_str queue; /* of work: "payment-svc" */
  struct bus_uuid message_id, causation_id;
  struct bus_str type, error, cause, history;
  int64_t attempt;
  bool bundle; /* of several messages, the order's among them */
  bool forged; /* its sender may not send it */
  bus_time at;
};

/* A work queue with its tiers and its dead queue; messages of all orders. */
struct story_queue {
  struct bus_str name, service;
  int64_t ready, consumers, retrying, dead;
  struct bus_str tier; /* the longest with messages: "bus.retry.30s.payment-svc"; or absent */
};

/* ---- what it waits for (verdict.h) ---- */

enum story_code {
  STORY_DONE,             /* final, and nothing is left to do */
  STORY_UNDER_WAY,        /* goes on by itself */
  STORY_WAITS_CUSTOMER,   /* for a payment */
  STORY_BACKLOG,          /* behind other messages */
  STORY_RETRIES,          /* for a next try */
  STORY_PROVIDER,         /* for the payment provider */
  STORY_PROVIDER_UNKNOWN, /* the provider's answer was never seen */
  STORY_NO_CONSUMER,      /* a service does not run */
  STORY_PAUSED,           /* a service takes no new orders for now */
  STORY_UNPUBLISHED,      /* a message lies in an outbox */
  STORY_UNROUTABLE,       /* no queue takes a message */
  STORY_DEAD,             /* a message lies in a dead queue */
  STORY_DROPPED,          /* a message was dead-lettered and is gone from the dead queue */
  STORY_OVERDUE,          /* a deadline has passed unnoticed */
  STORY_ACCEPTED,         /* not in the database yet, but perhaps in the intake queue */
  STORY_UNKNOWN,          /* no place knows the order */
  STORY_LOST,             /* other services know the order, the database of orders does not */
  STORY_UNREACHABLE,      /* the place that could tell was not read */
  STORY_CODES,
};
extern const char *const story_code_names[STORY_CODES + 1];

/* `text` says what the order waits for; `action` what to do, "" where nothing is. */
struct story_verdict {
  int code;
  char text[640], action[320];
};

/* One line of the timeline. */
struct story_step {
  bus_time at;
  struct bus_str place, what;
  int64_t after; /* microseconds after the line before it; BUS_NO_INT64: the first */
};

struct story {
  struct bus_uuid order_id;
  bus_time now;
  struct story_source sources[STORY_PLACES];
  struct story_order *order;             /* NULL: no row */
  struct story_reservation *reservation; /* NULL: none */
  bus_time cancel_first_at;              /* of a cancel that came before its order; or BUS_NO_TIME */
  struct story_event *events;
  struct story_payment *payments;
  struct story_movement *movements;
  struct story_refund *refunds;
  struct story_taken *taken;
  struct story_outgoing *outgoing;
  struct story_parked *parked;
  struct story_dead *dead;
  struct story_queue *queues;
  struct story_step *steps;
  size_t event_count, payment_count, movement_count, refund_count, taken_count, outgoing_count, parked_count,
      dead_count, queue_count, step_count;
  struct story_verdict verdict;
};

static inline bool story_was_read(const struct story *story, enum story_place place) {
  return story->sources[place].problem.data == NULL;
}

/* CONFIRMED, REJECTED or CANCELLED. */
bool story_is_final(const struct story_order *order);

/* The array with room for one more item: itself, or a larger copy; *room counts items. NULL: out of memory. */
void *story_grow(struct bus_arena *arena, void *array, size_t used, size_t *room, size_t item) BUS_MUST_CHECK;

/* The time within a version 7 id; BUS_NO_TIME for others. */
bus_time story_time_of(const struct bus_uuid *id);

/* Writes the timeline, oldest first. False: out of memory. */
bool story_make_steps(struct story *story, struct bus_arena *arena) BUS_MUST_CHECK;

/* One JSON object. False: out of memory. */
bool story_encode(const struct story *story, struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;

#endif
