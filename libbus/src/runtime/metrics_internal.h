/* The registry's structs, shared by counting and printing. */
#pragma once

#include <bus/clock.h>
#include <bus/metrics.h>

#include <pthread.h>
#include <stdatomic.h>

enum { SERIES_MAX = 1000, HASH_SLOTS = 64 };

/* The last sampled observation of a bucket. Who writes or reads it holds it; whoever finds it held goes on without. */
struct exemplar {
  atomic_flag held;
  uint8_t trace_id[16]; /* all zero: none yet */
  int64_t value;
  bus_time at;
};

struct bus_series {
  const struct bus_metric *metric;
  struct bus_series *_Atomic next;      /* in order of making */
  struct bus_series *_Atomic hash_next; /* in the same slot */
  const char *values[BUS_METRIC_LABELS];
  _Atomic int64_t value;              /* HISTOGRAM: the sum */
  _Atomic int64_t *buckets;           /* HISTOGRAM: one for each bound and one for what is above; not cumulative */
  struct exemplar *_Atomic exemplars; /* HISTOGRAM: as many as buckets, from the first sampled observation on */
};

struct bus_metric {
  struct bus_metric_spec spec;
  size_t label_count;
  int64_t bounds[BUS_METRIC_BUCKETS]; /* in recorded units */
  struct bus_metric *next;
  struct bus_series *_Atomic slots[HASH_SLOTS];
  struct bus_series *_Atomic first;
  struct bus_series *last; /* under the registry's lock, as is series_count */
  size_t series_count;
  int64_t (*read)(void *context); /* read when scraped; NULL: from series */
  void *context;
};

/* "counter" … */
const char *metrics_kind_name(enum bus_metric_kind kind);

/* Held while metrics and series are made and while callbacks are read; never while counting. */
extern pthread_mutex_t metrics_lock;
extern struct bus_metric *_Atomic metrics_first;
