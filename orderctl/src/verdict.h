/* The sentence of a story: what the order waits for, and what to do. Pure. */
#ifndef VERDICT_H
#define VERDICT_H

#include "story.h"

/* Needs all of the story but its steps and its verdict. */
void verdict_of(const struct story *story, struct story_verdict *ret);

/* Must somebody act? */
bool verdict_needs_action(const struct story_verdict *verdict);

/* ---- the words of sentences ---- */

/* Rows of an outbox lie there for a moment after they are published; answers need a moment on their way. */
enum { VERDICT_MOMENT_S = 10 };

/* Begins a new sentence, without anything to do. */
void verdict_say(struct story_verdict *verdict, enum story_code code, const char *format, ...) BUS_PRINTF(3, 4);
void verdict_advise(struct story_verdict *verdict, const char *format, ...) BUS_PRINTF(2, 3);

/* "1 message", "no consumer", "3 rows"; returns `text`. */
enum { VERDICT_COUNT = 64 };
const char *verdict_count(int64_t count, const char *noun, char text[VERDICT_COUNT]);

#endif
