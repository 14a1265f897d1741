/* A failure of bus/refusals.h is one of the test. */
#include "torture.h"

#include "test.h"

static void run(bus_refusals_scenario *scenario, const void *context, bool ours_only) {
  struct bus_refusals refusals;
  struct bus_error err = {.code = BUS_OK};
  if (!bus_refusals_run(scenario, context, ours_only, &refusals, &err))
    fail_msg("%s", err.text);
  print_message("%zu injections, %zu survived\n", refusals.refused, refusals.survived);
}

void torture(bus_refusals_scenario *scenario, const void *context) {
  run(scenario, context, false);
}

void torture_ours(bus_refusals_scenario *scenario, const void *context) {
  run(scenario, context, true);
}
