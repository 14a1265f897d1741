/* The messages that payment-svc takes, sends and answers: structs, bounds and types. Pure. */
#ifndef PAYMENT_MESSAGES_H
#define PAYMENT_MESSAGES_H

#include <bus/field.h>
#include <bus/message.h>

/* Bytes of texts, here, in rows and in their CHECKs. */
enum {
  PAYMENT_CURRENCY_LEN = 3,
  PAYMENT_TOKEN_MAX = 128,
  PAYMENT_PSP_ID_MAX = 128,
  PAYMENT_DISPUTE_WORD_MAX = 64,
  PAYMENT_REASON_MAX = 64,
  PAYMENT_REFUND_REASON_MAX = 200
};
enum { PAYMENT_REFUNDS_MAX = 100 }; /* refunds of operators, of one payment */
enum { REFUND_PAGE_MAX = 100 };
enum { PAYMENT_ATTEMPTS_MAX = 20 }; /* to pay an order later */

/* payment.charge.v1: answered by payment.captured, payment.declined or payment.failed. */
struct payment_charge {
  struct bus_uuid order_id;
  int64_t amount; /* minor units */
  struct bus_str currency;
  struct bus_str token;
  int64_t attempt; /* to pay later: 1, 2, …; BUS_NO_INT64: the order's one charge, here and below */
};
/* payment.refund.v1: all that was captured and is not yet refunded; also before the charge is definite, or known. */
struct payment_refund {
  struct bus_uuid order_id;
  int64_t attempt;
};
/* payment.refund-part.v1, asked for by an operator: answered by payment.answer, carried out later. */
struct payment_refund_part {
  struct bus_uuid refund_id; /* of the client's key: the same refund is answered again, not carried out again */
  struct bus_uuid order_id;  /* or the payment */
  int64_t amount;            /* minor units; BUS_NO_INT64: all that is left */
  struct bus_str reason;
  bool restock; /* what was sold is put back into stock */
};
/* payment.check.v1: the provider says that this payment intent or refund has changed. It is only a hint: the object is
 * read from the provider. */
struct payment_check {
  struct bus_uuid order_id;
  struct bus_str psp_id;
};
/* payment.dispute.v1: a customer disputes a charge at the bank, or that dispute went on. As the provider told it. */
struct payment_dispute {
  struct bus_str dispute_id, psp_id; /* the provider's: the dispute's, and the payment intent's */
  int64_t amount;
  struct bus_str currency, reason, status;
  bus_time at; /* of the event */
};
/* payment.captured.v1; payment.refunded.v1: amount is all that was refunded so far, 0 where nothing had been
 * captured. */
struct payment_event {
  struct bus_uuid order_id;
  int64_t amount;
  struct bus_str currency;
  int64_t left; /* refunded: what is still captured; BUS_NO_INT64: nothing */
  int64_t attempt;
};
/* payment.declined.v1 (the PSP said no), payment.failed.v1 (definite: no money moved) */
struct payment_refusal {
  struct bus_uuid order_id;
  struct bus_str reason; /* "insufficient_funds", "voided", … */
  int64_t attempt;
};

/* Queries (payment-svc.query) and answers. */
struct payment_get {
  struct bus_uuid order_id; /* or the payment */
};
enum refund_status { REFUND_PENDING, REFUND_SUCCEEDED };
extern const char *const refund_status_names[];
struct refund_view {
  struct bus_uuid refund_id, order_id;
  int status;
  int64_t amount;
  struct bus_str currency, reason;
  bool restock;
  bus_time created_at;
};
struct payment_view {
  struct bus_uuid payment_id; /* the order's id; of an attempt to pay later: an id of its own */
  struct bus_uuid order_id;
  int64_t attempt;       /* to pay later: 1, 2, …; else BUS_NO_INT64 */
  struct bus_str status; /* "captured", … */
  int64_t amount;
  struct bus_str currency;
  int64_t refunded;   /* carried out */
  int64_t refundable; /* what a refund may still ask for */
  struct refund_view *refunds;
  size_t refund_count;
  int64_t version;
};
/* refund.list.v1, answered by refund.page.v1: refunds that are not carried out, one of each payment, by payment. */
struct refund_list {
  struct bus_uuid cursor; /* the last payment of the page before; nil: from the first */
  int64_t limit;
};
enum open_refund_status { OPEN_REFUND_CALLED, OPEN_REFUND_FAILING, OPEN_REFUND_AT_PROVIDER, OPEN_REFUND_UNKNOWN };
extern const char *const open_refund_status_names[];
struct open_refund {
  struct bus_uuid payment_id, order_id;
  struct bus_uuid refund_id; /* an operator's; nil: order-svc undoes the order */
  int status;
  int64_t amount;
  struct bus_str currency;
  int64_t attempts;      /* calls, less those that were never sent */
  struct bus_str reason; /* UNKNOWN */
  struct bus_str psp_id; /* the payment intent */
  bus_time since;        /* BUS_NO_TIME: not called yet */
  bus_time next_at;      /* the next call or reading; BUS_NO_TIME: none */
};
struct refund_page {
  struct open_refund *items;
  size_t item_count;
  struct bus_uuid next_cursor; /* nil: it is the last page */
};
enum payment_outcome {
  PAYMENT_FOUND,
  PAYMENT_NOT_FOUND,
  PAYMENT_REFUND_ACCEPTED,
  PAYMENT_REFUND_REPLAYED,
  PAYMENT_REFUND_KEY_REUSED, /* by another refund */
  PAYMENT_REFUND_TOO_LARGE,  /* more than what is left */
  PAYMENT_NOT_REFUNDABLE,    /* not captured, or all of it is being refunded */
  PAYMENT_REFUND_UNEVEN,     /* the provider takes no such amount in this currency */
};
extern const char *const payment_outcome_names[];
struct payment_answer {
  int outcome;
  struct payment_view *payment;  /* of an order that is paid later: the last attempt */
  struct payment_view *payments; /* FOUND: all of the order */
  size_t payment_count;
  struct refund_view *refund;
};
struct payment_ping {
  bool deep;
};

extern const struct bus_schema payment_charge_schema, payment_refund_schema, payment_refund_part_schema,
    payment_check_schema, payment_dispute_schema, payment_event_schema, payment_refusal_schema, payment_get_schema,
    refund_view_schema, payment_view_schema, payment_answer_schema, payment_ping_schema, refund_list_schema,
    refund_page_schema;

extern const struct bus_message_type payment_charge_type, payment_refund_type; /* commands, from order-svc */
extern const struct bus_message_type payment_refund_part_type, payment_check_type,
    payment_dispute_type; /* commands, from edge */
extern const struct bus_message_type payment_captured_type, payment_declined_type, payment_refunded_type,
    payment_failed_type;                                                                      /* events, to order-svc */
extern const struct bus_message_type payment_get_type, payment_ping_type, payment_trail_type; /* queries, from edge */
extern const struct bus_message_type refund_list_type;                                        /* likewise */
extern const struct bus_message_type payment_answer_type, payment_pong_type, refund_page_type; /* answers */

/* UUIDv5 of the client's idempotency key of a refund. */
void payment_refund_id_of(struct bus_str key, struct bus_uuid *ret);

#endif
