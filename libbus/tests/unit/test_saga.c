/* Sagas: a table is drawn and checked, and each mistake in it is refused with the cell. */
#include <bus/saga.h>

#include <bus/message.h>
#include <test.h>

#include <string.h>

enum { NONE, ASKED, UNDOING, DONE, UNDONE, STATES };
enum { ON_ASK, ON_YES, ON_NO, ON_DEADLINE, MESSAGES };
enum { STEP_IGNORE = 1, STEP_BEGIN, STEP_END, STEP_UNDO, STEP_REPEAT, STEPS };

static const struct bus_message_type ask, yes, no, other; /* their addresses count */

struct cell {
  struct bus_saga_cell cell;
  const char *own;
};
/* Copies, in which a test makes one mistake. */
static struct bus_saga_state states[STATES];
static struct bus_saga_message messages[MESSAGES];
static struct cell cells[STATES][MESSAGES];
static struct bus_saga_step steps[STEPS];

static const char *own_word(const struct bus_saga_cell *cell) {
  return ((const struct cell *)cell)->own;
}

static const struct bus_saga saga = {BUS_SAGA_STATES(states), BUS_SAGA_MESSAGES(messages), BUS_SAGA_STEPS(steps),
                                     BUS_SAGA_CELLS(cells),   .other = "for free",         .word = own_word};

static void set(int state, int message, int step, int next) {
  cells[state][message] = (struct cell){.cell = {.step = step, .next = next}};
}

static void begin(void) {
  static const char *const names[] = {"none", "ASKED", "UNDOING", "DONE", "UNDONE"};
  for (int state = 0; state < STATES; state++) {
    states[state] =
        (struct bus_saga_state){.name = names[state], .is_absent = state == NONE, .is_final = state >= DONE};
    for (int message = 0; message < MESSAGES; message++)
      set(state, message, STEP_IGNORE, state);
  }
  memcpy(messages, (const struct bus_saga_message[]){{"ask", &ask}, {"yes", &yes}, {"no", &no}, {"deadline", NULL}},
         sizeof messages);
  memcpy(steps,
         (const struct bus_saga_step[STEPS]){[STEP_IGNORE] = {.word = "–", .stays_put = true},
                                             [STEP_BEGIN] = {.note = "question"},
                                             [STEP_UNDO] = {.note = "undo"},
                                             [STEP_REPEAT] = {"again", "undo again", .is_drawn_here = true}},
         sizeof steps);
  set(NONE, ON_ASK, STEP_BEGIN, ASKED);
  cells[NONE][ON_ASK].cell.other = DONE;
  cells[NONE][ON_NO].own = "unknown";
  set(ASKED, ON_YES, STEP_END, DONE);
  set(ASKED, ON_NO, STEP_UNDO, UNDOING);
  set(ASKED, ON_DEADLINE, STEP_UNDO, UNDOING);
  set(UNDOING, ON_YES, STEP_END, UNDONE);
  cells[UNDOING][ON_NO].cell.alarm = "no twice";
  set(UNDOING, ON_DEADLINE, STEP_REPEAT, UNDOING);
}

TEST(a_table_without_a_mistake_is_taken)
{
  struct bus_error err = {.code = BUS_OK};
  begin();
  if (!bus_saga_check(&saga, &err))
    fail_msg("%s", err.text);
}

