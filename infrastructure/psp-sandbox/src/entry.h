/* One fact of the ledger, as a line of JSON. Pure. */
#ifndef PSP_ENTRY_H
#define PSP_ENTRY_H

#include <bus/field.h>

/* PENDING and REFUND_PENDING are in a status that is not final; a later entry with the same id says what they became.
 */
enum psp_entry_type {
  PSP_CAPTURED,
  PSP_DECLINED,
  PSP_REFUNDED,
  PSP_CANCELED,
  PSP_PENDING,
  PSP_REFUND_PENDING,
  PSP_REFUND_FAILED,
  PSP_REFUND_CANCELED,
  PSP_ENTRY_TYPES,
};
extern const char *const psp_entry_types[];

/* Is the entry about a refund, not about a payment intent? */
bool psp_entry_is_refund(int type);

enum { PSP_ENTRY_LINE_MAX = 16384 };

/* The next state of a pending object, and its time. */
struct psp_turn {
  int type;
  bus_time at;
  struct bus_str answer; /* JSON: the object from then on */
};

struct psp_entry {
  int type;
  struct bus_str id;              /* pi_… or re_… */
  struct bus_str idempotency_key; /* absent: none was given */
  struct bus_str fingerprint;     /* of the parameters; absent without a key */
  int64_t amount;
  struct bus_str currency;
  struct bus_str order_id;       /* absent: none was given */
  struct bus_str payment_intent; /* what a refund gives back */
  struct bus_str payment_method; /* of a charge: the token; absent in ledgers of older versions */
  int64_t status;                /* the response, given forever */
  struct bus_str answer;         /* JSON */
  struct psp_turn *then;         /* NULL: final, or pending forever */
  bus_time at;
};

extern const struct bus_schema psp_entry_schema;

/* The line with its '\n'. False: out of memory. */
bool psp_entry_format(const struct psp_entry *entry, struct bus_arena *arena, struct bus_str *ret) BUS_MUST_CHECK;
/* line: without '\n'. Texts lie in the arena. */
bool psp_entry_parse(struct bus_str line, struct bus_arena *arena, struct psp_entry *ret,
                     struct bus_problems *problems) BUS_MUST_CHECK;

#endif
