/* GET /api/events: changes of all orders as server-sent events, as this edge hears of them. */
#include "edge.h"

enum { ARENA_LIMIT = 1 << 20, BATCH = 32 };

struct feeding {
  struct edge *edge;
  struct bus_http_exchange *exchange;
  struct bus_arena *arena;
  struct stream stream;
  uint64_t position;
};

/* False: the client or the memory is gone. */
static bool send_batch(struct feeding *feeding, const struct feed_entry *entries, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct bus_str text = feed_event(&entries[i], feeding->edge->instance, feeding->arena);
    if (text.data == NULL || !bus_http_stream_write(feeding->exchange, text))
      return false;
  }
  return true;
}

static bool send_changes(struct feeding *feeding) {
  struct feed_entry entries[BATCH];
  bool missed;
  size_t count;
  do {
    bus_arena_reset(feeding->arena);
    count = feed_read(&feeding->edge->feed, &feeding->position, entries, BATCH, &missed);
    if ((missed && !edge_stream_resync(feeding->exchange)) || !send_batch(feeding, entries, count))
      return false;
  } while (count == BATCH);
  return true;
}

static void follow(struct feeding *feeding) {
  struct edge_pause pause = edge_pause_of(feeding->exchange, feeding->stream.wake_fd);
  while (send_changes(feeding) && edge_stream_pause(feeding->edge, &pause))
    continue;
}

/* A position of another edge, or of this one before it was started, names nothing here. */
static void find_position(struct feeding *feeding, bool *ret_missed) {
  struct bus_str last = bus_http_header(feeding->exchange, "Last-Event-ID");
  feeding->position = feed_end(&feeding->edge->feed);
  *ret_missed = last.len > 0 && !feed_position(last, feeding->edge->instance, &feeding->position);
}

static void serve(void *context) {
  struct feeding *feeding = context;
  bool missed;
  find_position(feeding, &missed);
  if (edge_stream_open(feeding->exchange) && (!missed || edge_stream_resync(feeding->exchange)))
    follow(feeding);
}

static struct response open_feed(struct feeding *feeding) {
  const struct bus_token_claims *caller = bus_http_caller(feeding->exchange);
  feeding->stream.customer = streams_customer(bus_str(caller ? caller->sub : ""));
  return edge_stream_join(&feeding->edge->feeds, &feeding->stream, serve, feeding);
}

void edge_events_stream(void *context, struct bus_http_exchange *exchange) {
  struct feeding feeding = {.edge = context, .exchange = exchange, .arena = bus_arena_new(ARENA_LIMIT)};
  struct response response = feeding.arena ? open_feed(&feeding) : response_refusal(REFUSAL_NO_MEMORY);
  if (response.status != 0)
    edge_respond(context, exchange, &response);
  bus_arena_free(feeding.arena);
}
