/* Sagas: the cell of an input, deadlines, and whether every story ends. */
#include <bus/saga.h>

#include <bus/message.h>

enum { STATES_MAX = 64 };

const struct bus_saga_cell *bus_saga_cell_at(const struct bus_saga *saga, int state, size_t message) {
  size_t index = (size_t)state * saga->message_count + message;
  return (const struct bus_saga_cell *)((const char *)saga->cells + index * saga->cell_size);
}

size_t bus_saga_message(const struct bus_saga *saga, const struct bus_input *input) {
  size_t message = input->kind == BUS_INPUT_COMPLETION ? saga->message_count : 0;
  while (message < saga->message_count && saga->messages[message].type != input->type)
    message++;
  return message;
}

void bus_saga_schedule(const struct bus_saga_turn *turn, bus_time now, bus_time *deadline, bus_time *due_at) {
  bool passed = turn->was_due && *deadline != BUS_NO_TIME && (now >= *deadline || *deadline > now + turn->longest);
  if (turn->moves || passed)
    *deadline = turn->is_final ? BUS_NO_TIME : now + turn->wait;
  if (turn->begins && *deadline != BUS_NO_TIME)
    *due_at = now + turn->first_due;
  else if (turn->was_due || *deadline < *due_at) /* BUS_NO_TIME is less than any */
    *due_at = *deadline;
}

/* ---- the check ---- */

static bool is_state(const struct bus_saga *saga, int state) {
  return state >= 0 && (size_t)state < saga->state_count;
}

static bool refuse_cell(const struct bus_saga *saga, size_t state, size_t message, const char *what,
                        struct bus_error *err) {
  return bus_fail(err, BUS_E_CONFIG, "saga: the cell %s x %s %s", saga->states[state].name,
                  saga->messages[message].name, what);
}

static bool check_cell(const struct bus_saga *saga, size_t state, size_t message, struct bus_error *err) {
  const struct bus_saga_cell *cell = bus_saga_cell_at(saga, (int)state, message);
  const struct bus_saga_state *here = &saga->states[state];
  if (cell->step == 0)
    return refuse_cell(saga, state, message, "is empty", err);
  if (cell->step < 0 || (size_t)cell->step >= saga->step_count)
    return refuse_cell(saga, state, message, "has a step that is not there", err);
  if (!is_state(saga, cell->next) || !is_state(saga, cell->other))
    return refuse_cell(saga, state, message, "leads to a state that is not there", err);
  if (saga->states[cell->next].is_past && (size_t)cell->next != state)
    return refuse_cell(saga, state, message, "leads to a state of earlier releases", err);
  if (here->is_final && ((size_t)cell->next != state || cell->other != 0))
    return refuse_cell(saga, state, message, "leads away from a final state", err);
  bool is_open = !here->is_final && !here->is_absent;
  if (is_open && saga->messages[message].type == NULL && saga->steps[cell->step].stays_put)
    return refuse_cell(saga, state, message, "does nothing: a saga would wait there forever", err);
  return true;
}

static bool check_messages(const struct bus_saga *saga, struct bus_error *err) {
  for (size_t i = 0; i < saga->message_count; i++) {
    const struct bus_saga_message *message = &saga->messages[i];
    bool is_last = i + 1 == saga->message_count;
    if ((message->type == NULL) != is_last)
      return bus_fail(err, BUS_E_CONFIG, "saga: the last message and no other is the deadline, without a type: not %s",
                      message->name);
    for (size_t j = 0; j < i; j++)
      if (saga->messages[j].type == message->type)
        return bus_fail(err, BUS_E_CONFIG, "saga: the messages %s and %s have one type", saga->messages[j].name,
                        message->name);
  }
  return true;
}

/* Marks what one message more reaches: `to` from marked states, or `from` to marked states. */
static bool spread(const struct bus_saga *saga, uint64_t *marked, bool backwards) {
  uint64_t before = *marked;
  for (size_t i = 0; i < saga->state_count * saga->message_count; i++) {
    size_t state = i / saga->message_count;
    const struct bus_saga_cell *cell = bus_saga_cell_at(saga, (int)state, i % saga->message_count);
    uint64_t from = UINT64_C(1) << state, to = UINT64_C(1) << cell->next;
    if (cell->other != 0)
      to |= UINT64_C(1) << cell->other;
    if (backwards ? (*marked & to) != 0 : (*marked & from) != 0)
      *marked |= backwards ? from : to;
  }
  return *marked != before;
}

static uint64_t states_that(const struct bus_saga *saga, bool (*is)(const struct bus_saga_state *state)) {
  uint64_t marked = 0;
  for (size_t state = 0; state < saga->state_count; state++)
    if (is(&saga->states[state]))
      marked |= UINT64_C(1) << state;
  return marked;
}

static bool begins(const struct bus_saga_state *state) {
  return state->is_absent || state->is_past;
}

static bool ends(const struct bus_saga_state *state) {
  return state->is_final;
}

static bool check_stories(const struct bus_saga *saga, struct bus_error *err) {
  uint64_t reached = states_that(saga, begins), ending = states_that(saga, ends);
  while (spread(saga, &reached, false) || spread(saga, &ending, true)) {
  }
  for (size_t state = 0; state < saga->state_count; state++) {
    const char *name = saga->states[state].name;
    if (!(reached >> state & 1))
      return bus_fail(err, BUS_E_CONFIG, "saga: no story reaches the state %s", name);
    if (!(ending >> state & 1))
      return bus_fail(err, BUS_E_CONFIG, "saga: no story ends from the state %s", name);
  }
  return true;
}

bool bus_saga_check(const struct bus_saga *saga, struct bus_error *err) {
  if (saga->state_count == 0 || saga->state_count > STATES_MAX || saga->message_count == 0)
    return bus_fail(err, BUS_E_CONFIG, "saga: it has 1 to %d states, and a message", STATES_MAX);
  if (!check_messages(saga, err))
    return false;
  for (size_t state = 0; state < saga->state_count; state++)
    for (size_t message = 0; message < saga->message_count; message++)
      if (!check_cell(saga, state, message, err))
        return false;
  return check_stories(saga, err);
}
