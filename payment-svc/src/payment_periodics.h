/* Statements of payment-svc that run now and then. They open no socket: the simulation runs them over a caller of its
 * own.
 */
#ifndef PAYMENT_PERIODICS_H
#define PAYMENT_PERIODICS_H

#include "payment_caller.h"

/* One worker's; payment_lock takes it for the policy, its first member. */
struct payment_context {
  struct payment_policy policy;
  struct payment_caller *caller;
  struct bus_worker *worker;
};

/* Their context is a struct payment_context. */
enum { PAYMENT_PERIODICS = 3 };
extern const struct bus_periodic payment_periodics[PAYMENT_PERIODICS];

#endif
