/* What the ledger says, in memory: which keys are known, what was captured, how much was given back. It does no I/O and
 * has no lock: its owner holds one. */
#ifndef PSP_BOOK_H
#define PSP_BOOK_H

#include "charge.h"
#include "entry.h"
#include "map.h"

/* One entry of the ledger, kept for ever. */
struct psp_record {
  struct psp_record *next;
  int type;
  int64_t amount, refunded; /* refunded: of a captured intent, also what is on its way into the ledger */
  int64_t status;
  struct bus_str id, currency, answer;
};

struct psp_book {
  struct psp_map keys, ids;
  struct psp_record *records;
  struct psp_key *all_keys;
};

void psp_book_done(struct psp_book *book);

enum psp_claim {
  PSP_CLAIM_NEW,      /* the caller owns the key until it records or releases it */
  PSP_CLAIM_REPLAY,   /* *ret_record is the answer */
  PSP_CLAIM_IN_USE,   /* another call with it is under way */
  PSP_CLAIM_MISMATCH, /* it was used with other parameters */
  PSP_CLAIM_NO_MEMORY,
};

/* *ret_attempt: how many calls released it before. */
enum psp_claim psp_book_claim(struct psp_book *book, struct bus_str key, const char *fingerprint, int *ret_attempt,
                              const struct psp_record **ret_record);
/* Nothing came of it: the next call with the key is a new one. */
void psp_book_release(struct psp_book *book, struct bus_str key);

/* Takes a durable entry in, while the program runs and when the ledger is read again. live: its refund was reserved.
 * False: out of memory. */
bool psp_book_record(struct psp_book *book, const struct psp_entry *entry, bool live) BUS_MUST_CHECK;

/* NULL: there is none. */
const struct psp_record *psp_book_find(const struct psp_book *book, struct bus_str id);

/* Sets the amount aside, so that two refunds cannot give the same money back. amount BUS_NO_INT64: all that is left.
 * Writes *ret_error on failure. */
bool psp_book_reserve_refund(struct psp_book *book, const struct psp_refund *refund, int64_t *ret_amount,
                             const struct psp_record **ret_intent, struct psp_error *ret_error) BUS_MUST_CHECK;

#endif
