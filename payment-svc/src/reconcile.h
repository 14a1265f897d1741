/* Compares the money that moved as payments.ledger has it with the provider's records, order by order. Both come as
 * lines that are sorted by order, so that no more than one order is in memory. Pure. */
#ifndef PAYMENT_RECONCILE_H
#define PAYMENT_RECONCILE_H

#include "payment.h"

enum reconcile_kind {
  RECONCILE_CAPTURED,
  RECONCILE_REFUNDED,
  RECONCILE_OPEN, /* ours only: a call to the provider may be out, so that the sides may differ for a while */
  RECONCILE_KINDS,
};

/* The order of objects that have none of ours. It sorts before every order id. */
#define RECONCILE_NO_ORDER "-"

struct reconcile_line {
  char order[BUS_UUID_TEXT];
  enum reconcile_kind kind;
  int64_t amount; /* minor units */
  char currency[PAYMENT_CURRENCY_SIZE];
  char psp_id[PAYMENT_PSP_ID_SIZE];
  int64_t at; /* Unix seconds */
};

/* "<order>\t<kind>\t<amount>\t<currency>\t<the provider's id>\t<Unix seconds>" without '\n'. False: it is not one. */
bool reconcile_line_parse(struct bus_str text, struct reconcile_line *ret) BUS_MUST_CHECK;
/* With '\n', in the arena; absent when out of memory. */
struct bus_str reconcile_line_format(const struct reconcile_line *line, struct bus_arena *arena);

/* One side's movements of one order. */
struct reconcile_side {
  int64_t captures, captured, refunds, refunded;
  int64_t newest;                                                   /* Unix seconds; 0: nothing */
  char first_id[PAYMENT_PSP_ID_SIZE], last_id[PAYMENT_PSP_ID_SIZE]; /* of captures */
  char currency[PAYMENT_CURRENCY_SIZE], other_currency[PAYMENT_CURRENCY_SIZE];
};

struct reconcile {
  int64_t since, until; /* Unix seconds: what is on one side alone counts only if it is in between */
  void (*report)(void *context, const char *order, const char *text);
  void *context;
  size_t orders, open, differences; /* open: orders that differ and may be under way */
  /* of the order at hand */
  char order[BUS_UUID_TEXT];
  bool is_open;
  struct reconcile_side ours, theirs;
};

/* Lines of one order stand together, and reconcile_end follows the last. */
void reconcile_add(struct reconcile *reconcile, const struct reconcile_line *line, bool is_theirs);
void reconcile_end(struct reconcile *reconcile);

/* Both sides whole: sorts them, and compares all of their orders. */
void reconcile_all(struct reconcile *reconcile, struct reconcile_line *ours, size_t our_count,
                   struct reconcile_line *theirs, size_t their_count);

#endif
