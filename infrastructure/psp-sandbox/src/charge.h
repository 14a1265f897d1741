/* A decoded charge request, and the sandbox's decision about it. Pure. */
#ifndef PSP_CHARGE_H
#define PSP_CHARGE_H

#include "entry.h"
#include "form.h"

/* An error in Stripe's shape; members that are NULL are left out. */
struct psp_error {
  int status;
  const char *type, *code, *decline_code, *param;
  const char *message;
};
/* Fills the error of a request that is not valid; returns false. */
bool psp_refuse(struct psp_error *ret, int status, const char *code, const char *param, const char *message);

/* How a payment method's token behaves. */
enum psp_behaviour {
  PSP_SUCCEEDS,
  PSP_DECLINES,
  PSP_IS_DISPUTED,   /* captured, and disputed at once */
  PSP_SUCCEEDS_LATE, /* recorded at once, answered after the client's time-out */
  PSP_DECLINES_LATE,
  PSP_FAILS_ONCE,  /* 500 to the first call with a key */
  PSP_FAILS,       /* always 500 */
  PSP_LIMITS_ONCE, /* 429 to the first call with a key */
  PSP_HANGS,       /* never answers, records nothing */
  PSP_TAKES_TIME,  /* 200 with an intent in another status than "succeeded" */
};

enum { PSP_STAYS = -1 };

/* An object that is answered with 200 in another status than "succeeded". */
struct psp_course {
  const char *status; /* "processing", … */
  int becomes;        /* enum psp_entry_type, or PSP_STAYS: as it is */
  bool at_once;       /* its status is final: nothing follows */
};

struct psp_method {
  const char *token;
  enum psp_behaviour behaviour;
  const struct psp_error *decline; /* of those that decline, at once or in the end */
  const struct psp_course *course; /* of its intent, TAKES_TIME */
  const struct psp_course *refund; /* of the first refund; NULL: it succeeds at once, as every later one does */
};

/* NULL: there is no such token. */
const struct psp_method *psp_method_find(struct bus_str token);
/* All of them, for the README's table and for tests. */
extern const struct psp_method psp_methods[];
extern const size_t psp_method_count;

/* The behaviour of one call with a key; attempt counts the earlier calls with it that recorded no entry. */
enum psp_step { PSP_CAPTURE, PSP_DECLINE, PSP_PEND, PSP_ANSWER_500, PSP_ANSWER_429, PSP_HANG };
struct psp_plan {
  enum psp_step step;
  bool is_late, is_disputed;
};
struct psp_plan psp_plan_of(const struct psp_method *method, int attempt);

struct psp_charge {
  int64_t amount;
  struct bus_str currency; /* three lower-case letters */
  const struct psp_method *method;
  struct bus_str order_id; /* metadata[order_id], or absent */
};

struct psp_refund {
  struct bus_str payment_intent;
  int64_t amount;          /* BUS_NO_INT64: what is left */
  struct bus_str order_id; /* metadata[order_id], or absent */
};

/* Whether Stripe takes such an amount in that currency, of a charge or a refund. *ret_error is written if not. */
bool psp_check_amount(struct bus_str code, int64_t amount, struct psp_error *ret_error) BUS_MUST_CHECK;
/* Write *ret only on success, *ret_error only on failure. */
bool psp_charge_read(const struct psp_form *form, struct psp_charge *ret, struct psp_error *ret_error) BUS_MUST_CHECK;
bool psp_refund_read(const struct psp_form *form, struct psp_refund *ret, struct psp_error *ret_error) BUS_MUST_CHECK;

#endif
