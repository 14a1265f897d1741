/* Memory that is refused at the n-th call: a scenario is run again and again, each time with another allocation
 * refused, until it no longer reaches that one. It must say that it failed, leave nothing behind and nothing half done.
 * A program that links bus_refusals has an allocator of its own, which every library in the process calls. */
#pragma once

#include <bus/arena.h>
#include <bus/error.h>

BUS_C_BEGIN

/* One run of the scenario. Returns true if it ran to its end. The scenario checks its own results; allocations of this
 * thread are refused until bus_refusals_over. */
typedef bool bus_refusals_scenario(struct bus_arena *arena, const void *context);

/* How often something was refused, and how often the scenario ran to its end nevertheless. */
struct bus_refusals {
  size_t refused, survived;
};

/* Refuses the n-th allocation alone, then all from the n-th on, then all beyond a limit of the arena, for every n and
 * every limit; at last none. ours_only: refuses only what the program's own code asks for, where a library that ends
 * the process without memory is at work. False: the scenario failed without a refusal, never ran to its end, allocates
 * nothing, or leaks (with the leak sanitizer); the error says which. */
bool bus_refusals_run(bus_refusals_scenario *scenario, const void *context, bool ours_only, struct bus_refusals *ret,
                      struct bus_error *err) BUS_MUST_CHECK;

/* For what a scenario has to make first: nothing is refused, or counted, until the call with false. */
void bus_refusals_pause(bool paused);
/* From here on nothing is refused: for a scenario's checks and for what it frees. */
void bus_refusals_over(void);

BUS_C_END
