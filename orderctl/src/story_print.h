/* Prints a story for people. Texts of messages are printed without control characters. */
#ifndef STORY_PRINT_H
#define STORY_PRINT_H

#include "story.h"

/* False: the standard output cannot be written. */
bool story_print(const struct story *story) BUS_MUST_CHECK;

/* Parts of it, for other verbs. */
void story_print_text(struct bus_str text);
void story_print_dead(const struct story_dead *dead);
/* The sentence, and on a line of its own what to do. */
void story_print_verdict(const struct story_verdict *verdict);

#endif
