/* Maps the PSP's response to a call to an outcome of the payment. Pure: the response comes as data. */
#ifndef PSP_RESPONSE_H
#define PSP_RESPONSE_H

#include "payment.h"

#include <bus/arena.h>
#include <bus/http_client.h>

/* Only what the PSP said in its own words is definite: an answer that cannot be read (a proxy's error page, a cut body)
 * leaves the outcome unknown, and so does a refusal of ourselves (401, 403), which says nothing about an earlier
 * attempt under the same key. An object in a status that is not final is PENDING, with its id; a refusal
 * to read it back says nothing about it. A success whose amount, currency or ids are not those of the call is SUSPECT.
 * The arena is for parsing. Returns whether the PSP works (what its circuit breaker counts): it answered, in its own
 * words, and not with a server error. */
bool psp_response_read(const struct payment_call *call, const struct bus_http_result *answer, struct bus_arena *arena,
                       struct payment_result *ret);

/* The result of a call that was never started; try again after `wait` microseconds. */
void psp_response_not_started(const struct payment_call *call, int64_t wait, const char *reason,
                              struct payment_result *ret);

#endif
