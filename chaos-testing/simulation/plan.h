/* The faults of a seed and their rates: a swarm, in which each seed has some kinds of faults and not others. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "random.h"

#include <stddef.h>

enum { ORDERS_MAX = 48, OWN_MAX = 6 };

/* Messages that are to be dead-lettered. */
enum poison {
  POISON_CUT,
  POISON_SENDER,
  POISON_TYPE,
  POISON_CRASH,
  POISON_KILL,
  POISON_STRAY,
  POISON_COPIED,  /* with routing keys that the broker does not check */
  POISON_NO_BODY, /* too large a body, which the client of the broker drops */
  POISON_NO_ID,
  POISONS,
};

/* _ppm: chances in a million at each step. Times in microseconds. */
struct plan {
  int64_t faults_for;                     /* since the begin; after that nothing new goes wrong */
  int64_t latency;                        /* mean of a step between two programs */
  int64_t batch_max;                      /* messages */
  int64_t workers[5];                     /* of each service */
  int64_t max_open_sagas, max_late_sagas; /* a seed has few orders: in some seeds so few close the intake */
  int64_t give_up, blame_after, gather_ms, bundle_max;
  size_t broker_hosts;
  size_t window; /* publications that a worker may have unconfirmed */
  bool pooled;   /* a pooler stands before the databases */
  /* the broker */
  int64_t slow_ppm, slow_max; /* a message comes that late */
  int64_t duplicate_ppm;      /* a message comes twice */
  int64_t link_break_ppm;     /* at a publication or an ack */
  int64_t refuse_ppm;         /* a publication is nacked */
  int64_t broker_outages, broker_outage_max;
  int64_t blocks;  /* "connection.blocked" */
  int64_t unbound; /* a queue is not bound for a while */
  /* the databases */
  int64_t conflict_ppm, unknown_ppm, hang_ppm;
  int64_t stumble_ppm; /* of a bundle one message leads to a row that is refused at first */
  int64_t database_outages, database_outage_max;
  int64_t refusals; /* a GRANT is missing for a while */
  int64_t breaks;   /* a statement that rides along fails for a while */
  int64_t clock_jumps;
  /* the processes */
  int64_t crash_ppm, kills, downtime_max, pauses, stops, probes;
  /* the PSP */
  int64_t psp_lost_ppm, psp_silent_ppm, psp_error_ppm, psp_slow_ppm;
  int64_t psp_outages;
  /* webhooks of customers */
  int64_t endpoints, hook_fail_ppm, hook_silent_ppm, hook_gone_ppm, hook_deletes;
  /* the clients */
  int64_t orders, repeat_ppm, other_body_ppm, cancel_ppm, wait_ppm, odd_card_ppm, stock_ppm, dear_ppm, later_ppm;
  int64_t set_stocks, new_prices, poison, redrives, refunds;
  int64_t poison_kind;      /* of all of it; -1: mixed */
  int64_t own_reservations; /* an operator's, without an order */
  int64_t bad_cards; /* instead of all faults: so many orders, at one time, whose calls to the PSP fail or hang */
};

void plan_draw(struct plan *plan, struct random *random);

#endif
