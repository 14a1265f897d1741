/* Slots and queue of calls to the PSP, shared between first and repeated calls. */
#include "payment_turns.h"

#include <assert.h>

/* Repeated calls that wait in memory, for each slot that they may have; the others wait in the database. */
enum { WAITING_PER_SLOT = 4 };

enum bus_breaker_past payment_call_past(const struct payment_call *call) {
  return call->attempt > 1 ? BUS_BREAKER_FAILED : BUS_BREAKER_FRESH;
}

uint64_t payment_call_item(const struct payment_call *call) {
  return bus_breaker_subject(call->order_id.bytes, sizeof call->order_id.bytes);
}

void payment_turns_init(struct payment_turns *turns, size_t slots, struct payment_waiting *pool, size_t room) {
  *turns = (struct payment_turns){.slots = slots, .unused_count = room};
  for (size_t i = 0; i < room; i++) {
    pool[i].next = turns->unused;
    turns->unused = &pool[i];
  }
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

size_t payment_turns_under_way(const struct payment_turns *turns) {
  return turns->under_way[BUS_BREAKER_FRESH] + turns->under_way[BUS_BREAKER_FAILED];
}

static size_t free_slots(const struct payment_turns *turns) {
  return turns->slots - payment_turns_under_way(turns);
}

static size_t repeated_most(const struct payment_turns *turns) {
  return turns->slots > 1 ? turns->slots / 2 : 1;
}

static size_t slots_for(const struct payment_turns *turns, enum bus_breaker_past past) {
  size_t used = turns->under_way[BUS_BREAKER_FAILED] + turns->late, most = repeated_most(turns);
  if (past == BUS_BREAKER_FRESH)
    return free_slots(turns);
  return used < most ? least(most - used, free_slots(turns)) : 0;
}

bool payment_turns_may_start(const struct payment_turns *turns, enum bus_breaker_past past) {
  return slots_for(turns, past) > 0;
}

void payment_turns_started(struct payment_turns *turns, enum bus_breaker_past past) {
  assert(free_slots(turns) > 0);
  turns->under_way[past]++;
}

void payment_turns_ended(struct payment_turns *turns, enum bus_breaker_past past) {
  assert(turns->under_way[past] > 0);
  turns->under_way[past]--;
}

static size_t places_for(const struct payment_turns *turns, enum bus_breaker_past past) {
  size_t most = WAITING_PER_SLOT * repeated_most(turns), waiting = turns->lines[past].count;
  if (past == BUS_BREAKER_FRESH)
    return turns->unused_count;
  return waiting < most ? least(most - waiting, turns->unused_count) : 0;
}

bool payment_turns_wait(struct payment_turns *turns, const struct payment_call *call, int64_t start_by) {
  enum bus_breaker_past past = payment_call_past(call);
  struct payment_line *line = &turns->lines[past];
  if (places_for(turns, past) == 0)
    return false;
  struct payment_waiting *waiting = turns->unused;
  turns->unused = waiting->next;
  turns->unused_count--;
  *waiting = (struct payment_waiting){.call = *call, .start_by = start_by};
  *(line->last ? &line->last->next : &line->first) = waiting;
  line->last = waiting;
  line->count++;
  return true;
}

static void take_first(struct payment_turns *turns, struct payment_line *line, struct payment_waiting *ret) {
  struct payment_waiting *first = line->first;
  *ret = *first;
  line->first = first->next;
  if (!line->first)
    line->last = NULL;
  line->count--;
  first->next = turns->unused;
  turns->unused = first;
  turns->unused_count++;
}

bool payment_turns_next(struct payment_turns *turns, struct payment_waiting *ret) {
  bool first_waits = turns->lines[BUS_BREAKER_FRESH].count > 0 && payment_turns_may_start(turns, BUS_BREAKER_FRESH);
  bool repeated_waits =
      turns->lines[BUS_BREAKER_FAILED].count > 0 && payment_turns_may_start(turns, BUS_BREAKER_FAILED);
  bool is_owed = turns->under_way[BUS_BREAKER_FAILED] == 0 && repeated_most(turns) > 1;
  if (!first_waits && !repeated_waits)
    return false;
  bool repeated = repeated_waits && (!first_waits || is_owed);
  take_first(turns, &turns->lines[repeated ? BUS_BREAKER_FAILED : BUS_BREAKER_FRESH], ret);
  return true;
}

size_t payment_turns_waiting(const struct payment_turns *turns) {
  return turns->lines[BUS_BREAKER_FRESH].count + turns->lines[BUS_BREAKER_FAILED].count;
}

size_t payment_turns_room(const struct payment_turns *turns, enum bus_breaker_past past) {
  return slots_for(turns, past) + places_for(turns, past);
}
