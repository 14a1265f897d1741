/* HTTP responses: from the outcome of a command or query to status, headers and body. Pure. */
#ifndef EDGE_RESPONSES_H
#define EDGE_RESPONSES_H

#include <inventory_messages.h>
#include <order_messages.h>
#include <payment_messages.h>

struct response {
  int status;
  const struct bus_schema *schema; /* of body; NULL: a problem, whose sentence is `detail` */
  const void *body;
  struct bus_str json; /* the body as text, where there is no schema; absent: none */
  const char *detail;
  struct bus_uuid location;   /* Location: location_under/<id>; nil: none */
  const char *location_under; /* NULL: "/api/orders" */
  int64_t version;            /* of what it shows, for ETag; 0: none */
  int64_t stock_version;      /* behind the version in ETag; 0: none */
  bool replayed;              /* Idempotent-Replayed: true */
  int64_t applied_wait_s;     /* Preference-Applied: wait=N; 0: none */
  int retry_after_s;          /* Retry-After; 0: none */
  int refusal;                /* of enum refusal: why it is a 503; REFUSAL_NONE for all else */
};

/* Why a request could not be served now. Every one is a 503 that is safe to repeat. */
#define REFUSAL_MAP(X)                                                                                                 \
  X(REFUSAL_NONE, "none", 0, "")                                                                                       \
  X(REFUSAL_NO_BROKER, "no_broker", 1, "the message queue is away")                                                    \
  X(REFUSAL_BLOCKED, "blocked", 5, "the message queue accepts nothing at present")                                     \
  X(REFUSAL_OVERLOADED, "overloaded", 1, "too many requests are under way")                                            \
  X(REFUSAL_QUEUE_FULL, "queue_full", 5, "too many orders are waiting")                                                \
  X(REFUSAL_UNROUTABLE, "unroutable", 5, "the service is not installed")                                               \
  X(REFUSAL_NO_CONFIRM, "no_confirm", 1, "the message queue did not confirm in time; repeating is safe")               \
  X(REFUSAL_LOST, "lost", 1, "the message queue went away meanwhile; repeating is safe")                               \
  X(REFUSAL_BREAKER_OPEN, "breaker_open", 1, "the service did not answer lately")                                      \
  X(REFUSAL_NO_ANSWER, "no_answer", 1, "the service did not answer in time")                                           \
  X(REFUSAL_BAD_ANSWER, "bad_answer", 1, "the service answered something unknown")                                     \
  X(REFUSAL_NO_MEMORY, "no_memory", 1, "out of memory")                                                                \
  X(REFUSAL_BACKLOG, "backlog", 5, "orders are taken up too slowly at present")                                        \
  X(REFUSAL_INTAKE, "intake", 5, "too many orders are under way, or late: no new ones are taken at present")

enum refusal {
#define REFUSAL_ENUM(name, label, retry, text) name,
  REFUSAL_MAP(REFUSAL_ENUM)
#undef REFUSAL_ENUM
      REFUSAL_COUNT
};
/* "no_broker" …: the label of a metric. */
const char *refusal_name(enum refusal refusal);

struct response response_refusal(enum refusal refusal);
/* 200 and the body as it is. */
struct response response_found(const struct bus_schema *schema, const void *body);
/* The HTTP response to the answer of a query. */
typedef struct response response_view(const void *said, struct bus_arena *arena);

/* A stock update that is only accepted: the product may turn out not to be there. */
struct accepted_stock {
  struct bus_str idempotency_key, status;
};
/* The payments of an order: one at most. */
struct payment_page {
  struct payment_view *items;
  size_t item_count;
};
extern const struct bus_schema accepted_stock_schema, event_page_schema, payment_page_schema;
/* The shape of an order, for one that is only accepted as well: its id and the status ACCEPTED, the rest null. Made by
 * responses_init, which every response that needs it calls. */
extern struct bus_schema accepted_order_schema;
void responses_init(void);

/* The bodies lie in `arena` or are the message's own; out of memory is the refusal of that name. */

/* The response for an order that this edge accepted on the confirm: to GET 200, to a cancel 202. */
struct response response_accepted(int status, const struct bus_uuid *order_id, struct bus_arena *arena);

/* POST /api/orders. wait_s: how long the client wanted to wait for a final state, and may. */
struct response response_place(const struct order_answer *answer, int64_t wait_s);
struct response response_place_accepted(const struct bus_uuid *order_id, struct bus_arena *arena);
struct response response_key_reused(void);
/* 404: the user is not there, or not for the caller to see. */
struct response response_no_user(void);

/* GET /api/orders/{id} */
struct response response_get(const struct order_answer *answer);

/* POST /api/payments */
struct response response_pay(const struct order_answer *answer, struct bus_arena *arena);

/* POST /api/orders/{id}/cancel */
struct response response_cancel(const struct order_answer *answer, const struct bus_uuid *order_id,
                                struct bus_arena *arena);

/* GET /api/orders/{id}/events; accepted: the order is remembered, though order-svc does not know it. */
struct response response_events(const struct order_history *history, bool accepted, struct bus_arena *arena);

/* GET /api/orders/{id}/stream */
struct response response_too_many_streams(void);
struct response response_bad_position(void);

/* Products, and their stock. */
response_view response_product;         /* of a struct inventory_answer */
response_view response_product_written; /* of one to product.put or product.withdraw */
response_view response_stock;           /* of one to inventory.set-stock or product.update-stock */
struct response response_changed_meanwhile(void);
/* An own reservation. */
response_view response_reservation;
struct response response_stock_accepted(struct bus_str idempotency_key, struct bus_arena *arena);

/* Payments: of a struct payment_answer. */
response_view response_payment;
response_view response_order_payments;
response_view response_refund;

#endif
