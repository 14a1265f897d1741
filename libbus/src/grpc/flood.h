/* A budget of frames that cost the server more than their sender: it is filled at a rate, up to a burst. Pure; times
 * are bus_monotonic's. */
#pragma once

#include <bus/base.h>

struct grpc_budget {
  int64_t rate, burst; /* a second; at once */
  int64_t spent;       /* microframes: millionths of a frame */
  int64_t at;          /* when `spent` was right */
};

/* False: it is spent. */
bool grpc_budget_take(struct grpc_budget *budget, int64_t now) BUS_MUST_CHECK;
/* Gives back some: the connection does useful work. */
void grpc_budget_give(struct grpc_budget *budget, int64_t frames);
