/* A breaker in virtual time, and calls that its tests begin and end by the number of a subject. */
#pragma once

#include <bus/breaker.h>

enum { CALLS = 1000 };
#define MS BUS_MILLISECOND

extern const struct bus_breaker_settings defaults;
extern struct bus_breaker breaker;
extern struct bus_breaker_call calls[CALLS]; /* of the subject with that number */
extern int64_t now;                          /* a case moves it */

/* A closed breaker with these settings, or with the defaults and a time limit of that many microseconds. */
void begin(const struct bus_breaker_settings *settings);
void begin_with_limit(int64_t time_limit);

/* False where the breaker refuses the call; try_call: for a subject that never failed. */
bool try_as(uint64_t subject, enum bus_breaker_past past);
bool try_call(uint64_t subject);
void end_call(uint64_t subject, bool works);

/* Whole calls, which the breaker must let go; _subjects: of the subjects first, first + 1, … */
void fail_subject(uint64_t subject);
void succeed(uint64_t subject);
void fail_subjects(uint64_t first, uint64_t count);
void succeed_subjects(uint64_t first, uint64_t count);

void assert_state(enum bus_breaker_state expected);
