/* The sentence of a story: what the order waits for, and what to do. Pure. */
#ifndef VERDICT_H
#define VERDICT_H

#include "story.h"

/* Needs all of the story but its steps and its verdict. */
void verdict_of(const struct story *story, struct story_verdict *ret);

/* Must somebody act? */
bool verdict_needs_action(const struct story_verdict *verdict);

#endif
