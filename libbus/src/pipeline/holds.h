/* Deliveries that are retried or parked: each is held until the broker has it in its tier or dead queue, and its
 * delivery is settled only then. */
#pragma once

#include "acks.h"
#include "entry.h"
#include "window.h"

#include <bus/history.h>

struct held {
  uint64_t tag;
  struct bus_envelope envelope;
  struct bus_str body;
  enum bus_exchange exchange;
  char key[BUS_KEY_MAX];
  struct bus_error cause;
  bool sent;
  int64_t again_at; /* monotonic; when not sent */
  struct held *next;
  char text[]; /* what the envelope and body point into */
};

struct holds {
  struct held *first;
  size_t count;
  int64_t logged_at; /* when it was last said that the broker does not take one */
};

/* The connections are lost: the broker redelivers what was held. */
void holds_reset(struct holds *holds, const struct turn *turn);
void holds_free(struct holds *holds);
/* Takes the entry over, by its ruling. False: out of memory; it is not settled. */
bool holds_add(struct holds *holds, const struct turn *turn, struct entry *entry) BUS_MUST_CHECK;
/* Sends those that are due, as far as there is room. */
void holds_send(struct holds *holds, const struct turn *turn, struct window *window);
/* When the next one is due; INT64_MAX: none. */
int64_t holds_next(const struct holds *holds, const struct window *window);
/* The broker has it: its delivery is settled. */
void holds_arrived(struct holds *holds, const struct turn *turn, struct held *held, struct acks *acks);
/* The broker did not take it: it is sent again. */
void holds_refused(struct holds *holds, const struct turn *turn, struct held *held, const char *why);
/* Writes the failed tries that travel with the entry's message or stay in the database, the current one last. Returns
 * the length. */
size_t holds_history(const struct turn *turn, struct entry *entry, char text[BUS_HISTORY_MAX]);
bool holds_is_valid(const struct holds *holds) BUS_MUST_CHECK;
