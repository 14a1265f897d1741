/* bus/refusals.h for tests of cmocka. */
#pragma once

#include <bus/refusals.h>

/* bus_refusals_run; the test fails where that does. Prints how many runs had something refused. */
void torture(bus_refusals_scenario *scenario, const void *context);
/* The same where civetweb, OpenSSL and the like are at work: only what our own code asks for is refused. */
void torture_ours(bus_refusals_scenario *scenario, const void *context);
