/* The requester's insides: what callers' threads and the I/O thread share, under one lock. */
#pragma once

#include "request_table.h"

#include "../core/pace.h"

#include <bus/amqp.h>
#include <bus/backoff.h>
#include <bus/request.h>

#include <pthread.h>
#include <stdatomic.h>

enum {
  MAX_OPEN = 4096,
  MAX_UNCONFIRMED = 1 << 20,
  MESSAGE_OVERHEAD = 768, /* most bytes of an envelope and its frames on the wire */
  REQUEST_CHUNK = 64,     /* requests are allocated in groups of this size, and kept */
  ANSWERS_MAX = 4,        /* waiting for one request; further ones are dropped */
  ARENAS_KEPT = 128,
  WAKES_MAX = 256,
  ARENA_KEPT_MAX = 8 * 1024, /* one that held more goes back to the system */
  ARENA_LIMIT = 4 << 20,
  DRAIN_MS = 5000,
};

/* An answer lies in an arena of its own, with all it points to. */
struct answer {
  struct answer *next;
  struct bus_arena *arena;
  struct bus_str type, body;
};

struct bus_pending {
  struct bus_requester *owner;
  struct bus_pending *next; /* in the list of free ones, or in the queue */
  pthread_cond_t changed;
  enum bus_request_state state; /* without regard to answers */
  bool open;                    /* between begin and end */
  bool queued;                  /* in the queue, or being published: the I/O thread still looks at it */
  bool waiting, confirm_is_enough;
  bool long_wait; /* of these, one that bus_requester_hurry ends */
  bool query;
  uint32_t generation;
  const struct bus_message_type *type;
  struct bus_envelope envelope;
  struct bus_arena *arena; /* of the body, until it was published */
  struct bus_str body;
  struct answer *first, *last;
  int answer_count;
};

struct request_chunk {
  struct request_chunk *next;
  struct bus_pending items[REQUEST_CHUNK];
};

/* Callers to wake, once the lock is free: one that is woken under it only runs into it. */
struct wake_list {
  struct bus_pending *items[WAKES_MAX];
  size_t count;
};

struct arena_pool {
  struct bus_arena *items[ARENAS_KEPT];
  size_t count;
};

struct bus_requester {
  char *url;
  const char *url_file, *dns_server;
  struct bus_tls_files tls;
  char reply_queue[BUS_KEY_MAX], name[BUS_NAME_MAX];
  int64_t heartbeat_s;
  size_t max_open, max_unconfirmed, bundle_max, shards;
  int64_t gather;                 /* microseconds; 0: nothing waits */
  struct bus_pending unavailable; /* what begin returns for what is certainly not sent */

  pthread_mutex_t lock; /* guards all that follows, up to the atomics */
  pthread_cond_t drained;
  struct request_table table;
  struct request_chunk *chunks;
  struct bus_pending *free_list, *queue_first, *queue_last;
  size_t open_count;
  struct arena_pool pool;
  struct bus_uuid_source ids;
  bool closing, asleep, hurried;
  bool gathering, urgent; /* commands wait for others; something in the queue must not */
  char blocked_reason[BUS_REQUESTER_REASON];

  atomic_bool up, blocked, stopping;
  int wake_fd;
  pthread_t thread;

  /* the I/O thread's alone */
  struct bus_rotation hosts;
  struct bus_amqp *publishing, *consuming;
  struct request_window window;
  struct request_table bundles; /* unconfirmed ones, by their ids */
  struct bus_uuid_source bundle_ids;
  struct bus_arena *incoming, *cut, *outgoing; /* of a pump; of one bundle of answers; of one batch of requests */
  struct wake_list wakes;
  struct pace pace;    /* of batches that leave */
  int64_t pumped_at;   /* both */
  int64_t confirms_at; /* when they are read though nothing else has come */
  struct bus_nacks nacks;
  bool publishing_readable, consuming_readable, reply_queue_gone, deaf;
};

/* ---- request_state.c; with the lock held ---- */
struct bus_arena *requester_take_arena(struct bus_requester *requester); /* NULL: make one, without the lock */
void requester_keep_arena(struct bus_requester *requester, struct bus_arena *arena);
struct bus_pending *requester_take_pending(struct bus_requester *requester); /* NULL when out of memory */
/* Back to the free ones, unless its caller or the I/O thread still has it. */
void requester_let_go(struct bus_pending *pending);
void requester_drop_answers(struct bus_pending *pending);
void requester_pool_done(struct bus_requester *requester);
enum bus_request_state requester_state_of(const struct bus_pending *pending);
/* True if waiting longer cannot bring a better state for this caller. */
bool requester_is_enough(const struct bus_pending *pending, bool confirm_is_enough);
/* On the I/O thread: marks the caller for requester_wake_callers if its request has reached the awaited state. */
void requester_notify(struct bus_pending *pending);
void requester_set_state(struct bus_pending *pending, enum bus_request_state state);

/* ---- request_state.c; without the lock ---- */
/* On the I/O thread. The request may belong to another caller by now, who then waits on. */
void requester_wake_callers(struct bus_requester *requester);
/* Wakes the I/O thread, from any thread. */
void requester_wake(struct bus_requester *requester);

/* ---- requester_io.c: the I/O thread ---- */
void *requester_run(void *requester);

/* ---- requester_publish.c ---- */
/* How long what is in the queue waits for more, in microseconds; 0: not at all. */
int64_t requester_gather_left(struct bus_requester *requester);
/* Publishes what waits in the queue now, within the limit of what is unconfirmed. False: the connection is lost. */
bool requester_publish_queue(struct bus_requester *requester, struct bus_error *err);

/* ---- requester_link.c: the events of its connections ---- */
extern const struct bus_amqp_events requester_publishing_events, requester_consuming_events;
/* When the connections go: settles the requests that were never sent, and those whose fate is unknown. */
void requester_on_lost(struct bus_requester *requester);
