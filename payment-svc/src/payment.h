/*
 * One payment: its states, and what each input does to it. Pure: time and randomness are arguments, effects come out as
 * data.
 *
 * A payment is one row per order; of an order that is paid later, one row per attempt. A charge is committed as
 * PROCESSING before the PSP is called, so that whatever crashes there is a row that comes due and repeats the call with
 * the same idempotency key until the answer is definite. A refund works the same way from REFUNDING. A payment has one
 * refund under way: refunds that operators ask for meanwhile wait for it.
 */
#ifndef PAYMENT_H
#define PAYMENT_H

#include "payment_messages.h"

#include <bus/base.h>
#include <bus/effects.h>
#include <bus/trace.h>
#include <bus/uuid.h>

enum {
  PAYMENT_CURRENCY_SIZE = PAYMENT_CURRENCY_LEN + 1,
  PAYMENT_TOKEN_SIZE = PAYMENT_TOKEN_MAX + 1,
  PAYMENT_PSP_ID_SIZE = PAYMENT_PSP_ID_MAX + 1,
  PAYMENT_REASON_SIZE = PAYMENT_REASON_MAX + 1,
};

enum payment_state {
  PAYMENT_NONE,       /* no row */
  PAYMENT_PROCESSING, /* the charge may be on its way */
  PAYMENT_CAPTURED,
  PAYMENT_DECLINED,  /* the PSP said no */
  PAYMENT_FAILED,    /* definite: no money moved */
  PAYMENT_VOIDED,    /* a refund came before anything was sent to the PSP, or before the charge */
  PAYMENT_REFUNDING, /* captured; the refund may be on its way */
  PAYMENT_REFUNDED,
  PAYMENT_UNKNOWN, /* nothing more is sent; an operator settles it by what the PSP's records say */
  PAYMENT_STATES,
};
/* "none", "processing", …; as in the database */
extern const char *const payment_state_names[];

enum payment_input_kind {
  PAYMENT_ON_CHARGE,       /* the command */
  PAYMENT_ON_REFUND,       /* the command: all that is left */
  PAYMENT_ON_REFUND_PART,  /* an operator's command: a part, or all that is left */
  PAYMENT_ON_CHECK,        /* the command: the PSP says that an intent or refund has changed */
  PAYMENT_ON_DUE,          /* next_attempt_at has come */
  PAYMENT_ON_CAPTURED,     /* charge call: amount, currency and id are as meant */
  PAYMENT_ON_DECLINED,     /* charge call: the PSP said no */
  PAYMENT_ON_REFUSED,      /* charge call: the PSP did not take the request; no money moved */
  PAYMENT_ON_REFUNDED,     /* refund call: amount, currency and id are as meant */
  PAYMENT_ON_NOT_REFUNDED, /* refund call: definitely not, under this key */
  PAYMENT_ON_PENDING,      /* either call: the PSP has the intent or refund, in a status that is not final */
  PAYMENT_ON_UNSURE,       /* either call: it may have been carried out */
  PAYMENT_ON_NOT_STARTED,  /* either call: certainly never sent by us (breaker open, no room) */
  PAYMENT_ON_SUSPECT,      /* either call: a success that is not what was asked for */
  PAYMENT_INPUTS,
};
extern const char *const payment_input_names[];

struct payment {
  struct bus_uuid order_id;   /* the row's key: the order; of an attempt to pay later, see payment_row_id */
  struct bus_uuid attempt_of; /* the order of an attempt to pay later; else nil */
  int64_t pay_attempt;        /* 1, 2, …; else 0 */
  enum payment_state state;
  int64_t amount; /* minor units */
  char currency[PAYMENT_CURRENCY_SIZE];
  char token[PAYMENT_TOKEN_SIZE];          /* "" once no charge can follow */
  char psp_id[PAYMENT_PSP_ID_SIZE];        /* of the payment intent; "" until the PSP has said it */
  char psp_refund_id[PAYMENT_PSP_ID_SIZE]; /* of the refund that is pending at the PSP; "" otherwise */
  char reason[PAYMENT_REASON_SIZE];        /* why it is DECLINED, FAILED, VOIDED or UNKNOWN */
  int64_t refunds;                         /* number of the refund's idempotency key; 0: none was asked of the PSP */
  int64_t refunded_amount;                 /* of the refunds that were carried out */
  int64_t promised_amount;                 /* of all refunds of operators, those that wait too */
  struct bus_uuid refund_id;               /* operator's refund that is under way; nil: none, or order-svc's */
  int64_t refund_amount;                   /* of the refund with refund_id; 0: order-svc's takes all that is left */
  int64_t attempts;          /* calls granted for the charge, then for its refund; less those that were never sent */
  bus_time first_attempt_at; /* when the idempotency key in use was first sent */
  bus_time next_attempt_at;  /* when somebody must look again; BUS_NO_TIME: never */
  bool refund_requested;
  struct bus_cause cause; /* the last command */
  int64_t version;        /* 1 for the first that is stored */
};

