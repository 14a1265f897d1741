/* The publishing connection: what was sent and is not confirmed, bounded so that a publish never waits for a full
 * socket. */
#pragma once

#include "turn.h"

#include <bus/backoff.h>

struct held; /* holds.h */

/* A publication that the broker has not confirmed yet. */
struct slip {
  enum bus_sent_kind kind;
  bool open, returned, bundle;
  uint32_t bytes;
  struct bus_uuid message_id;
  struct held *held; /* HELD */
};

struct window {
  bool up, blocked;
  struct slip *slips; /* ring by sequence number */
  size_t room;        /* slips; a power of two */
  uint64_t lowest_open, next_seq;
  size_t bytes;
  size_t most; /* publications */
  struct bus_nacks nacks;
};

/* most: publications that may be unconfirmed; 0: as many as in production. */
bool window_init(struct window *window, size_t most) BUS_MUST_CHECK;
void window_free(struct window *window);
/* A new connection, or none: what was open is unknown. */
void window_reset(struct window *window, bool up);
/* May be published to. */
static inline bool window_is_open(const struct window *window) {
  return window->up && !window->blocked;
}
static inline size_t window_count(const struct window *window) {
  return (size_t)(window->next_seq - window->lowest_open);
}
/* For a body of that size; confirms make room. */
bool window_takes(const struct window *window, size_t bytes);
/* The same, and in this step. */
bool window_has_room(const struct window *window, const struct turn *turn, size_t bytes);
/* Sends; there must be room. */
void window_send(struct window *window, const struct turn *turn, const struct bus_publication *publication,
                 enum bus_sent_kind kind, struct held *held, bool first);
/* The next open one that a confirm of seq closes; NULL: none is left. Closes it, once those before it are closed. */
struct slip *window_confirmed(struct window *window, uint64_t seq, bool multiple);
/* Behind the last of them. */
void window_advance(struct window *window);
void window_returned(struct window *window, const struct bus_uuid *message_id);
bool window_is_valid(const struct window *window) BUS_MUST_CHECK;
