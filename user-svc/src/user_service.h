/* Translates inputs and effects between the bus and users. Pure, but for the issuer that the model names. */
#ifndef USER_SERVICE_H
#define USER_SERVICE_H

#include "user_model.h"

/* bus_service.decide of requests; model is a struct user_model. */
void user_service_decide(void *model, const struct bus_input *input, struct bus_effects *effects);

#endif
