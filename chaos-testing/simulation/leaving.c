/* Emissions and publications of an attempt. */
#include "leaving.h"

void leaving_begin(struct world *world, struct leaving *leaving) {
  leaving->attempt = ++world->broker->next_attempt;
  leaving->emitted = leaving->count = 0;
}

void leaving_emitted(struct world *world, struct leaving *leaving, const struct bus_effects *effects) {
  const struct bus_effect *effect = effects->before_input ? effects->before_input->next : effects->first;
  for (; effect; effect = effect->next) {
    if (effect->kind != BUS_EFFECT_EMIT && effect->kind != BUS_EFFECT_ANSWER)
      continue;
    struct letter *letter = letter_of(world, &effect->envelope.message_id);
    letter->emission.attempt = leaving->attempt;
    letter->emission.place = leaving->emitted++;
  }
}

/* ---- order ---- */

static bool share_place(const struct left *a, const struct left *b) {
  if (a->reply >= 0 || b->reply >= 0)
    return a->reply == b->reply;
  for (int queue = 0; queue < QUEUES; queue++)
    if (broker_takes(queue, a->letter->type) && broker_takes(queue, b->letter->type))
      return true;
  return false;
}

static void check_behind(struct world *world, const char *name, const struct left *left, const struct left *earlier) {
  const struct letter *letter = left->letter, *other = earlier->letter;
  if (letter->emission.place > other->emission.place || !share_place(left, earlier))
    return;
  if (left->first && earlier->first)
    world_violate(world, "%s sends m%" PRIu64 " behind a bundle that begins with the later m%" PRIu64, name,
                  letter->number, other->number);
  if (bus_uuid_equal(&letter->order_id, &other->order_id))
    world_violate(world, "%s sends m%" PRIu64 " behind m%" PRIu64 " of the same order, which it emitted later", name,
                  letter->number, other->number);
}

/* ---- composition ---- */

static void check_row(struct world *world, const char *name, const struct letter *letter,
                      const struct letter *message) {
  if (letter->row && letter->row != message)
    world_violate(world, "%s sends m%" PRIu64 " in m%" PRIu64 ", and its outbox row is m%" PRIu64, name, letter->number,
                  message->number, letter->row->number);
}

void leaving_check(struct world *world, struct leaving *leaving, const struct sending *sending) {
  const struct message *message = sending->message;
  const char *name = sending->peer->name;
  for (size_t i = 0; i < message_letters(message); i++) {
    const struct letter *letter = message_letter(message, i);
    const struct left left = {letter, i == 0, sending->kind == SENDING_ANSWER ? sending->queue : -1};
    check_row(world, name, letter, message->letter);
    if (letter->emission.attempt != leaving->attempt)
      continue; /* swept */
    for (size_t j = 0; j < leaving->count; j++)
      check_behind(world, name, &left, &leaving->left[j]);
    if (leaving->count == LEFT_MAX)
      world_violate(world, "%s sends more than %d messages at once", name, LEFT_MAX);
    leaving->left[leaving->count++] = left;
  }
}
