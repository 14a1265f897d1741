/* The ring of unconfirmed publications. */
#include "window.h"

#include "trace.h"

#include <stdlib.h>

enum {
  UNCONFIRMED_MAX = 8191,
  UNCONFIRMED_BYTES = 1 << 20, /* what the socket takes */
  ENVELOPE_BYTES = 512,        /* frames and properties beside a body, roughly */
  RESERVE = 32,                /* actions that the rest of a step may need */
};

bool window_init(struct window *window, size_t most) {
  window->most = most > 0 ? most : UNCONFIRMED_MAX;
  for (window->room = 1; window->room <= window->most;)
    window->room *= 2;
  window->slips = calloc(window->room, sizeof *window->slips);
  window->lowest_open = window->next_seq = 1;
  return window->slips != NULL;
}

void window_free(struct window *window) {
  free(window->slips);
}

static struct slip *slip_at(const struct window *window, uint64_t seq) {
  return &window->slips[seq & (window->room - 1)];
}

void window_reset(struct window *window, bool up) {
  assert(window->slips && !(up && window->up));
  for (uint64_t seq = window->lowest_open; seq < window->next_seq; seq++)
    *slip_at(window, seq) = (struct slip){.open = false};
  window->lowest_open = window->next_seq = 1;
  window->bytes = 0;
  window->blocked = false;
  window->up = up;
}

bool window_takes(const struct window *window, size_t bytes) {
  return window_count(window) == 0 ||
         (window_count(window) < window->most && window->bytes + bytes + ENVELOPE_BYTES <= UNCONFIRMED_BYTES);
}

bool window_has_room(const struct window *window, const struct turn *turn, size_t bytes) {
  return turn_room(turn) > RESERVE && window_takes(window, bytes);
}

void window_send(struct window *window, const struct turn *turn, const struct bus_publication *publication,
                 enum bus_sent_kind kind, struct held *held, bool first) {
  assert(window_is_open(window) && window_takes(window, publication->body.len));
  assert((kind == BUS_SENT_HELD) == (held != NULL));
  struct bus_pipeline_action *action = turn_do(turn, BUS_DO_PUBLISH);
  action->publish.publication = *publication;
  action->publish.kind = kind;
  action->publish.first = first;
  action->publish.seq = window->next_seq;
  struct slip *slip = slip_at(window, window->next_seq++);
  assert(!slip->open);
  *slip = (struct slip){.kind = kind,
                        .open = true,
                        .bundle = publication->envelope->bundle,
                        .bytes = (uint32_t)(publication->body.len + ENVELOPE_BYTES),
                        .message_id = publication->envelope->message_id,
                        .held = held};
  window->bytes += slip->bytes;
  trace_published(turn, publication);
}

struct slip *window_confirmed(struct window *window, uint64_t seq, bool multiple) {
  for (uint64_t at = multiple ? window->lowest_open : seq; at <= seq && at < window->next_seq; at++) {
    struct slip *slip = slip_at(window, at);
    if (at < window->lowest_open || !slip->open)
      continue;
    slip->open = false;
    assert(window->bytes >= slip->bytes);
    window->bytes -= slip->bytes;
    return slip;
  }
  return NULL;
}

void window_advance(struct window *window) {
  assert(window->lowest_open <= window->next_seq);
  while (window->lowest_open < window->next_seq && !slip_at(window, window->lowest_open)->open)
    window->lowest_open++;
}

void window_returned(struct window *window, const struct bus_uuid *message_id) {
  for (uint64_t at = window->lowest_open; at < window->next_seq; at++) {
    struct slip *slip = slip_at(window, at);
    if (slip->open && bus_uuid_equal(&slip->message_id, message_id))
      slip->returned = true;
  }
}

bool window_is_valid(const struct window *window) {
  size_t bytes = 0;
  for (uint64_t at = window->lowest_open; at < window->next_seq; at++)
    bytes += slip_at(window, at)->open ? slip_at(window, at)->bytes : 0;
  return bytes == window->bytes && window_count(window) <= window->most &&
         bus_implies(window_count(window) > 0, slip_at(window, window->lowest_open)->open) &&
         bus_implies(!window->up, window_count(window) == 0);
}