enum refund_state { REFUND_NONE, REFUND_OPEN, REFUND_DONE, REFUND_STATES };
/* "none", "open", "done"; as in the database */
extern const char *const refund_state_names[];

/* A refund that an operator asked for. It is OPEN until the PSP has carried it out. */
struct refund {
  struct bus_uuid refund_id; /* of the client's key */
  struct bus_uuid order_id;  /* the payment's key */
  enum refund_state state;
  int64_t number;        /* refunds of one payment are carried out in this order */
  int64_t amount;        /* minor units */
  bool whole;            /* asked for without an amount */
  struct bus_str reason; /* the operator's; absent: none */
  bool restock;          /* what was sold is put back into stock */
  struct bus_str psp_id; /* DONE */
  bus_time created_at;
};
/* The key of the row: the order's id, or for an attempt to pay it later one that is made of both. */
struct bus_uuid payment_row_id(const struct bus_uuid *order_id, int64_t pay_attempt);
/* The order that is paid. */
struct bus_uuid payment_order(const struct payment *payment);

enum payment_call_kind { PAYMENT_CALL_CHARGE, PAYMENT_CALL_REFUND };

/* One call to the PSP. Plain data: it is copied through queues. */
struct payment_call {
  enum payment_call_kind kind;
  struct bus_uuid order_id;  /* the order that is paid */
  int64_t pay_attempt;       /* the row's */
  int64_t attempt;           /* the row's `attempts` that granted it */
  int64_t refund;            /* number of the idempotency key, REFUND only */
  struct bus_uuid refund_id; /* operator's refund; nil: order-svc's, or a charge */
  bool is_rest;              /* REFUND: nothing stays captured, so that the PSP refuses to carry it out twice */
  int64_t amount;
  char currency[PAYMENT_CURRENCY_SIZE];
  char token[PAYMENT_TOKEN_SIZE];   /* CHARGE */
  char psp_id[PAYMENT_PSP_ID_SIZE]; /* REFUND: the payment intent */
  /* The intent or refund that is read back by GET, because its status was not final; "": it is asked for by POST. */
  char read_id[PAYMENT_PSP_ID_SIZE];
  struct bus_trace trace; /* without its state: */
  char tracestate[BUS_TRACESTATE_MAX + 1];
};

/* "charge", "refund", and "charge_read", "refund_read" where the call reads back; for logs and metrics. */
enum { PAYMENT_CALL_NAMES = 4 };
extern const char *const payment_call_names[];
/* The call's place in payment_call_names. */
size_t payment_call_name(const struct payment_call *call);

/* Outcome of a call. Plain data. */
struct payment_result {
  struct bus_uuid order_id;
  enum payment_call_kind call;
  enum payment_input_kind kind; /* PAYMENT_ON_CAPTURED and those after it */
  int64_t pay_attempt;          /* the call's */
  int64_t attempt, refund;      /* the call's */
  struct bus_uuid refund_id;    /* the call's */
  int64_t wait;                 /* microseconds that the PSP, or the breaker, asks for; 0: none */
  char psp_id[PAYMENT_PSP_ID_SIZE];
  char reason[PAYMENT_REASON_SIZE];
};

struct payment_input {
  enum payment_input_kind kind;
  int64_t amount;                 /* CHARGE; REFUND_PART: BUS_NO_INT64: all that is left */
  struct bus_str currency, token; /* CHARGE */
  struct bus_str psp_id;          /* CHECK */
  struct bus_cause cause;         /* CHARGE, REFUND, REFUND_PART: the command */
  struct bus_uuid attempt_of;     /* CHARGE, REFUND: as the row has them */
  int64_t pay_attempt;
  const struct payment_result *result; /* of a call */
  struct bus_uuid refund_id;           /* REFUND_PART, of a new refund */
  const struct refund *waiting;        /* the next of the payment's refunds that wait for their turn; NULL: none */
};

