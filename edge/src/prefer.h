/* The header Prefer (RFC 7240): how long a client is willing to wait for a final state. Pure. */
#ifndef EDGE_PREFER_H
#define EDGE_PREFER_H

#include <bus/base.h>

/* The seconds of the first `wait` preference, at most `max`; 0 where there is none or it is malformed: a preference
 * that is not understood is ignored (RFC 7240, 2). value may be absent. */
int64_t prefer_wait(struct bus_str value, int64_t max);

#endif
