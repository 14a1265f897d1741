/* One input on its way through. */
#pragma once

#include <bus/effects.h>
#include <bus/error.h>

/* Tries so far, for the question who is to blame. Times are monotonic; 0: it has not failed. */
struct trial {
  int tries; /* whole batches with it that met a fault */
  int64_t failing_since, alone_since;
  bool fault; /* the last failure was a fault, and so was each since failing_since */
};

/* Verdict before or after it is decided. */
struct ruling {
  enum bus_verdict verdict;
  bool refused;           /* verdict and cause stand before it is decided */
  bool uncounted;         /* RETRY: its attempt is not counted */
  int tier;               /* RETRY */
  struct bus_error cause; /* RETRY, PARK */
  bus_time failed_at;     /* RETRY, PARK: when that was first said; 0: not yet */
};

struct entry {
  struct bus_input input;
  struct bus_envelope envelope; /* DELIVERY */
  struct bus_str raw;           /* DELIVERY: the body as it came */
  uint64_t tag;                 /* DELIVERY */
  uint64_t epoch;               /* DELIVERY: of the connection that the tag belongs to */
  int consumer;
  bool is_span;      /* DELIVERY: the envelope's trace names its own span, and no longer: */
  uint8_t parent[8]; /* its sender's */
  size_t bundled;    /* messages of its bundle; 0: it came alone */
  int64_t since;     /* when it arrived */
  size_t body_size;  /* local inputs */
  bool decoded;      /* looked at by decode_entry */
  bool uncut;        /* a bundle that cannot be cut */
  bool fails;        /* it finds no memory there */
  bool duplicate;    /* the inbox has it */
  bool late;         /* a request past its deadline: dropped */
  bool alone;        /* suspected of a crash: a batch of its own */
  bool suspect;      /* counted in bus.suspects */
  bool deferred;     /* it lies in intake->deferred */
  bool kept;         /* deferred: it stays there after this try */
  struct ruling ruling;
  struct trial trial;
};

static inline bool entry_is_delivery(const struct entry *entry) {
  return entry->input.kind == BUS_INPUT_DELIVERY;
}
