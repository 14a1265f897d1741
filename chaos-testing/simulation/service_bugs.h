/* The planted bugs that a service's decisions have: wrappers around its own decide. */
#ifndef SIM_SERVICE_BUGS_H
#define SIM_SERVICE_BUGS_H

#include "world.h"

#include <bus/effects.h>

void bugs_decide_order(struct world *world, void *model, const struct bus_input *input, struct bus_effects *effects);
void bugs_decide_inventory(struct world *world, void *model, const struct bus_input *input,
                           struct bus_effects *effects);
void bugs_decide_payment(struct world *world, void *model, const struct bus_input *input, struct bus_effects *effects);
void bugs_decide_notify(struct world *world, void *model, const struct bus_input *input, struct bus_effects *effects);
void bugs_skip_fact(void *order_model);

#endif
