/*
 * A circuit breaker around a dependency that many calls share. It judges the dependency, not the subjects that the
 * calls are for: a subject counts once in the window, however often it is tried. Pure: time is an argument (monotonic
 * microseconds). Not thread-safe. A call's memory is the caller's, and stays where it is until the call's end.
 *
 * - closed: It opens when, within the window, at least `threshold` distinct subjects failed and these are at least
 *   `share_percent` of the subjects tried (a success counts as a subject each time); or when nothing succeeded and
 *   `threshold` calls failed, of one subject or of several. A call that takes longer than half of `time_limit` counts
 * as failed from then on; it counts as what it really was once it ends.
 * - open: No call goes while it rests: `first_rest`, and twice as long after each failed probe, up to `open_for`.
 * - half-open: The rest is over. Up to `success_threshold` calls at once go as probes, and so many successes close it.
 *
 * A probe with a subject that failed before says little, because the subject may be at fault. Such probes go only while
 * no other probe is under way, and the two kinds have rests of their own: failures of subjects that failed before never
 * make a subject wait that has not failed.
 */
#pragma once

#include <bus/base.h>

BUS_C_BEGIN

enum { BUS_BREAKER_THRESHOLD_MAX = 100, BUS_BREAKER_SPANS = 10, BUS_BREAKER_BUCKETS = BUS_BREAKER_SPANS + 1 };

struct bus_breaker_settings {
  int threshold;         /* 1 to BUS_BREAKER_THRESHOLD_MAX */
  int share_percent;     /* 1 to 100 */
  int64_t window;        /* microseconds, at least BUS_BREAKER_SPANS */
  int64_t first_rest;    /* microseconds; no longer than open_for counts */
  int64_t open_for;      /* microseconds: the longest rest */
  int success_threshold; /* at least 1 */
  int64_t time_limit;    /* microseconds: how long a call may take; 0: none, no call counts as failed while it runs */
};
#define BUS_BREAKER_FIRST_REST BUS_SECOND
#define BUS_BREAKER_DEFAULTS                                                                                           \
  {                                                                                                                    \
    .threshold = 5, .share_percent = 50, .window = 10 * BUS_SECOND, .first_rest = BUS_BREAKER_FIRST_REST,              \
    .open_for = 30 * BUS_SECOND, .success_threshold = 2                                                                \
  }

/* In the order of how bad they are: the value of the metric circuit_breaker_state. */
enum bus_breaker_state { BUS_BREAKER_CLOSED, BUS_BREAKER_HALF_OPEN, BUS_BREAKER_OPEN, BUS_BREAKER_STATES };

/* Whether the subject has failed before; the first goes first. */
enum bus_breaker_past { BUS_BREAKER_FRESH, BUS_BREAKER_FAILED, BUS_BREAKER_PASTS };

/* One call under way. Opaque to the caller, except for `late`. */
struct bus_breaker_call {
  uint64_t subject, epoch;
  int64_t began;
  enum bus_breaker_past past;
  bool probes;
  bool late; /* longer under way than half of the limit, as of the breaker's last look */
  struct bus_breaker_call *earlier, *later;
};

struct bus_breaker_failure {
  uint64_t subject;
  int64_t at;      /* the last one */
  uint64_t others; /* the breaker's `others` at that time */
  /* The last one of a call that has ended: a call that runs for long is a failure only until it succeeds. */
  bool certain; /* false: there is none */
  int64_t certain_at;
  uint64_t certain_others;
};

struct bus_breaker {
  struct bus_breaker_settings settings;
  bool open;
  uint64_t epoch;                        /* counts openings and closings */
  struct bus_breaker_call *first, *last; /* under way and not late, in the order in which they began */
  /* closed */
  struct bus_breaker_failure failures[BUS_BREAKER_THRESHOLD_MAX]; /* one a subject, the oldest first */
  int failure_count;
  int64_t failed_calls[BUS_BREAKER_THRESHOLD_MAX]; /* ring of the last failed calls' times */
  int failed_call_count, next_failed_call;
  struct {
    int64_t number; /* of the span of time: a tenth of the window */
    uint64_t others;
  } buckets[BUS_BREAKER_BUCKETS]; /* successes of subjects that are not among the failures */
  uint64_t others;                /* of these since ever */
  bool has_succeeded;
  int64_t succeeded_at;
  /* open */
  struct {
    int64_t until, rest;
    int probes; /* under way and not late */
  } lanes[BUS_BREAKER_PASTS];
  int successes;
};

/* The subject number of an id. */
uint64_t bus_breaker_subject(const void *id, size_t size);

/* Makes it closed, without a past. The settings are copied. */
void bus_breaker_init(struct bus_breaker *breaker, const struct bus_breaker_settings *settings);
/* Asks whether a call for this subject may start now. After true, call bus_breaker_end or bus_breaker_drop. A subject
 * that failed within the window counts as BUS_BREAKER_FAILED, whatever `past` says. */
bool bus_breaker_begin(struct bus_breaker *breaker, struct bus_breaker_call *call, uint64_t subject,
                       enum bus_breaker_past past, int64_t now) BUS_MUST_CHECK;
/* Ends the call. works: the dependency responded, even if it refused the subject. */
void bus_breaker_end(struct bus_breaker *breaker, struct bus_breaker_call *call, bool works, int64_t now);
/* Ends a call that says nothing about the dependency, for example because it was never sent. */
void bus_breaker_drop(struct bus_breaker *breaker, struct bus_breaker_call *call, int64_t now);
/* Closes an open breaker, because the dependency has answered a ping. A ping is no success of the window. */
void bus_breaker_alive(struct bus_breaker *breaker, int64_t now);

/* The three functions below also count calls that became late by `now`. */
enum bus_breaker_state bus_breaker_state(struct bus_breaker *breaker, int64_t now);
/* End of an open breaker's rest for such a subject; `now` if it does not rest. */
int64_t bus_breaker_retry_at(struct bus_breaker *breaker, uint64_t subject, enum bus_breaker_past past, int64_t now);
/* Number of calls for such subjects that may start now, before any of them ends: SIZE_MAX while closed. */
size_t bus_breaker_room(struct bus_breaker *breaker, enum bus_breaker_past past, int64_t now);
/* "closed", "half-open", "open" */
const char *bus_breaker_state_name(enum bus_breaker_state state);

BUS_C_END
