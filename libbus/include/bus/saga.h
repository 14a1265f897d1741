/*
 * A saga as a table: what each message does in each state. A service fills the table and writes its steps; libbus finds
 * the cell of an input, checks that every story ends, sets deadlines, and draws the table and its picture. Pure.
 *
 *   static const struct bus_saga_cell cells[STATES][MESSAGES] = {
 *       [NONE] = {[ON_ASK] = {STEP_BEGIN, ASKED}, [ON_ANSWER] = {STEP_PARK, NONE}, [ON_DEADLINE] = {STEP_IGNORE,
 * NONE}}, [ASKED] = {[ON_ASK] = {STEP_IGNORE, ASKED}, [ON_ANSWER] = {STEP_END, DONE}, [ON_DEADLINE] = {STEP_UNDO,
 * UNDONE}}, …
 *   };
 *   const struct bus_saga saga = {BUS_SAGA_STATES(states), BUS_SAGA_MESSAGES(messages), BUS_SAGA_STEPS(steps),
 *                                 BUS_SAGA_CELLS(cells)};
 *
 * Compensation is a state like others: the step that leads there sends what undoes the work, its deadline sends it
 * again, and answers lead on to a final state.
 *
 *   saga of struct bus_program     the service does not start with a table that bus_saga_check refuses; --print-saga
 *   decide()                       bus_saga_message, bus_saga_cell_at, a switch or an array over cell->step
 *   decide(), once it is done      bus_saga_schedule: the deadline, and when its row is due
 */
#pragma once

#include <bus/base.h>
#include <bus/effects.h>
#include <bus/error.h>

BUS_C_BEGIN

struct bus_saga_state {
  const char *name;
  bool is_absent; /* there is no saga yet: stories begin here */
  bool is_final;  /* stories end here, and no message leads away */
  bool is_past;   /* only rows of earlier releases are in it: no cell leads here */
};

struct bus_saga_message {
  const char *name;                    /* "order.place" */
  const struct bus_message_type *type; /* NULL, of the last message alone: a deadline that has passed */
};

/* Steps are numbered by the service from 1 on: 0 is a cell that was forgotten. */
struct bus_saga_step {
  const char *word; /* in the table, beside the state that it leads to; NULL: nothing */
  const char *note; /* at an arrow of the picture; NULL: nothing */
  bool stays_put;   /* nothing happens: no message waits for it, and no deadline may have it in a state that is open */
  bool is_drawn_here; /* an arrow also where the state stays the same */
};

/* The beginning of each cell; a service may have members of its own behind it. */
struct bus_saga_cell {
  int step;
  int next;          /* the state that it leads to, if only together with another message */
  const char *alarm; /* what somebody should look at, or NULL */
  int other;         /* a second state that the step may lead to; 0: none */
};

struct bus_saga {
  const struct bus_saga_state *states;
  size_t state_count;
  const struct bus_saga_message *messages;
  size_t message_count;
  const struct bus_saga_step *steps; /* by number */
  size_t step_count;
  const void *cells; /* [state][message]: structs that begin with a bus_saga_cell */
  size_t cell_size;
  const char *other; /* when a cell leads to its other state, for the picture: "to be paid later" */
  /* The service's own words for a cell, instead of its step's; NULL: none. The function may be NULL. */
  const char *(*word)(const struct bus_saga_cell *cell);
};
#define BUS_SAGA_STATES(array) .states = (array), .state_count = BUS_COUNT(array)
#define BUS_SAGA_MESSAGES(array) .messages = (array), .message_count = BUS_COUNT(array)
#define BUS_SAGA_STEPS(array) .steps = (array), .step_count = BUS_COUNT(array)
/* An array [state][message] of cells. */
#define BUS_SAGA_CELLS(array) .cells = (array), .cell_size = sizeof(array)[0][0]

/* Refused (BUS_E_CONFIG, with the state and the message): an empty cell; a state or step that is not there; a type that
 * two messages have; a state that no story reaches, or from which none ends; an open state whose deadline does nothing,
 * because its saga could wait forever; a final state that a message leaves. */
bool bus_saga_check(const struct bus_saga *saga, struct bus_error *err) BUS_MUST_CHECK;

/* The message of a delivery, or the deadline; saga->message_count: none, as of a completion. */
size_t bus_saga_message(const struct bus_saga *saga, const struct bus_input *input);
/* The table's cell of a state and a message, which is below saga->message_count. */
const struct bus_saga_cell *bus_saga_cell_at(const struct bus_saga *saga, int state, size_t message);

/* A Mermaid state diagram and the whole table, as Markdown. */
void bus_saga_print(const struct bus_saga *saga, void (*write)(void *context, const char *text), void *context);

/* ---- deadlines ---- */

/* A change of a saga, and the times of the state that it is in now, in µs. */
struct bus_saga_turn {
  bool begins;       /* it was absent before */
  bool moves;        /* its state is another one */
  bool was_due;      /* the input was its deadline */
  bool is_final;     /* it ends here */
  int64_t wait;      /* until the deadline of its state */
  int64_t longest;   /* no deadline of this state is farther away, unless it was set before the clock was set back */
  int64_t first_due; /* `begins`: until its row is looked at, the shortest wait of the states before it ends */
};
/* Sets when a saga must be done (*deadline), and when its row is looked at (*due_at, which is indexed): never later
 * than the deadline, often earlier, so that usual steps leave the index alone. BUS_NO_TIME in both: never. */
void bus_saga_schedule(const struct bus_saga_turn *turn, bus_time now, bus_time *deadline, bus_time *due_at);

BUS_C_END
