/* The links to database and broker: up, being opened, or away until their backoff ends; which queues are read; and
 * whether the queues were seen empty since the links stand. */
#pragma once

#include "turn.h"

#include <bus/backoff.h>

enum link_state { LINK_AWAY, LINK_OPENING, LINK_UP };

struct link {
  enum link_state state;
  int64_t again_at; /* AWAY: when it is opened */
  int64_t up_at;    /* UP: since when */
};

/* Messages that waited for a connection come before deadlines that passed meanwhile. */
struct settling {
  bool settled;
  int64_t since; /* when a connection came back */
  int64_t last_delivery_at;
};

/* How many messages a delivery holds: basic.qos can only count deliveries, so fewer are asked for while they are
 * bundles. */
struct flow {
  int64_t since; /* when counting began */
  size_t deliveries, messages;
  bool few;           /* deliveries at once */
  int64_t changed_at; /* 0: never */
};

struct links {
  struct link database, broker;
  bool pooled; /* the database's */
  struct bus_backoff database_backoff;
  struct bus_rotation hosts; /* of the broker */
  uint64_t epoch;            /* counts the broker's connections: a tag of an older one is void */
  bool paused[QUEUES_MAX], reading[QUEUES_MAX];
  struct settling settling;
  struct flow flow;
};

void links_init(struct links *links, const struct bus_pipeline_setup *setup);
/* Opens what is due. The broker is opened only while the database is there, and stays while it is away. */
void links_open(struct links *links, const struct turn *turn);
static inline bool links_are_up(const struct links *links) {
  return links->database.state == LINK_UP && links->broker.state == LINK_UP;
}
/* When there is something to open; INT64_MAX: nothing, or it is under way. */
int64_t links_next(const struct links *links);
void links_database_up(struct links *links, const struct turn *turn, bool pooled);
void links_broker_up(struct links *links, const struct turn *turn);
/* Either of the two is closed, or was not opened: it is opened again after a while. */
void links_down(struct links *links, const struct turn *turn, struct link *link, const struct bus_error *why,
                uint64_t random);
/* How many deliveries of a queue may be unacked. */
size_t links_prefetch(const struct links *links, const struct turn *turn);
/* Begins and ends reading queues, as they are paused or not. */
void links_apply_pauses(struct links *links, const struct turn *turn);
/* One delivery with so many messages. */
void links_delivered(struct links *links, size_t messages, int64_t now);
/* Now and then asks for fewer or more deliveries at once. */
void links_adapt(struct links *links, const struct turn *turn);
/* Deadlines wait again until the queues were seen empty. */
void links_unsettle(struct links *links, const struct turn *turn);
/* idle: no input waits, and the broker may send more. */
void links_look_whether_settled(struct links *links, const struct turn *turn, bool idle);
bool links_is_valid(const struct links *links) BUS_MUST_CHECK;
