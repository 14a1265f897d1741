/* The timeline of a story, and the story as JSON. */
#include "story.h"

#include "story_fields.h"

#include <inttypes.h>

const char *const story_place_names[STORY_PLACES + 1] = {[STORY_ORDERS] = "orders",
                                                         [STORY_INVENTORY] = "inventory",
                                                         [STORY_PAYMENTS] = "payments",
                                                         [STORY_BROKER] = "broker"};

const char *const story_services[STORY_BROKER] = {
    [STORY_ORDERS] = "order-svc", [STORY_INVENTORY] = "inventory-svc", [STORY_PAYMENTS] = "payment-svc"};

bool story_is_final(const struct story_order *order) {
  static const char *const ends[] = {"CONFIRMED", "REJECTED", "CANCELLED", NULL};
  return bus_str_is_one_of(order->status, ends);
}

void *story_grow(struct bus_arena *arena, void *array, size_t used, size_t *room, size_t item) {
  enum { FIRST_ROOM = 64 };
  if (used < *room)
    return array;
  size_t larger = *room ? 2 * *room : FIRST_ROOM;
  void *more = bus_arena_array(arena, larger, item);
  if (!more)
    return NULL;
  if (array)
    memcpy(more, array, used * item);
  *room = larger;
  return more;
}

bus_time story_time_of(const struct bus_uuid *id) {
  int64_t ms = 0;
  if (id->bytes[6] >> 4 != 7)
    return BUS_NO_TIME;
  for (int i = 0; i < 6; i++)
    ms = ms << 8 | id->bytes[i];
  return ms * BUS_MILLISECOND;
}

/* ---- the timeline ---- */

struct making {
  struct story *story;
  struct bus_arena *arena;
  size_t room;
  bool failed;
};

static void add_step(struct making *making, bus_time at, const char *place, struct bus_str what) {
  struct story *story = making->story;
  if (at == BUS_NO_TIME)
    return;
  if (!what.data || story->step_count == making->room) {
    making->failed = true;
    return;
  }
  story->steps[story->step_count++] =
      (struct story_step){.at = at, .place = bus_str(place), .what = what, .after = BUS_NO_INT64};
}

static const char *id_text(const struct bus_uuid *id, char text[BUS_UUID_TEXT]) {
  bus_uuid_format(id, text);
  return text;
}

static void add_order(struct making *making) {
  const struct story *story = making->story;
  char id[BUS_UUID_TEXT];
  if (story->order)
    add_step(making, story_time_of(&story->order->causation_id), "edge",
             bus_arena_printf(making->arena, "sent order.place %s", id_text(&story->order->causation_id, id)));
  add_step(making, story->cancel_first_at, "orders", BUS_STR("took an order.cancel before the order"));
  for (size_t i = 0; i < story->taken_count; i++) {
    const struct story_taken *taken = &story->taken[i];
    bus_time sent = story_time_of(&taken->message_id);
    if (taken->place != STORY_ORDERS && sent != BUS_NO_TIME)
      add_step(making, sent, "orders",
               bus_arena_printf(making->arena, "sent the command %s", id_text(&taken->message_id, id)));
    add_step(making, taken->received_at, story_place_names[taken->place],
             bus_arena_printf(making->arena, "took %.*s %s", (int)taken->type.len, taken->type.data,
                              id_text(&taken->message_id, id)));
  }
  for (size_t i = 0; i < story->event_count; i++)
    add_step(making, story->events[i].at, "orders",
             bus_arena_printf(making->arena, "event %" PRId64 ": %.*s", story->events[i].seq,
                              (int)story->events[i].type.len, story->events[i].type.data));
}

static void add_reservation(struct making *making) {
  const struct story_reservation *found = making->story->reservation;
  if (!found)
    return;
  add_step(making, found->created_at, "inventory",
           bus_arena_printf(making->arena, "answered inventory.reserve%s%.*s", found->reason.data ? ": " : "",
                            (int)found->reason.len, found->reason.data ? found->reason.data : ""));
  if (found->updated_at != found->created_at)
    add_step(making, found->updated_at, "inventory",
             bus_arena_printf(making->arena, "reservation is %.*s", (int)found->state.len, found->state.data));
}

