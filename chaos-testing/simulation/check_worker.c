/* Who is blamed, who is alone. */
#include "check_worker.h"

#include "check.h"

static const char *name_of(const struct letter *letter) {
  return letter->type ? letter->type->type : "?";
}

void check_refused(struct world *world, struct fate *fate) {
  if (fate->failing_since == 0)
    fate->failing_since = world->now;
  fate->refusals++;
}

void check_part(struct world *world, const struct worker *worker) {
  if (worker->refusal.inputs > worker->asked_count && worker->asked_count > 0 && !worker->refusal.may_search)
    world_violate(world, "%s searches a batch of %zu at once for what its database refuses of everybody",
                  worker->peer.name, worker->refusal.inputs);
}

static void check_dead(struct world *world, const struct letter *letter, struct bus_str cause) {
  if (cause.len == 0)
    world_violate(world, "m%" PRIu64 " is parked without a cause", letter->number);
  if (!letter->poison)
    world_violate(world, "m%" PRIu64 " %s is parked: %.*s", letter->number, name_of(letter), (int)cause.len,
                  cause.data);
}

static void check_guilt(struct world *world, struct letter *letter, struct bus_str cause) {
  if (!bus_str_is(cause, STUMBLE))
    return;
  if (!letter->stumbles)
    world_violate(world, "m%" PRIu64 " %s is put off for the fault of another message", letter->number,
                  name_of(letter));
  letter->mended = true;
}

void check_moved(struct world *world, const struct worker *worker, const struct sending *sending,
                 const struct bus_publication *publication) {
  struct letter *letter = sending->message->letter;
  struct fate *fate = &letter->fates[worker->database->service];
  bus_time refuses_since = worker->database->refuses_since;
  bool dead = sending->exchange == BUS_EXCHANGE_DEAD;
  TRACE(world, "%s %s m%" PRIu64 ": %.*s", worker->peer.name, dead ? "parks" : "will retry", letter->number,
        (int)publication->cause.len, publication->cause.data);
  if (dead)
    check_dead(world, letter, publication->cause);
  check_guilt(world, letter, publication->cause);
  bool counted = dead || sending->message->envelope.attempt > fate->attempts;
  if (counted) /* a copy that came twice may have fewer */
    fate->attempts = sending->message->envelope.attempt;
  bool again = fate->processed > 0; /* another copy was: this one is only acked later */
  if (counted && !again && bus_str_is(publication->cause_class, "fault") && refuses_since != 0 &&
      refuses_since <= fate->failing_since)
    world_violate(world, "a fault of the database is blamed on m%" PRIu64, letter->number);
}

void check_answer(struct world *world, const struct worker *worker, const struct letter *letter,
                  const struct bus_uuid *cause) {
  if (!bus_uuid_is_nil(cause) && letter_of(world, cause)->fates[worker->database->service].processed == 0)
    world_violate(world, "%s is sent before m%" PRIu64 " is committed", name_of(letter),
                  letter_of(world, cause)->number);
}

/* The first of its queue that this process got was delivered before, and so was each behind it up to the message. */
void check_alone(struct world *world, const struct worker *worker, const struct bus_envelope *envelope) {
  if (envelope->redelivered && !worker->fresh_seen[QUEUE_ORDERS] && worker->asked_count > 1)
    world_violate(world, "%s tries a message that may have crashed it beside %zu others", worker->peer.name,
                  worker->asked_count - 1);
}