static void assert_refused(const char *text) {
  struct bus_error err = {.code = BUS_OK};
  assert_false(bus_saga_check(&saga, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_string_equal(err.text, text);
  begin();
}

TEST(cells_that_are_empty_or_lead_nowhere_are_refused)
{
  begin();
  cells[ASKED][ON_NO] = (struct cell){.own = NULL};
  assert_refused("saga: the cell ASKED x no is empty");
  set(ASKED, ON_NO, STEPS, ASKED);
  assert_refused("saga: the cell ASKED x no has a step that is not there");
  set(ASKED, ON_NO, STEP_UNDO, STATES);
  assert_refused("saga: the cell ASKED x no leads to a state that is not there");
  cells[ASKED][ON_NO].cell.other = -1;
  assert_refused("saga: the cell ASKED x no leads to a state that is not there");
}

TEST(stories_that_do_not_end_are_refused)
{
  begin();
  set(ASKED, ON_DEADLINE, STEP_IGNORE, ASKED);
  assert_refused("saga: the cell ASKED x deadline does nothing: a saga would wait there forever");
  set(ASKED, ON_YES, STEP_IGNORE, ASKED);
  cells[NONE][ON_ASK].cell.other = 0;
  assert_refused("saga: no story reaches the state DONE");
  set(UNDOING, ON_YES, STEP_IGNORE, UNDOING);
  assert_refused("saga: no story ends from the state UNDOING");
  set(DONE, ON_NO, STEP_UNDO, UNDOING);
  assert_refused("saga: the cell DONE x no leads away from a final state");
  cells[DONE][ON_NO].cell.other = UNDOING;
  assert_refused("saga: the cell DONE x no leads away from a final state");
}

TEST(a_state_of_earlier_releases_is_not_entered)
{
  begin();
  set(ASKED, ON_NO, STEP_UNDO, UNDOING);
  states[UNDOING].is_past = true;
  assert_refused("saga: the cell ASKED x no leads to a state of earlier releases");
  states[UNDOING].is_past = true;
  set(ASKED, ON_NO, STEP_END, UNDONE);
  set(ASKED, ON_DEADLINE, STEP_END, UNDONE);
  assert_true(bus_saga_check(&saga, NULL));
}

TEST(messages_have_a_type_each_and_the_last_is_the_deadline)
{
  begin();
  messages[ON_NO].type = &yes;
  assert_refused("saga: the messages yes and no have one type");
  messages[ON_NO].type = NULL;
  assert_refused("saga: the last message and no other is the deadline, without a type: not no");
  messages[ON_DEADLINE].type = &other;
  assert_refused("saga: the last message and no other is the deadline, without a type: not deadline");
}

TEST(a_table_has_states_and_messages)
{
  struct bus_saga none = saga;
  begin();
  none.state_count = 0;
  assert_false(bus_saga_check(&none, NULL));
  none.state_count = 65;
  assert_false(bus_saga_check(&none, NULL));
  none = saga;
  none.message_count = 0;
  assert_false(bus_saga_check(&none, NULL));
}

TEST(an_input_has_its_message)
{
  begin();
  assert_int_equal(bus_saga_message(&saga, &(struct bus_input){.kind = BUS_INPUT_DELIVERY, .type = &no}), ON_NO);
  assert_int_equal(bus_saga_message(&saga, &(struct bus_input){.kind = BUS_INPUT_DEADLINE}), ON_DEADLINE);
  assert_int_equal(bus_saga_message(&saga, &(struct bus_input){.kind = BUS_INPUT_DELIVERY, .type = &other}), MESSAGES);
  assert_int_equal(bus_saga_message(&saga, &(struct bus_input){.kind = BUS_INPUT_COMPLETION}), MESSAGES);
  assert_int_equal(bus_saga_cell_at(&saga, ASKED, ON_NO)->next, UNDOING);
}

enum { PICTURE_SIZE = 4096 };

static void append(void *context, const char *text) {
  size_t len = strlen(context);
  assert_true(len + strlen(text) < PICTURE_SIZE);
  memcpy((char *)context + len, text, strlen(text) + 1);
}

TEST(the_picture_and_the_table)
{
  char text[PICTURE_SIZE] = "";
  begin();
  bus_saga_print(&saga, append, text);
  assert_string_equal(text, "```mermaid\nstateDiagram-v2\n"
                            "  [*] --> ASKED: ask / question\n"
                            "  [*] --> DONE: ask / for free\n"
                            "  ASKED --> DONE: yes\n"
                            "  ASKED --> UNDOING: no / undo\n"
                            "  ASKED --> UNDOING: deadline / undo\n"
                            "  UNDOING --> UNDONE: yes\n"
                            "  UNDOING --> UNDOING: deadline / undo again\n"
                            "  DONE --> [*]\n"
                            "  UNDONE --> [*]\n"
                            "```\n\n"
                            "| message | none | ASKED | UNDOING | DONE | UNDONE |\n"
                            "|---|---|---|---|---|---|\n"
                            "| `ask` | → ASKED; for free → DONE | – | – | – | – |\n"
                            "| `yes` | – | → DONE | → UNDONE | – | – |\n"
                            "| `no` | `unknown` | → UNDOING | alarm | – | – |\n"
                            "| `deadline` | – | → UNDOING | again | – | – |\n");
}

/* ---- deadlines ---- */

enum { WAIT = 1000, LONGEST = 5000, FIRST = 300, NOW = 100000 };
static bus_time deadline, due_at;

static void turn(struct bus_saga_turn what, bus_time now) {
  what.wait = WAIT;
  what.longest = LONGEST;
  what.first_due = FIRST;
  bus_saga_schedule(&what, now, &deadline, &due_at);
}

TEST(a_new_saga_is_looked_at_before_its_deadline)
{
  deadline = due_at = BUS_NO_TIME;
  turn((struct bus_saga_turn){.begins = true, .moves = true}, NOW);
  assert_true(deadline == NOW + WAIT && due_at == NOW + FIRST);
  turn((struct bus_saga_turn){.moves = true}, NOW + 100); /* the index stays */
  assert_true(deadline == NOW + 100 + WAIT && due_at == NOW + FIRST);
  turn((struct bus_saga_turn){.was_due = true}, NOW + FIRST); /* too early: looked at again at the deadline */
  assert_true(deadline == NOW + 100 + WAIT && due_at == deadline);
  turn((struct bus_saga_turn){.moves = true, .is_final = true}, NOW + 500);
  assert_true(deadline == BUS_NO_TIME && due_at == BUS_NO_TIME);
}

TEST(a_deadline_that_passes_is_set_anew)
{
  deadline = due_at = NOW;
  turn((struct bus_saga_turn){.was_due = true}, NOW);
  assert_true(deadline == NOW + WAIT && due_at == deadline);
}

TEST(a_deadline_from_before_the_clock_was_set_back_is_set_anew)
{
  deadline = NOW + LONGEST + 1;
  due_at = NOW;
  turn((struct bus_saga_turn){.was_due = true}, NOW);
  assert_true(deadline == NOW + WAIT && due_at == deadline);
}

TEST(a_saga_that_ends_at_once_is_never_due)
{
  deadline = due_at = BUS_NO_TIME;
  turn((struct bus_saga_turn){.begins = true, .moves = true, .is_final = true}, NOW);
  assert_true(deadline == BUS_NO_TIME && due_at == BUS_NO_TIME);
}
