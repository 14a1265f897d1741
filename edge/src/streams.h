/* The open streams of orders: who may open one, and which orders have changed. Thread-safe. */
#ifndef EDGE_STREAMS_H
#define EDGE_STREAMS_H

#include <order_messages.h>

#include <pthread.h>
#include <stdatomic.h>

enum { STREAMS_A_CUSTOMER = 4 };

/* In the frame of the thread that serves it. */
struct stream {
  struct stream *next;
  struct bus_uuid order_id;
  uint64_t customer;    /* a hash: of the customer's id, or of the order if its customer has no name */
  int wake_fd;          /* an eventfd: readable when one of the following has changed; -1: none */
  atomic_llong version; /* the highest of the order's that was seen or read; 0: none was */
  atomic_bool unseen;   /* the order may have changed: it did not fit into an answer */
  atomic_bool missed;   /* events were missed: the client is to be told */
};
struct streams {
  pthread_mutex_t mutex;
  struct stream *first; /* under the mutex, as the list */
};

void streams_init(struct streams *streams);
/* False: its customer has as many streams as allowed. True: streams_leave must follow. */
bool streams_join(struct streams *streams, struct stream *stream) BUS_MUST_CHECK;
void streams_leave(struct streams *streams, struct stream *stream);

/* The orders of the streams from the skip-th on, for a query; → how many, at most room. */
size_t streams_orders(struct streams *streams, size_t skip, struct order_get *ret, size_t room);
/* The answer to that query about one order. */
void streams_see(struct streams *streams, const struct bus_uuid *order_id, const struct order_answer *answer);

/* The order has this version now. */
void streams_note(struct streams *streams, const struct bus_uuid *order_id, int64_t version);
/* Every stream looks for itself what has changed. */
void streams_wake(struct streams *streams);
/* Events were missed: every stream reads again, and says so. */
void streams_resync(struct streams *streams);
/* The customer under which a stream is counted. */
uint64_t streams_customer(struct bus_str id);

/* One event as text/event-stream; data is NULL when out of memory. */
struct bus_str stream_event(const struct order_event_view *event, struct bus_arena *arena);
/* The value of Last-Event-ID: a seq. False: it is none. */
bool stream_position(struct bus_str text, int64_t *ret) BUS_MUST_CHECK;

#endif
