/* The names of the planted bugs. */
#include "bugs.h"

const struct bug_card bug_cards[BUGS] = {[BUG_NONE] = {"none", "the services as they are"},
#define BUG_CARD(name, word, text) [BUG_##name] = {word, text},
                                         BUG_MAP(BUG_CARD)
#undef BUG_CARD
};

enum bug bug_find(const char *name) {
  int bug = 0;
  while (bug < BUGS && strcmp(name, bug_cards[bug].name) != 0)
    bug++;
  return (enum bug)bug;
}
