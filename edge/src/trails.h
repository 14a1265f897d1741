/* Messages that did not get on, as services know them and operators see them. */
#ifndef EDGE_TRAILS_H
#define EDGE_TRAILS_H

#include <bus/trail.h>

/* Rows of all services; each names its own. */
struct outgoing_view {
  struct bus_str service;
  struct bus_trail_outgoing message;
};
struct dead_view {
  struct bus_str service;
  struct bus_trail_dead message;
};
struct cause_view {
  struct bus_str service;
  struct bus_trail_cause cause;
};
/* A service that gave no answer: its messages are missing. */
struct silent_view {
  struct bus_str service;
};

/* GET /api/orders/{id}/trail */
struct order_trail {
  struct outgoing_view *outgoing;
  struct dead_view *dead;
  struct silent_view *silent;
  size_t outgoing_count, dead_count, silent_count;
};
/* GET /api/dead-letters */
struct dead_letters {
  struct cause_view *items;
  struct silent_view *silent;
  size_t item_count, silent_count;
  struct bus_str next_cursor; /* absent: it is one page */
};
extern const struct bus_schema order_trail_schema, dead_letters_schema;

#endif
