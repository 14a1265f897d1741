/* Invariants: those that always hold, those of single steps, and those at the end, after the last fault. */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "broker.h"

struct client_order;
struct worker;

void check_init(struct world *world);

/* Only its owner sends a type. */
void check_sender(struct world *world, const struct sending *sending);
/* A delivery was acked: its effects are committed, or it waits elsewhere. */
void check_settled(struct world *world, const struct letter *letter, int queue);
/* An outbox row goes: every queue that it is for had it. */
void check_delivered(struct world *world, const struct letter *letter);
/* A message's effects are committed: once, and its sender's commit stands. */
void check_processed(struct world *world, struct letter *letter, int service);
/* A client heard a 2xx: the order is there, or its command is. */
void check_accepted(struct world *world, const struct client_order *client, const struct letter *letter);
/* Rows, books and the fold of the log after a COMMIT. */
void check_committed(struct world *world, const struct worker *worker);
/* New orders wait in their queue, or do not: never while all that is open waits only to be undone; forward: how many
 * were open otherwise. */
void check_intake(struct world *world, const struct worker *worker, int64_t forward, bool closed);
/* The PSP's own ledger after an entry. */
void check_money(struct world *world, const struct bus_uuid *order_id);

/* A breaker has opened: by the calls of the window it had to. */
struct bus_breaker_settings;
void check_opening(struct world *world, const struct worker *worker, const struct bus_breaker_settings *settings);

/* Watches, once the faults are over, that what is due is looked at. */
void check_deadlines(struct world *world, void *subject, uint64_t detail);
/* Checks the world after its last event. */
void check_end(struct world *world);
/* The seed takes too long: prints its open orders, and fails. */
_Noreturn void check_overdue(struct world *world);

const struct bus_uuid *check_order_id(const struct client_order *client);

#endif
