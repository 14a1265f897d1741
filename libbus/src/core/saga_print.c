/* A saga as Markdown: a Mermaid state diagram, and the whole table. */
#include <bus/saga.h>

struct printer {
  const struct bus_saga *saga;
  void (*write)(void *context, const char *text);
  void *context;
};

/* Writes the texts one after the other, up to NULL. */
static void write_pieces(const struct printer *p, const char *const *pieces) {
  for (; *pieces; pieces++)
    p->write(p->context, *pieces);
}
#define PRINT(...) write_pieces(p, (const char *const[]){__VA_ARGS__, NULL})

static const char *name_of(const struct printer *p, int state) {
  return p->saga->states[state].name;
}

/* ---- the picture ---- */

/* Stories begin in the first state of those without a saga. */
static const char *origin_of(const struct printer *p, int state) {
  for (int i = 0; i < state; i++)
    if (p->saga->states[i].is_absent)
      return name_of(p, state);
  return p->saga->states[state].is_absent ? "[*]" : name_of(p, state);
}

static void print_arrow(const struct printer *p, int from, size_t message) {
  const struct bus_saga_cell *cell = bus_saga_cell_at(p->saga, from, message);
  const struct bus_saga_step *step = &p->saga->steps[cell->step];
  const char *note = cell->alarm ? "alarm" : step->note;
  if (cell->next != from || step->is_drawn_here) {
    PRINT("  ", origin_of(p, from), " --> ", name_of(p, cell->next), ": ", p->saga->messages[message].name);
    if (note)
      PRINT(" / ", note);
    PRINT("\n");
  }
  if (cell->other != 0) {
    PRINT("  ", origin_of(p, from), " --> ", name_of(p, cell->other), ": ", p->saga->messages[message].name);
    if (p->saga->other)
      PRINT(" / ", p->saga->other);
    PRINT("\n");
  }
}

static void print_arrows(const struct printer *p, bool of_absent) {
  for (size_t state = 0; state < p->saga->state_count; state++)
    for (size_t message = 0; p->saga->states[state].is_absent == of_absent && message < p->saga->message_count;
         message++)
      print_arrow(p, (int)state, message);
}

static void print_diagram(const struct printer *p) {
  PRINT("```mermaid\nstateDiagram-v2\n");
  print_arrows(p, true);
  print_arrows(p, false);
  for (size_t state = 0; state < p->saga->state_count; state++)
    if (p->saga->states[state].is_final)
      PRINT("  ", name_of(p, (int)state), " --> [*]\n");
  PRINT("```\n\n");
}

/* ---- the table ---- */

static void print_word(const struct printer *p, const struct bus_saga_cell *cell) {
  const struct bus_saga_step *step = &p->saga->steps[cell->step];
  const char *own = p->saga->word ? p->saga->word(cell) : NULL;
  if (own)
    PRINT(" `", own, "`");
  else if (cell->alarm && step->stays_put)
    PRINT(" alarm");
  else if (step->word)
    PRINT(" ", step->word);
}

static void print_cell(const struct printer *p, int state, size_t message) {
  const struct bus_saga_cell *cell = bus_saga_cell_at(p->saga, state, message);
  print_word(p, cell);
  if (cell->next != state)
    PRINT(" → ", name_of(p, cell->next));
  if (cell->other != 0)
    PRINT("; ", p->saga->other ? p->saga->other : "or", " → ", name_of(p, cell->other));
  if (cell->alarm && !p->saga->steps[cell->step].stays_put)
    PRINT(", alarm");
  PRINT(" |");
}

static void print_table(const struct printer *p) {
  PRINT("| message |");
  for (size_t state = 0; state < p->saga->state_count; state++)
    PRINT(" ", name_of(p, (int)state), " |");
  PRINT("\n|---|");
  for (size_t state = 0; state < p->saga->state_count; state++)
    PRINT("---|");
  for (size_t message = 0; message < p->saga->message_count; message++) {
    PRINT("\n| `", p->saga->messages[message].name, "` |");
    for (size_t state = 0; state < p->saga->state_count; state++)
      print_cell(p, (int)state, message);
  }
  PRINT("\n");
}

void bus_saga_print(const struct bus_saga *saga, void (*write)(void *context, const char *text), void *context) {
  const struct printer printer = {saga, write, context};
  print_diagram(&printer);
  print_table(&printer);
}