static void add_payments(struct making *making) {
  const struct story *story = making->story;
  for (size_t i = 0; i < story->payment_count; i++) {
    const struct story_payment *payment = &story->payments[i];
    add_step(making, payment->created_at, "payments",
             bus_arena_printf(making->arena, "payment %" PRId64 " is made: %" PRId64 " %.*s", payment->pay_attempt,
                              payment->amount, (int)payment->currency.len,
                              payment->currency.data ? payment->currency.data : ""));
    add_step(making, payment->first_attempt_at, "provider", BUS_STR("called for the first time with its key"));
    if (payment->updated_at != payment->created_at)
      add_step(making, payment->updated_at, "payments",
               bus_arena_printf(making->arena, "payment %" PRId64 " is %.*s%s%.*s, after %" PRId64 " calls",
                                payment->pay_attempt, (int)payment->state.len, payment->state.data,
                                payment->reason.data ? ": " : "", (int)payment->reason.len,
                                payment->reason.data ? payment->reason.data : "", payment->attempts));
  }
  for (size_t i = 0; i < story->movement_count; i++) {
    const struct story_movement *moved = &story->movements[i];
    add_step(making, moved->at, "provider",
             bus_arena_printf(making->arena, "%.*s %" PRId64 " %.*s (%.*s)", (int)moved->entry.len, moved->entry.data,
                              moved->amount, (int)moved->currency.len, moved->currency.data, (int)moved->psp_id.len,
                              moved->psp_id.data));
  }
  for (size_t i = 0; i < story->refund_count; i++)
    add_step(making, story->refunds[i].created_at, "payments",
             bus_arena_printf(making->arena, "refund %" PRId64 " of %" PRId64 " is asked for, now %.*s",
                              story->refunds[i].number, story->refunds[i].amount, (int)story->refunds[i].state.len,
                              story->refunds[i].state.data));
}

static void add_failures(struct making *making) {
  const struct story *story = making->story;
  char id[BUS_UUID_TEXT];
  for (size_t i = 0; i < story->outgoing_count; i++) {
    const struct story_outgoing *out = &story->outgoing[i];
    add_step(making, out->created_at, story_place_names[out->place],
             bus_arena_printf(making->arena, "outbox has %.*s %s%s", (int)out->type.len, out->type.data,
                              id_text(&out->message_id, id), out->unroutable ? ", which no queue takes" : ""));
  }
  for (size_t i = 0; i < story->parked_count; i++) {
    const struct story_parked *parked = &story->parked[i];
    add_step(making, parked->parked_at, story_place_names[parked->place],
             bus_arena_printf(making->arena, "dead-lettered %.*s %s in %.*s, attempt %" PRId64 ": %.*s %.*s",
                              (int)parked->type.len, parked->type.data, id_text(&parked->message_id, id),
                              (int)parked->queue.len, parked->queue.data, parked->attempt, (int)parked->cause_class.len,
                              parked->cause_class.data, (int)parked->cause.len, parked->cause.data));
  }
}

/* Stable: of equal times the first added stays first. */
static void sort_steps(struct story *story) {
  for (size_t i = 1; i < story->step_count; i++)
    for (size_t j = i; j > 0 && story->steps[j - 1].at > story->steps[j].at; j--) {
      struct story_step step = story->steps[j];
      story->steps[j] = story->steps[j - 1];
      story->steps[j - 1] = step;
    }
  for (size_t i = 1; i < story->step_count; i++)
    story->steps[i].after = story->steps[i].at - story->steps[i - 1].at;
}

bool story_make_steps(struct story *story, struct bus_arena *arena) {
  struct making making = {.story = story, .arena = arena};
  making.room = 5 + 2 * story->taken_count + story->event_count + 3 * story->payment_count + story->movement_count +
                story->refund_count + story->outgoing_count + story->parked_count;
  story->steps = bus_arena_array(arena, making.room, sizeof *story->steps);
  story->step_count = 0;
  if (!story->steps)
    return false;
  add_order(&making);
  add_reservation(&making);
  add_payments(&making);
  add_failures(&making);
  sort_steps(story);
  return !making.failed;
}

/* ---- JSON ---- */

bool story_encode(const struct story *story, struct bus_arena *arena, struct bus_str *ret) {
  struct story_document document;
  story_document_of(story, &document);
  return bus_encode_nulls(&story_document_schema, &document, arena, ret);
}
