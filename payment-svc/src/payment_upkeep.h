/* The functions of bus_service that touch the worker, the PSP, metrics and logs. */
#ifndef PAYMENT_UPKEEP_H
#define PAYMENT_UPKEEP_H

#include "payment_settings.h"

#include <bus/worker.h>

/* Members of struct bus_service, as it describes them. */
bool payment_open(const void *settings, struct bus_worker *worker, void **ret_context, struct bus_error *err);
void payment_close(void *context);
void payment_act(void *context, const void *action);

#endif
