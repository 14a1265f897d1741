/* Lines, and the comparison of one order. */
#include "reconcile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const kind_names[] = {"captured", "refunded", "open", NULL};

/* ---- lines ---- */

static bool take_text(struct bus_str *rest, char *to, size_t size) {
  struct bus_str text = bus_str_cut(rest, '\t');
  if (text.len == 0 || text.len >= size || memchr(text.data, '\0', text.len))
    return false;
  memcpy(to, text.data, text.len);
  to[text.len] = '\0';
  return true;
}

static bool take_number(struct bus_str *rest, int64_t *ret) {
  char text[24], *end;
  if (!take_text(rest, text, sizeof text) || text[0] < '0' || text[0] > '9')
    return false;
  *ret = strtoll(text, &end, 10);
  return *end == '\0';
}

static bool take_kind(struct bus_str *rest, enum reconcile_kind *ret) {
  struct bus_str name = bus_str_cut(rest, '\t');
  for (int i = 0; i < RECONCILE_KINDS; i++) {
    if (!bus_str_is(name, kind_names[i]))
      continue;
    *ret = (enum reconcile_kind)i;
    return true;
  }
  return false;
}

static bool is_order(const char *text) {
  struct bus_uuid id;
  return strcmp(text, RECONCILE_NO_ORDER) == 0 || bus_uuid_parse(bus_str(text), &id);
}

bool reconcile_line_parse(struct bus_str text, struct reconcile_line *ret) {
  return take_text(&text, ret->order, sizeof ret->order) && is_order(ret->order) && take_kind(&text, &ret->kind) &&
         take_number(&text, &ret->amount) && take_text(&text, ret->currency, sizeof ret->currency) &&
         take_text(&text, ret->psp_id, sizeof ret->psp_id) && take_number(&text, &ret->at) && text.len == 0;
}

struct bus_str reconcile_line_format(const struct reconcile_line *line, struct bus_arena *arena) {
  return bus_arena_printf(arena, "%s\t%s\t%" PRId64 "\t%s\t%s\t%" PRId64 "\n", line->order, kind_names[line->kind],
                          line->amount, line->currency, line->psp_id, line->at);
}

/* ---- one order ---- */

/* Captures and refunds as one number each: what must be the same on both sides. */
static bool is_same(const struct reconcile_side *ours, const struct reconcile_side *theirs) {
  return ours->captures == theirs->captures && ours->captured == theirs->captured &&
         ours->refunded == theirs->refunded && strcmp(ours->first_id, theirs->first_id) == 0 &&
         strcmp(ours->currency, theirs->currency) == 0 && ours->other_currency[0] == '\0' &&
         theirs->other_currency[0] == '\0';
}

static void report(struct reconcile *reconcile, const char *text) {
  reconcile->differences++;
  reconcile->report(reconcile->context, reconcile->order, text);
}

/* Fits: two ids of the provider at most. */
#define SAY(reconcile, ...)                                                                                            \
  do {                                                                                                                 \
    char text[512];                                                                                                    \
    (void)snprintf(text, sizeof text, __VA_ARGS__);                                                                    \
    report((reconcile), text);                                                                                         \
  } while (0)

static void compare_captures(struct reconcile *reconcile) {
  const struct reconcile_side *ours = &reconcile->ours, *theirs = &reconcile->theirs;
  if (theirs->captures > 1)
    SAY(reconcile, "double: %" PRId64 " captures at the provider, %s to %s", theirs->captures, theirs->first_id,
        theirs->last_id);
  if (ours->captures == 0 && theirs->captures > 0)
    SAY(reconcile, "missing here: capture %s of %" PRId64 " %s", theirs->first_id, theirs->captured, theirs->currency);
  else if (theirs->captures == 0 && ours->captures > 0)
    SAY(reconcile, "missing there: capture %s of %" PRId64 " %s", ours->first_id, ours->captured, ours->currency);
  else if (theirs->captures == 1 && ours->captured != theirs->captured)
    SAY(reconcile, "captured amount differs: here %" PRId64 ", there %" PRId64, ours->captured, theirs->captured);
  else if (theirs->captures == 1 && strcmp(ours->first_id, theirs->first_id) != 0)
    SAY(reconcile, "capture differs: here %s, there %s", ours->first_id, theirs->first_id);
}

