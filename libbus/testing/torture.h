/* Allocation failure at the n-th call: a scenario is run again and again, each time with another allocation refused,
 * until it no longer reaches that one. It must say that it failed, leave nothing behind and nothing half done. Programs
 * that link this have an allocator of their own, which every library in the process calls. */
#pragma once

#include <bus/arena.h>

/* One run of the scenario. Returns true if it ran to its end. The scenario asserts its own results; allocations are
 * refused until torture_over. */
typedef bool (*torture_scenario)(struct bus_arena *arena, const void *context);

/* Refuses the n-th allocation alone, then all from the n-th on, then all beyond a limit of the arena, for every n and
 * every limit; at last none. Prints how many runs had something refused. */
void torture(torture_scenario scenario, const void *context);
/* The same where civetweb, OpenSSL and the like are at work: only what our own code asks for is refused. */
void torture_ours(torture_scenario scenario, const void *context);

/* For what a scenario has to make first: nothing is refused, or counted, until the second call. */
void torture_pause(bool paused);
/* From here on nothing is refused: for a scenario's checks and for what it frees. */
void torture_over(void);
