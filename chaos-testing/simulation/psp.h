/* The PSP: the sandbox's own book of keys and money behind a network that loses and delays; and payment-svc's calls to
 * it, with its own circuit breaker. */
#ifndef SIM_PSP_H
#define SIM_PSP_H

#include "worker.h"

#include <payment.h>

/* One entry of the PSP's own ledger. */
struct psp_money {
  struct bus_uuid order_id;
  struct bus_str intent; /* that captured it, or gives it back */
  bool refund;
  int64_t amount;
  struct psp_money *next;
};

/* A call on its way. */
struct psp_call_state {
  struct worker *worker;
  uint64_t life;
  struct payment_call call;
  bool reads; /* GET */
  struct bus_str path, key, body;
  bool answered; /* or given up */
  bool works;
  bus_time began, ended_at;
  struct bus_breaker_call judged;
  struct psp_call_state *earlier; /* of the worker */
  int status;
  struct bus_str answer;
  int64_t retry_after_s;
};

void psp_init(struct world *world);
void psp_done(struct world *world);
/* The request is there: carries it out and calls caller_answer, perhaps late, perhaps never. */
void psp_take(struct world *world, struct psp_call_state *call);
const struct psp_money *psp_ledger(const struct world *world);
/* The amount that was refunded of an order; of one payment intent. */
int64_t psp_refunded(const struct world *world, const struct bus_uuid *order_id);
int64_t psp_refunded_of(const struct world *world, const char *intent);
/* Captured less refunded. */
int64_t psp_net(const struct world *world, const struct bus_uuid *order_id);
void psp_outage(struct world *world, int64_t duration);
bool psp_is_away(const struct world *world);

/* ---- psp_caller.c: in payment-svc ---- */
void caller_take(struct world *world, struct worker *worker, const struct payment_call *call);
/* For a process that starts. */
void caller_init(struct world *world, struct worker *worker);
void caller_answer(struct world *world, void *call, uint64_t detail);

#endif
