/* The registry's structs, shared by counting and printing. */
#pragma once

#include <bus/metrics.h>

#include <pthread.h>
#include <stdatomic.h>

enum { SERIES_MAX = 1000, HASH_SLOTS = 64 };

struct bus_series {
  const struct bus_metric *metric;
  struct bus_series *_Atomic next;      /* in order of making */
  struct bus_series *_Atomic hash_next; /* in the same slot */
  const char *values[BUS_METRIC_LABELS];
  _Atomic int64_t value;    /* HISTOGRAM: the sum */
  _Atomic int64_t *buckets; /* HISTOGRAM: one for each bound and one for what is above; not cumulative */
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

/* Held while metrics and series are made and while callbacks are read; never while counting. */
extern pthread_mutex_t metrics_lock;
extern struct bus_metric *_Atomic metrics_first;
