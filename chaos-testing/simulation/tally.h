/* Counts over many seeds: events, outcomes, and the cells of the tables that were entered. */
#ifndef SIM_TALLY_H
#define SIM_TALLY_H

#include <inventory.h>
#include <order.h>
#include <payment.h>

enum tally_outcome {
  OUTCOME_CONFIRMED,
  OUTCOME_REJECTED,
  OUTCOME_DECLINED,  /* cancelled: the PSP said no */
  OUTCOME_CUSTOMER,  /* cancelled: by the customer */
  OUTCOME_DEADLINE,  /* cancelled: a deadline passed */
  OUTCOME_CANCELLED, /* for another reason */
  OUTCOMES,
};
extern const char *const tally_outcome_names[OUTCOMES];

struct tally {
  int64_t seeds, events, orders, parked, crashes, redeliveries, duplicates, sweeps, unknown_commits, psp_calls,
      webhooks;
  int64_t virtual_time;
  int64_t outcomes[OUTCOMES];
  int64_t saga[ORDER_STATES][ORDER_MESSAGES];
  int64_t payment[PAYMENT_STATES][PAYMENT_INPUTS];
  int64_t reservation[RESERVATION_ORDER_STATES][RESERVATION_COMMANDS];
};

void tally_add(struct tally *to, const struct tally *from);
/* Cells of the saga's table that some story leads to. */
bool tally_is_reachable(int state, int message);

#endif
