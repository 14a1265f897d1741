/*
 * Calls to the PSP inside a worker's poll set: at most PSP_CONCURRENCY at once, half of them for payments whose call
 * failed before; a short queue behind them, a circuit breaker in front. Every call that is taken ends as a
 * BUS_INPUT_COMPLETION (a struct payment_result); one that cannot be pushed is lost, and its row comes due when its
 * lease ends. One caller a worker, on its thread.
 */
#ifndef PAYMENT_CALLER_H
#define PAYMENT_CALLER_H

#include "payment_settings.h"

#include <bus/worker.h>

struct payment_caller;

/* settings and worker are kept. */
bool payment_caller_new(const struct payment_settings *settings, struct bus_worker *worker, struct payment_caller **ret,
                        struct bus_error *err) BUS_MUST_CHECK;
/* Cuts what is under way. Accepts NULL. */
void payment_caller_free(struct payment_caller *caller);

/* Copies the call. Starts it, queues it, or pushes the completion "not started" at once. */
void payment_caller_take(struct payment_caller *caller, const struct payment_call *call);

/* How many further calls for such payments it could take now: what is worth claiming of the rows that are due. */
size_t payment_caller_room(struct payment_caller *caller, enum bus_breaker_past past);

struct bus_poll_source payment_caller_source(struct payment_caller *caller);

#endif
