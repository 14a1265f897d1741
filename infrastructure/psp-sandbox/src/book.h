/* The ledger's content in memory: known keys, captures, refunds. It does no I/O and has no lock: its owner holds
 * one. */
#ifndef PSP_BOOK_H
#define PSP_BOOK_H

#include "charge.h"
#include "entry.h"
#include "map.h"

/* One entry of the ledger, kept for ever. */
struct psp_record {
  struct psp_record *next;
  int type;
  bool is_first; /* of its object */
  bus_time at;
  int64_t amount;
  int64_t refunded; /* of a captured intent: refunded or pending, also what is on its way into the ledger */
  int64_t refunds;  /* how many refunds of it there were, failed ones too */
  int64_t status;
  struct bus_str id, currency, answer, order_id, payment_intent;
  const struct psp_method *method; /* of a charge; NULL: not known */
  struct psp_record *became;       /* the record of the same object that came after this one */
  /* The next state of a pending object; then_at BUS_NO_TIME: none. */
  int then_type;
  bus_time then_at;
  struct bus_str then_response;
  struct psp_record *next_pending;
};

/* Money set aside for a refund. */
struct psp_reservation {
  const struct psp_record *intent;
  int64_t amount;
  const struct psp_course *course; /* what the refund goes through; NULL: it succeeds at once */
};

struct psp_book {
  struct psp_map keys, ids;
  struct psp_record *records, *pending;
  struct psp_key *all_keys;
};

void psp_book_done(struct psp_book *book);

enum psp_claim {
  PSP_CLAIM_NEW,      /* the caller owns the key until it records or releases it */
  PSP_CLAIM_REPLAY,   /* *ret_record is the response */
  PSP_CLAIM_IN_USE,   /* another call with it is under way */
  PSP_CLAIM_MISMATCH, /* it was used with other parameters */
  PSP_CLAIM_NO_MEMORY,
};

/* *ret_attempt: how many calls released it before. */
enum psp_claim psp_book_claim(struct psp_book *book, struct bus_str key, const char *fingerprint, int *ret_attempt,
                              const struct psp_record **ret_record);
/* Removes the claim of a call that had no effect: the next call with the key is a new one. */
void psp_book_release(struct psp_book *book, struct bus_str key);

/* Takes a durable entry in, while the program runs and when the ledger is read again. live: its refund was reserved.
 * False: out of memory. */
bool psp_book_record(struct psp_book *book, const struct psp_entry *entry, bool live) BUS_MUST_CHECK;

/* The object as it is now. NULL: there is none. */
const struct psp_record *psp_book_find(const struct psp_book *book, struct bus_str id);

/* Objects as they are now, newest first, at most max of those made at `since` or later and before the object `after`
 * (absent: all). False: there is no such object. */
bool psp_book_list(const struct psp_book *book, bool refunds, struct bus_str after, bus_time since, size_t max,
                   const struct psp_record **ret, size_t *ret_count) BUS_MUST_CHECK;

/* Sets the amount aside, so that two refunds cannot give the same money back. amount BUS_NO_INT64: all that is left.
 * Writes *ret_error on failure. */
bool psp_book_reserve_refund(struct psp_book *book, const struct psp_refund *refund, struct psp_reservation *ret,
                             struct psp_error *ret_error) BUS_MUST_CHECK;

/* True: *ret is the entry that makes a pending object final, to be recorded; its texts live as long as the book.
 * False: nothing is due yet; *ret_next is when something will be, or BUS_NO_TIME. */
bool psp_book_due(const struct psp_book *book, bus_time now, struct psp_entry *ret, bus_time *ret_next);

#endif
