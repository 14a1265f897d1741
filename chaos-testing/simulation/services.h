/* Functions around those of each service. */
#ifndef SIM_SERVICES_H
#define SIM_SERVICES_H

#include "worker.h"

/* Whose step it is, for functions that get a model alone. */
extern struct bus_worker *services_present;

/* An attempt begins. */
void services_lock(const struct bus_input *inputs, size_t count);
/* Around each decision. False: it crashes the process. */
bool services_begin(const struct bus_input *input);
void services_end(const struct bus_effects *effects);

extern const struct bus_service payment_bus, notify_bus;
/* notify-svc makes its own context. */
void notify_open_in(struct world *world, struct worker *worker);

#endif
