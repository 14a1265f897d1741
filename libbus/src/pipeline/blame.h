/* Whether a message that failed alone is to blame for it, or the database is. */
#pragma once

#include <bus/pipeline.h>

enum {
  BLAME_WHOLE_TRIES = 3,    /* a batch that meets a fault is tried whole so often, then in halves */
  BLAME_WITHOUT_COMMIT = 5, /* messages of a type in a row that are blamed without proof */
};

enum blame {
  BLAME_NOBODY,  /* it stays unacked and is tried again with backoff */
  BLAME_ASK,     /* not blamed, unless a probe transaction succeeds now: then as with similar ones */
  BLAME_SIMILAR, /* it waits in a tier and no attempt is counted: others commit, but none of its type */
  BLAME_MESSAGE, /* it is put off to its next tier, or dead-lettered for its data */
};

/* Times are monotonic; 0: never. */
struct blame_facts {
  enum bus_batch_outcome outcome;
  int64_t failing_since; /* when a batch with this message failed first */
  int64_t alone_since;   /* when it failed alone first */
  int64_t similar_at;    /* when a message of its type was committed last */
  int64_t commit_at;     /* when any input was committed last */
  int blamed;            /* messages of its type that were blamed since one was committed */
  int64_t patience;      /* how long it fails alone before a probe decides, in microseconds */
  int64_t now;
};

enum blame blame_of(const struct blame_facts *facts);
