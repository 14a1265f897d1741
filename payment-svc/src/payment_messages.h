/* The messages that payment-svc takes, sends and answers: structs, bounds and types. Pure. */
#ifndef PAYMENT_MESSAGES_H
#define PAYMENT_MESSAGES_H

#include <bus/field.h>
#include <bus/message.h>

/* Bytes of texts, here, in rows and in their CHECKs. */
enum { PAYMENT_CURRENCY_LEN = 3, PAYMENT_TOKEN_MAX = 128, PAYMENT_PSP_ID_MAX = 128, PAYMENT_REASON_MAX = 64 };

/* payment.charge.v1: answered by payment.captured, payment.declined or payment.failed. */
struct payment_charge {
  struct bus_uuid order_id;
  int64_t amount; /* minor units */
  struct bus_str currency;
  struct bus_str token;
};
/* payment.refund.v1: all that was captured and is not yet refunded; also before the charge is definite, or known. */
struct payment_refund {
  struct bus_uuid order_id;
};
/* payment.captured.v1; payment.refunded.v1: amount is all that was refunded, 0 where nothing had been captured. */
struct payment_event {
  struct bus_uuid order_id;
  int64_t amount;
  struct bus_str currency;
};
/* payment.declined.v1 (the PSP said no), payment.failed.v1 (definite: no money moved) */
struct payment_refusal {
  struct bus_uuid order_id;
  struct bus_str reason; /* "insufficient_funds", "voided", … */
};
struct payment_ping {
  bool deep;
};

extern const struct bus_schema payment_charge_schema, payment_refund_schema, payment_event_schema,
    payment_refusal_schema, payment_ping_schema;

extern const struct bus_message_type payment_charge_type, payment_refund_type; /* commands, from order-svc */
extern const struct bus_message_type payment_captured_type, payment_declined_type, payment_refunded_type,
    payment_failed_type;                                                   /* events, to order-svc */
extern const struct bus_message_type payment_ping_type, payment_pong_type; /* query, from edge; its answer */

#endif
