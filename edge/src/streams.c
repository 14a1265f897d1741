/* The list of open streams, and the text of an event. */
#include "streams.h"

#include <bus/hash.h>

#include <inttypes.h>
#include <sys/eventfd.h>

void streams_init(struct streams *streams) {
  streams->first = NULL;
  (void)pthread_mutex_init(&streams->mutex, NULL); /* a default mutex: cannot fail on Linux */
}

static void wake(const struct stream *stream) {
  if (stream->wake_fd >= 0)
    (void)eventfd_write(stream->wake_fd, 1); /* full means that it is awake already */
}

/* With the mutex held, which keeps a lower version from replacing a higher one. */
static void raise_version(struct stream *stream, int64_t version) {
  if (version <= atomic_load(&stream->version))
    return;
  atomic_store(&stream->version, version);
  wake(stream);
}

uint64_t streams_customer(struct bus_str id) {
  return bus_sha256_short(id);
}

bool streams_join(struct streams *streams, struct stream *stream) {
  size_t same = 0;
  (void)pthread_mutex_lock(&streams->mutex);
  for (const struct stream *other = streams->first; other; other = other->next)
    same += other->customer == stream->customer;
  bool joins = same < STREAMS_A_CUSTOMER;
  if (joins) {
    stream->next = streams->first;
    streams->first = stream;
  }
  (void)pthread_mutex_unlock(&streams->mutex);
  return joins;
}

void streams_leave(struct streams *streams, struct stream *stream) {
  (void)pthread_mutex_lock(&streams->mutex);
  struct stream **link = &streams->first;
  while (*link != stream)
    link = &(*link)->next;
  *link = stream->next;
  (void)pthread_mutex_unlock(&streams->mutex);
}

size_t streams_orders(struct streams *streams, size_t skip, struct order_get *ret, size_t room) {
  size_t count = 0;
  (void)pthread_mutex_lock(&streams->mutex);
  for (const struct stream *stream = streams->first; stream && count < room; stream = stream->next)
    if (skip > 0)
      skip--;
    else
      ret[count++] = (struct order_get){stream->order_id, BUS_NO_STR};
  (void)pthread_mutex_unlock(&streams->mutex);
  return count;
}

void streams_see(struct streams *streams, const struct bus_uuid *order_id, const struct order_answer *answer) {
  (void)pthread_mutex_lock(&streams->mutex);
  for (struct stream *stream = streams->first; stream; stream = stream->next) {
    if (!bus_uuid_equal(&stream->order_id, order_id))
      continue;
    if (answer->order)
      raise_version(stream, answer->order->version);
    else if (answer->outcome == ORDER_LEFT_OUT)
      atomic_store(&stream->unseen, true);
  }
  (void)pthread_mutex_unlock(&streams->mutex);
}

void streams_note(struct streams *streams, const struct bus_uuid *order_id, int64_t version) {
  (void)pthread_mutex_lock(&streams->mutex);
  for (struct stream *stream = streams->first; stream; stream = stream->next)
    if (bus_uuid_equal(&stream->order_id, order_id))
      raise_version(stream, version);
  (void)pthread_mutex_unlock(&streams->mutex);
}

void streams_wake(struct streams *streams) {
  (void)pthread_mutex_lock(&streams->mutex);
  for (const struct stream *stream = streams->first; stream; stream = stream->next)
    wake(stream);
  (void)pthread_mutex_unlock(&streams->mutex);
}

void streams_resync(struct streams *streams) {
  (void)pthread_mutex_lock(&streams->mutex);
  for (struct stream *stream = streams->first; stream; stream = stream->next) {
    atomic_store(&stream->missed, true);
    wake(stream);
  }
  (void)pthread_mutex_unlock(&streams->mutex);
}

struct bus_str stream_event(const struct order_event_view *event, struct bus_arena *arena) {
  struct bus_str json;
  if (!bus_encode(&order_event_view_schema, event, arena, &json))
    return BUS_NO_STR;
  return bus_arena_printf(arena, "id: %" PRId64 "\nevent: %.*s\ndata: %.*s\n\n", event->seq, (int)event->type.len,
                          event->type.data, (int)json.len, json.data);
}

bool stream_position(struct bus_str text, int64_t *ret) {
  enum { DIGITS_MAX = 12 }; /* the query that follows takes no larger number than BUS_JSON_INT_MAX */
  int64_t seq = 0;
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] < '0' || text.data[i] > '9')
      return false;
    seq = seq * 10 + (text.data[i] - '0');
    if (i == DIGITS_MAX)
      return false;
  }
  *ret = seq;
  return text.len > 0;
}