static void compare_refunds(struct reconcile *reconcile) {
  const struct reconcile_side *ours = &reconcile->ours, *theirs = &reconcile->theirs;
  if (ours->refunds == 0 && theirs->refunds > 0)
    SAY(reconcile, "missing here: refund of %" PRId64 " %s", theirs->refunded, theirs->currency);
  else if (theirs->refunds == 0 && ours->refunds > 0)
    SAY(reconcile, "missing there: refund of %" PRId64 " %s", ours->refunded, ours->currency);
  else if (ours->refunded != theirs->refunded)
    SAY(reconcile, "refunded amount differs: here %" PRId64 ", there %" PRId64, ours->refunded, theirs->refunded);
}

static void compare_currencies(struct reconcile *reconcile) {
  const struct reconcile_side *ours = &reconcile->ours, *theirs = &reconcile->theirs;
  const char *here = ours->other_currency[0] ? ours->other_currency : ours->currency;
  const char *there = theirs->other_currency[0] ? theirs->other_currency : theirs->currency;
  if (here[0] && there[0] && strcmp(here, there) != 0)
    SAY(reconcile, "currency differs: here %s, there %s", here, there);
}

/* On one side alone, and outside the time that both sides were read for. */
static bool is_outside(const struct reconcile *reconcile) {
  bool both = reconcile->ours.newest && reconcile->theirs.newest;
  const struct reconcile_side *only = reconcile->ours.newest ? &reconcile->ours : &reconcile->theirs;
  return !both && only->newest < reconcile->since;
}

static bool may_be_under_way(const struct reconcile *reconcile) {
  return reconcile->is_open || reconcile->ours.newest > reconcile->until || reconcile->theirs.newest > reconcile->until;
}

static void conclude(struct reconcile *reconcile) {
  reconcile->orders++;
  if (is_same(&reconcile->ours, &reconcile->theirs) || is_outside(reconcile))
    return;
  if (may_be_under_way(reconcile)) {
    reconcile->open++;
    return;
  }
  compare_captures(reconcile);
  compare_refunds(reconcile);
  compare_currencies(reconcile);
}

void reconcile_end(struct reconcile *reconcile) {
  if (reconcile->order[0])
    conclude(reconcile);
  reconcile->order[0] = '\0';
  reconcile->is_open = false;
  reconcile->ours = reconcile->theirs = (struct reconcile_side){0};
}

static void note_currency(struct reconcile_side *side, const char *currency) {
  if (side->currency[0] == '\0')
    memcpy(side->currency, currency, sizeof side->currency);
  else if (strcmp(side->currency, currency) != 0)
    memcpy(side->other_currency, currency, sizeof side->other_currency);
}

static void count(struct reconcile_side *side, const struct reconcile_line *line) {
  if (line->at > side->newest)
    side->newest = line->at;
  note_currency(side, line->currency);
  if (line->kind == RECONCILE_REFUNDED) {
    side->refunds++;
    side->refunded += line->amount;
    return;
  }
  if (side->captures++ == 0)
    memcpy(side->first_id, line->psp_id, sizeof side->first_id);
  memcpy(side->last_id, line->psp_id, sizeof side->last_id);
  side->captured += line->amount;
}

void reconcile_add(struct reconcile *reconcile, const struct reconcile_line *line, bool is_theirs) {
  bool has_order = strcmp(line->order, RECONCILE_NO_ORDER) != 0;
  if (!has_order || strcmp(line->order, reconcile->order) != 0) {
    reconcile_end(reconcile);
    memcpy(reconcile->order, line->order, sizeof reconcile->order);
  }
  if (line->kind == RECONCILE_OPEN)
    reconcile->is_open = true;
  else
    count(is_theirs ? &reconcile->theirs : &reconcile->ours, line);
}

/* ---- whole sides ---- */

static int compare_orders(const void *a, const void *b) {
  return strcmp(((const struct reconcile_line *)a)->order, ((const struct reconcile_line *)b)->order);
}

void reconcile_all(struct reconcile *reconcile, struct reconcile_line *ours, size_t our_count,
                   struct reconcile_line *theirs, size_t their_count) {
  if (our_count > 0)
    qsort(ours, our_count, sizeof *ours, compare_orders);
  if (their_count > 0)
    qsort(theirs, their_count, sizeof *theirs, compare_orders);
  for (size_t i = 0, j = 0; i < our_count || j < their_count;) {
    bool is_theirs = i == our_count || (j < their_count && compare_orders(&theirs[j], &ours[i]) < 0);
    reconcile_add(reconcile, is_theirs ? &theirs[j++] : &ours[i++], is_theirs);
  }
  reconcile_end(reconcile);
}
