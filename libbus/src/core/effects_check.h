/* Checks the messages of a decision: may the service send them, by its topology? */
#pragma once

#include <bus/effects.h>

/* False: it may not, and the effects have failed, with the reason. */
bool effects_may_send(struct bus_effects *effects, enum bus_effect_kind kind, const struct bus_message_type *type);
