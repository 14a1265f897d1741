/* One look at one node of the broker: what it is, what it took, and how long that lasted. */
#ifndef PROBE_H
#define PROBE_H

#include "story.h"

enum { PROBE_TEXT = 128, PROBE_ALARM = 256 };

/* Times are microseconds; BUS_NO_INT64: not got so far. */
struct probe {
  char node[PROBE_TEXT]; /* "host:port" */
  char product[PROBE_TEXT], version[PROBE_TEXT], cluster[PROBE_TEXT];
  int64_t connected, round_trip, returned, confirmed;
  int64_t queues; /* that answered */
  int64_t slowest;
  char slowest_queue[PROBE_TEXT];
  char alarm[PROBE_ALARM];  /* why the broker blocks publishers; "": it does not */
  struct bus_error problem; /* BUS_OK: none */
};

/* Empty, with nothing got. */
void probe_begin(struct probe *probe);
/* Its sentence, and what to do. */
void probe_judge(const struct probe *probe, struct story_verdict *ret);
/* One JSON object. False: out of memory. */
bool probe_encode(const struct probe *probe, const struct story_verdict *verdict, struct bus_arena *arena,
                  struct bus_str *ret) BUS_MUST_CHECK;

#endif
