/*
 * Whose turn it is to call the PSP: PSP_CONCURRENCY slots, and a short queue of calls that wait for one. A repeated
 * call is for a payment whose call failed before, and may fail again or hang. Repeated calls have at most half of the
 * slots, so that first ones always have the other half; first ones may use all. Pure; not thread-safe.
 */
#ifndef PAYMENT_TURNS_H
#define PAYMENT_TURNS_H

#include "payment.h"

#include <bus/breaker.h>

struct payment_waiting {
  struct payment_call call;
  int64_t start_by; /* microseconds: later than that it could outlive its lease */
  struct payment_waiting *next;
};

struct payment_line {
  struct payment_waiting *first, *last;
  size_t count;
};

struct payment_turns {
  size_t slots;
  size_t under_way[BUS_BREAKER_PASTS];
  size_t late; /* first calls under way that take so long that they count as repeated ones: kept by the caller */
  struct payment_line lines[BUS_BREAKER_PASTS];
  struct payment_waiting *unused;
  size_t unused_count;
};

/* FRESH: the payment's first call, or the first that is really made. */
enum bus_breaker_past payment_call_past(const struct payment_call *call);
/* The breaker's subject: the payment, whatever call for it this is. */
uint64_t payment_call_item(const struct payment_call *call);

/* pool: room for `room` waiting calls; the caller's, and used until the end. */
void payment_turns_init(struct payment_turns *turns, size_t slots, struct payment_waiting *pool, size_t room);
/* Is there a slot for such a call now? */
bool payment_turns_may_start(const struct payment_turns *turns, enum bus_breaker_past past);
void payment_turns_started(struct payment_turns *turns, enum bus_breaker_past past);
void payment_turns_ended(struct payment_turns *turns, enum bus_breaker_past past);
/* Copies the call to the end of its line. False: there is no room. */
bool payment_turns_wait(struct payment_turns *turns, const struct payment_call *call, int64_t start_by) BUS_MUST_CHECK;
/* The waiting call that may start now: first ones before repeated ones; but one repeated call may always be under way,
 * where there are slots enough, so that no payment waits for ever. False: none waits, or none may start. */
bool payment_turns_next(struct payment_turns *turns, struct payment_waiting *ret) BUS_MUST_CHECK;
size_t payment_turns_under_way(const struct payment_turns *turns);
size_t payment_turns_waiting(const struct payment_turns *turns);
/* How many further such calls could start or wait. */
size_t payment_turns_room(const struct payment_turns *turns, enum bus_breaker_past past);

#endif