/* Microseconds. */
struct payment_policy {
  int64_t quick_attempts; /* with waits of quick_first × 2^n between them */
  int64_t quick_first;
  int64_t slow_first, slow_max; /* then from slow_first, a quarter more each time, up to slow_max */
  int64_t lease;                /* how long a granted call is nobody else's */
  int64_t key_life;             /* how long an idempotency key is relied on */
};
#define PAYMENT_POLICY_DEFAULTS                                                                                        \
  .quick_attempts = 3, .quick_first = BUS_SECOND, .slow_first = 30 * BUS_SECOND, .slow_max = 10 * BUS_MINUTE,          \
  .lease = 15 * BUS_SECOND, .key_life = 20 * BUS_HOUR

enum payment_say {
  PAYMENT_SAY_NOTHING,
  PAYMENT_SAY_CAPTURED,
  PAYMENT_SAY_DECLINED,
  PAYMENT_SAY_FAILED,
  PAYMENT_SAY_REFUNDED
};

/* Movements of money between customer and us, for the ledger. */
enum payment_money { PAYMENT_MONEY_NONE, PAYMENT_MONEY_TAKEN, PAYMENT_MONEY_RETURNED };
extern const char *const payment_money_names[]; /* as the ledger has them */

enum payment_alarm {
  PAYMENT_NO_ALARM,
  PAYMENT_ALARM_EXPIRED,       /* no definite answer while the key was good: UNKNOWN */
  PAYMENT_ALARM_SUSPECT,       /* the PSP's success is not what was asked for: UNKNOWN */
  PAYMENT_ALARM_CONTRADICTION, /* the PSP answers otherwise than before: nothing changed */
  PAYMENT_ALARM_LATE_CAPTURE,  /* captured after it was said that no money moved: refunded */
  PAYMENT_ALARM_REFUND,        /* a refund keeps failing */
  PAYMENT_ALARM_DISPUTE,       /* a charge is disputed, or its dispute went on */
  PAYMENT_ALARMS,
};
extern const char *const payment_alarm_names[];

struct payment_decision {
  struct payment next; /* the payment, if it changed */
  bool changed;
  bool moved;           /* its state was entered by this input: what is counted as a fact */
  enum payment_say say; /* to be emitted, with the row's amount, reason, … */
  enum payment_money money;
  int64_t money_amount;
  int64_t money_refund; /* RETURNED: number of the refund's idempotency key */
  const char *money_id; /* the PSP's id of that; lives as long as the input */
  bool is_refunded;     /* the refund `refunded_id` was carried out; nil: order-svc's, and with it all that wait */
  struct bus_uuid refunded_id;
  int outcome;      /* REFUND_PART: enum payment_outcome */
  int64_t accepted; /* REFUND_PART, ACCEPTED: the amount of the new refund */
  bool calls;       /* `call` is to be made after COMMIT */
  struct payment_call call;
  enum payment_alarm alarm;
};

/* random: 64 random bits, for jitter. */
void payment_decide(const struct payment *payment, const struct payment_input *input,
                    const struct payment_policy *policy, bus_time now, uint64_t random, struct payment_decision *ret);
/* The one gate for a change of a payment. */
void payment_evolve(struct payment *payment, const struct payment_decision *decision);

/* Microseconds to wait after the attempts-th call (1 …) gave nothing definite: a few quick tries, then slow ones that
 * grow by a quarter, so that after an outage nobody waits more than about a quarter longer than the outage. The upper
 * half is random. Never less than `asked` (what the PSP asked for, capped at slow_max). */
int64_t payment_retry_delay(const struct payment_policy *policy, int64_t attempts, int64_t asked, uint64_t random);
/* The slow part alone: for what a quick try cannot heal. */
int64_t payment_slow_delay(const struct payment_policy *policy, int64_t attempts, uint64_t random);
/* Microseconds until an object that has been pending at the PSP for so long is read back: about as long again, so that
 * a change is seen before twice its time has passed; at least quick_first, at most slow_max. `asked` as above. */
int64_t payment_read_delay(const struct payment_policy *policy, int64_t pending, int64_t asked, uint64_t random);
/* Upper bound of every delay, including transactions that began a little later: a row that is due later was written
 * before the database's clock was set back. */
int64_t payment_longest_wait(const struct payment_policy *policy);

/* The amount that is still captured. */
int64_t payment_left(const struct payment *payment);
/* The amount that a refund may still ask for. */
int64_t payment_refundable(const struct payment *payment);
/* True for every valid stored payment. */
bool payment_is_valid(const struct payment *payment);
bool payment_is_open(enum payment_state state); /* PROCESSING, REFUNDING: someone must look again */

#endif
