/* The transition table of a reservation, and its print for the README. */
#include "inventory_table.h"

#include <assert.h>
#include <stdio.h>

const char *const reservation_state_names[] = {"NONE",     "RESERVED", "COMMITTED", "RELEASED",
                                               "RETURNED", "REJECTED", "EXPIRED",   NULL};
const char *const reservation_command_names[] = {"reserve", "sell", "release", "return", NULL};
const char *const reservation_alarm_names[RESERVATION_ALARMS] = {
    [ALARM_NONE] = "none", [ALARM_MISSING] = "stock_missing", [ALARM_SOLD] = "release_of_sold", [ALARM_HELD] = "held"};

#define TRY                                                                                                            \
  { .step = STEP_TRY }
#define SELL                                                                                                           \
  { .step = STEP_SELL }
#define TELL(what, ...)                                                                                                \
  { .step = STEP_TELL, .answer = (what), __VA_ARGS__ }
#define RECALL(what, ...)                                                                                              \
  { .step = STEP_RECALL, .answer = (what), __VA_ARGS__ }
#define MOVE(state, what)                                                                                              \
  { .step = STEP_MOVE, .next = (state), .answer = (what) }

/* The cells of a row: reserve, sell, release, return. */
_Static_assert(RESERVATION_COMMANDS == 4, "a row has a cell for each command");
static const struct reservation_rule rules[RESERVATION_ORDER_STATES][RESERVATION_COMMANDS] = {
    [RESERVATION_NONE] = {TRY, SELL, MOVE(RESERVATION_RELEASED, ANSWER_RELEASED), TELL(ANSWER_NONE, )},
    [RESERVATION_RESERVED] = {TELL(ANSWER_RESERVED, ), MOVE(RESERVATION_COMMITTED, ANSWER_NONE),
                              MOVE(RESERVATION_RELEASED, ANSWER_RELEASED), TELL(ANSWER_LATER, )},
    [RESERVATION_COMMITTED] = {TELL(ANSWER_NONE, ), TELL(ANSWER_NONE, ), TELL(ANSWER_NONE, .alarm = ALARM_SOLD),
                               MOVE(RESERVATION_RETURNED, ANSWER_NONE)},
    [RESERVATION_RETURNED] = {TELL(ANSWER_NONE, ), TELL(ANSWER_NONE, ), TELL(ANSWER_NONE, .alarm = ALARM_SOLD),
                              TELL(ANSWER_NONE, )},
    [RESERVATION_RELEASED] = {TELL(ANSWER_REJECTED, .reason = STOCK_ALREADY_RELEASED), SELL, TELL(ANSWER_RELEASED, ),
                              TELL(ANSWER_NONE, )},
    [RESERVATION_REJECTED] = {RECALL(ANSWER_REJECTED, ), RECALL(ANSWER_MISSING, .alarm = ALARM_MISSING),
                              RECALL(ANSWER_REJECTED, ), TELL(ANSWER_NONE, )},
};

const struct reservation_rule *reservation_rule_of(enum reservation_state state, enum reservation_command command) {
  assert(state < RESERVATION_ORDER_STATES);
  return &rules[state][command];
}

/* The cells of a row: confirm, release, expire. A reservation that is not there, an order's and one whose time is over
 * have no row. */
#define OWN_GO(state)                                                                                                  \
  { .next = (state), .outcome = OWN_DONE }
#define OWN_STAY(state, what)                                                                                          \
  { .next = (state), .outcome = (what) }
static const struct own_rule own_rules[RESERVATION_STATES][OWN_COMMANDS] = {
    [RESERVATION_RESERVED] = {OWN_GO(RESERVATION_COMMITTED), OWN_GO(RESERVATION_RELEASED),
                              OWN_STAY(RESERVATION_RESERVED, OWN_TOO_LATE)},
    [RESERVATION_COMMITTED] = {OWN_STAY(RESERVATION_COMMITTED, OWN_DONE), OWN_STAY(RESERVATION_COMMITTED, OWN_TOO_LATE),
                               OWN_STAY(RESERVATION_COMMITTED, OWN_TOO_LATE)},
    [RESERVATION_RELEASED] = {OWN_STAY(RESERVATION_RELEASED, OWN_TOO_LATE), OWN_STAY(RESERVATION_RELEASED, OWN_DONE),
                              OWN_STAY(RESERVATION_RELEASED, OWN_DONE)},
    [RESERVATION_EXPIRED] = {OWN_STAY(RESERVATION_EXPIRED, OWN_TOO_LATE), OWN_STAY(RESERVATION_EXPIRED, OWN_DONE),
                             OWN_STAY(RESERVATION_EXPIRED, OWN_DONE)},
};

const struct own_rule *own_rule_of(enum reservation_state state, enum own_command command) {
  return &own_rules[state][command - OWN_CONFIRM];
}

static void put_rule(const struct reservation_rule *rule, char *text, size_t size) {
  static const char *const answers[] = {
      "–", "`stock.reserved`", "`stock.rejected`", "`stock.released`", "`stock.missing`", "again later"};
  const char *answer = answers[rule->answer];
  int length = 0;
  if (rule->step == STEP_TRY)
    length = snprintf(text, size, " → RESERVED, `stock.reserved`; or → REJECTED, `stock.rejected` |");
  else if (rule->step == STEP_SELL)
    length = snprintf(text, size, " → COMMITTED if it is on hand; or `stock.missing`, alarm |");
  else if (rule->step == STEP_MOVE && rule->answer == ANSWER_NONE)
    length = snprintf(text, size, " → %s |", reservation_state_names[rule->next]);
  else if (rule->step == STEP_MOVE)
    length = snprintf(text, size, " → %s, %s |", reservation_state_names[rule->next], answer);
  else if (rule->step == STEP_RECALL)
    length = snprintf(text, size, " %s (the reason kept)%s |", answer, rule->alarm ? ", alarm" : "");
  else if (rule->answer == ANSWER_REJECTED)
    length = snprintf(text, size, " %s (`%s`) |", answer, stock_reason_names[rule->reason]);
  else
    length = snprintf(text, size, " %s |", rule->alarm ? "alarm" : answer);
  assert(length > 0 && (size_t)length < size);
  (void)length;
}

void reservation_print_table(void (*write)(void *context, const char *text), void *context) {
  char text[160];
  write(context, "| state |");
  for (int command = 0; command < RESERVATION_COMMANDS; command++) {
    (void)snprintf(text, sizeof text, " %s |", reservation_command_names[command]); /* short words */
    write(context, text);
  }
  write(context, "\n|---|---|---|---|---|\n");
  for (int state = 0; state < RESERVATION_ORDER_STATES; state++) {
    (void)snprintf(text, sizeof text, "| %s |", reservation_state_names[state]); /* as short */
    write(context, text);
    for (int command = 0; command < RESERVATION_COMMANDS; command++) {
      put_rule(&rules[state][command], text, sizeof text);
      write(context, text);
    }
    write(context, "\n");
  }
}
