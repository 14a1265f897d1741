/* A bounded rate of messages. */
#ifndef PACE_H
#define PACE_H

#include <bus/base.h>

/* Waits until the next of `rate` messages a second is due. *next_at: 0 at first; the pace keeps it. */
void pace_keep(int64_t rate, int64_t *next_at);

#endif
