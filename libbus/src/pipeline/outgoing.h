/* Messages and actions of a commit, in order: effects, those that travel together joined into bundles. */
#pragma once

#include "turn.h"

#include <bus/arena.h>
#include <bus/bundle.h>
#include <bus/effects.h>

/* One AMQP message, or one action. */
struct outgoing {
  enum bus_effect_kind kind;
  const struct bus_message_type *type; /* ACTION: NULL */
  struct bus_envelope *envelope;
  struct bus_str body;
  const void *action;
};

struct outgoings {
  struct outgoing *items; /* in the attempt's arena */
  size_t count, next;
};

/* Joins the effects of an attempt. most: messages in a bundle; 1: none are joined. False: out of memory. */
bool outgoings_plan(struct outgoings *outgoings, const struct turn *turn, const struct bus_effects *effects,
                    size_t most) BUS_MUST_CHECK;
/* How many messages travel in it. */
static inline size_t outgoing_messages(const struct outgoing *outgoing) {
  return outgoing->envelope && outgoing->envelope->bundle ? (size_t)outgoing->envelope->bundle_count : 1;
}
