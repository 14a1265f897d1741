/* When a call to the PSP is tried again. Pure. */
#ifndef PAYMENT_SCHEDULE_H
#define PAYMENT_SCHEDULE_H

#include "payment.h"

/* Microseconds to wait after the attempts-th call (1 …) gave nothing definite: a few quick tries, then slow ones that
 * grow by a quarter, so that after an outage nobody waits more than about a quarter longer than the outage. The upper
 * half is random. Never less than `asked` (what the PSP asked for, capped at slow_max). */
int64_t payment_retry_delay(const struct payment_policy *policy, int64_t attempts, int64_t asked, uint64_t random);
/* The slow part alone: for what a quick try cannot heal. */
int64_t payment_slow_delay(const struct payment_policy *policy, int64_t attempts, uint64_t random);
/* Microseconds until an object that has been pending at the PSP for so long is read back: about as long again, so that
 * a change is seen before twice its time has passed; at least quick_first, at most slow_max. `asked` as above. */
int64_t payment_read_delay(const struct payment_policy *policy, int64_t pending, int64_t asked, uint64_t random);
/* Upper bound of every delay, including transactions that began a little later: a row that is due later was written
 * before the database's clock was set back. */
int64_t payment_longest_wait(const struct payment_policy *policy);

#endif
