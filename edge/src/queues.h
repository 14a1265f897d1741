/* The queues of all services, as the broker counts them. */
#ifndef EDGE_QUEUES_H
#define EDGE_QUEUES_H

#include <bus/arena.h>
#include <bus/error.h>
#include <bus/http_server.h>
#include <bus/topology.h>

#include <pthread.h>

enum { EDGE_QUEUES_MAX = 64 };

/* As operators see one. */
struct queue_view {
  struct bus_str queue, service; /* service: its reader */
  int kind;                      /* enum queue_kind */
  int64_t ready, consumers;
  int64_t retrying, dead; /* BUS_NO_INT64: it is no work queue, so nothing is tried again or dead-lettered */
};
enum queue_kind { QUEUE_OF_WORK, QUEUE_OF_QUERIES };
struct queue_list {
  struct queue_view *items;
  size_t item_count;
  struct bus_str next_cursor; /* absent: it is one page */
  bus_time read_at;
  bool blocked;          /* the broker takes no messages */
  struct bus_str reason; /* the broker's words for it; absent: not blocked */
};
extern const struct bus_schema queue_list_schema;

/* The counts that were read last, for all who ask. */
struct edge_queues {
  pthread_mutex_t mutex; /* also held while they are read: nobody reads them twice at once */
  const struct bus_topology *topology;
  struct queue_view items[EDGE_QUEUES_MAX];
  size_t count;
  bool known;
  int64_t tried_at; /* monotonic; 0: never */
  bus_time read_at;
};

/* False: the topology has more than EDGE_QUEUES_MAX queues. */
bool edge_queues_open(struct edge_queues *queues, const struct bus_topology *topology,
                      struct bus_error *err) BUS_MUST_CHECK;
void edge_queues_close(struct edge_queues *queues);

/* GET /api/queues. Reads them if nobody has for two seconds; blocks for a few seconds at most. */
void edge_queues_list(void *edge, struct bus_http_exchange *exchange);

#endif
