/* broker-loop: publishes messages and takes them again, in batches of one size: what they cost the broker alone. */
#include <bus/amqp.h>
#include <bus/arena.h>
#include <bus/clock.h>

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  ARENA_LIMIT = 8 << 20,
  BODY_MAX = 65536,
  BATCH_MOST = 5000,
  AHEAD = 4,
  WINDOW = (AHEAD + 1) * BATCH_MOST,
  STALL_MS = 10000
};

/* quorum: persistent, to a queue that stands, acked and confirmed. answer: to a queue of the asker's own, as answers
 * are. unrouted: confirmed, and taken by no queue, as an event without a subscriber is. */
enum kind { QUORUM, ANSWER, UNROUTED, KINDS };
static const char *const kind_names[KINDS] = {"quorum", "answer", "unrouted"};

struct loop {
  enum kind kind;
  uint64_t batch, sent, confirmed, received, acked, last_tag;
  int64_t until; /* of the monotonic clock: nothing is sent any more */
  struct bus_amqp *out, *in;
  struct bus_arena *arena;
  struct bus_uuid_source ids;
  struct bus_publication publication;
  struct bus_envelope envelope;
  bool is_confirmed[WINDOW]; /* by sequence number, beyond the last before which there is no gap */
};

static void on_delivery(void *context, const struct bus_delivery *delivery) {
  struct loop *loop = context;
  loop->received++;
  loop->last_tag = delivery->tag;
}

/* They may come in any order; confirmed counts those before which there is no gap. */
static void on_confirm(void *context, uint64_t seq, bool multiple, bool ack) {
  struct loop *loop = context;
  for (uint64_t s = multiple ? loop->confirmed + 1 : seq; s <= seq; s++)
    loop->is_confirmed[s % WINDOW] = ack;
  for (; loop->is_confirmed[(loop->confirmed + 1) % WINDOW]; loop->confirmed++)
    loop->is_confirmed[(loop->confirmed + 1) % WINDOW] = false;
}

static const struct bus_amqp_events events = {.delivery = on_delivery, .confirm = on_confirm};

/* ---- one turn ---- */

static bool publish_batch(struct loop *loop, struct bus_error *err) {
  uint64_t seq;
  for (uint64_t i = 0; i < loop->batch; i++, loop->sent++) {
    bus_uuid_v7(&loop->ids, loop->envelope.timestamp, &loop->envelope.message_id);
    if (!bus_amqp_publish(loop->out, &loop->publication, &seq, err))
      return false;
  }
  return true;
}

/* How many of what was sent are through: as far as this kind goes. */
static uint64_t done(const struct loop *loop) {
  if (loop->kind == UNROUTED)
    return loop->confirmed;
  return loop->received < loop->confirmed ? loop->received : loop->confirmed;
}

static bool settle(struct loop *loop, struct bus_error *err) {
  bool due = loop->received - loop->acked >= loop->batch || loop->received == loop->sent;
  if (loop->kind != QUORUM || !due || loop->received == loop->acked)
    return true;
  loop->acked = loop->received;
  return bus_amqp_ack(loop->in, loop->last_tag, true, err);
}

static bool may_send(const struct loop *loop) {
  uint64_t most = loop->batch == 1 ? 1 : AHEAD * loop->batch; /* one by one: the next when the last one is through */
  return loop->sent - done(loop) + loop->batch <= most;
}

static bool pump(struct loop *loop, struct bus_error *err) {
  bus_arena_reset(loop->arena);
  if (!bus_amqp_pump(loop->out, &events, loop, err) || !bus_amqp_pump(loop->in, &events, loop, err))
    return false;
  if (!settle(loop, err))
    return false;
  if (may_send(loop) || bus_amqp_has_buffered(loop->out) || bus_amqp_has_buffered(loop->in))
    return true;
  struct pollfd fds[] = {{.fd = bus_amqp_fd(loop->out), .events = POLLIN},
                         {.fd = bus_amqp_fd(loop->in), .events = POLLIN}};
  if (poll(fds, BUS_COUNT(fds), STALL_MS) == 0)
    return bus_fail(err, BUS_E_TIMEOUT, "nothing came for %d s: %" PRIu64 " of %" PRIu64 " are through",
                    STALL_MS / 1000, done(loop), loop->sent);
  return true;
}

static bool run(struct loop *loop, struct bus_error *err) {
  do {
    bool more = bus_monotonic() < loop->until;
    while (more && may_send(loop))
      if (!publish_batch(loop, err))
        return false;
    if (!pump(loop, err))
      return false;
  } while (bus_monotonic() < loop->until || done(loop) < loop->sent);
  return true;
}

/* ---- connections ---- */

static bool open_both(struct loop *loop, const char *url, const char *queue, struct bus_error *err) {
  struct bus_amqp_settings settings = {.url = url, .name = "broker-loop"};
  int prefetch = (int)(AHEAD * loop->batch);
  if (!bus_amqp_open(&settings, &loop->out, err) || !bus_amqp_confirm(loop->out, err) ||
      !bus_amqp_open(&settings, &loop->in, err))
    return false;
  bus_amqp_set_arena(loop->in, loop->arena);
  bus_amqp_set_arena(loop->out, loop->arena);
  if (loop->kind == UNROUTED)
    return true;
  if (loop->kind == ANSWER && !bus_amqp_reply_queue(loop->in, queue, err))
    return false;
  return bus_amqp_consume(loop->in, queue, 0, prefetch, loop->kind == ANSWER, err);
}

static void prepare(struct loop *loop, const char *queue, struct bus_str body) {
  static const enum bus_exchange exchanges[KINDS] = {BUS_EXCHANGE_CMD, BUS_EXCHANGE_REPLY, BUS_EXCHANGE_EVENT};
  uint64_t seed[4];
  bus_random_seed(seed);
  bus_uuid_source_init(&loop->ids, seed);
  loop->envelope = (struct bus_envelope){
      .type = BUS_STR("bench.message.v1"), .timestamp = bus_wall_clock(), .first_failed_at = BUS_NO_TIME};
  bus_uuid_v7(&loop->ids, loop->envelope.timestamp, &loop->envelope.correlation_id);
  bus_uuid_v7(&loop->ids, loop->envelope.timestamp, &loop->envelope.causation_id);
  bus_trace_start(&loop->ids, &loop->envelope.trace);
  loop->publication = (struct bus_publication){.exchange = exchanges[loop->kind],
                                               .key = bus_str(queue),
                                               .mandatory = loop->kind == QUORUM,
                                               .envelope = &loop->envelope,
                                               .body = body};
}

/* ---- the program ---- */

static int trouble(const char *text) {
  (void)fprintf(stderr, "broker-loop: %s\n", text);
  return EXIT_FAILURE;
}

static bool read_number(const char *text, uint64_t most, uint64_t *ret) {
  char *end;
  unsigned long long found = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || found < 1 || found > most)
    return false;
  *ret = found;
  return true;
}

static bool read_kind(const char *text, enum kind *ret) {
  for (int i = 0; i < KINDS; i++)
    if (strcmp(text, kind_names[i]) == 0) {
      *ret = (enum kind)i;
      return true;
    }
  return false;
}

static int measure(struct loop *loop, const char *url, const char *queue, uint64_t seconds) {
  struct bus_error err;
  if (!open_both(loop, url, queue, &err))
    return trouble(err.text);
  int64_t began = bus_monotonic();
  loop->until = began + (int64_t)seconds * 1000000;
  bool good = run(loop, &err);
  int64_t took = bus_monotonic() - began;
  bus_amqp_free(loop->out);
  bus_amqp_free(loop->in);
  if (!good)
    return trouble(err.text);
  (void)printf("{\"messages\":%" PRIu64 ",\"seconds\":%.6f}\n", loop->sent, (double)took / 1e6);
  return fflush(stdout) == 0 ? EXIT_SUCCESS : trouble("cannot write the standard output");
}

int main(int argc, char **argv) {
  static char body[BODY_MAX];
  static struct loop loop;
  uint64_t seconds, size;
  const char *url = getenv("RABBITMQ_URL");
  if (argc != 6 || !read_kind(argv[1], &loop.kind) || !read_number(argv[3], 3600, &seconds) ||
      !read_number(argv[4], BATCH_MOST, &loop.batch) || !read_number(argv[5], sizeof body, &size))
    return trouble("usage: RABBITMQ_URL=… broker-loop quorum|answer|unrouted QUEUE SECONDS BATCH BODY-BYTES");
  if (!url)
    return trouble("RABBITMQ_URL is not set");
  memset(body, 'x', size);
  loop.arena = bus_arena_new(ARENA_LIMIT);
  if (!loop.arena)
    return trouble("out of memory");
  prepare(&loop, argv[2], (struct bus_str){body, size});
  int status = measure(&loop, url, argv[2], seconds);
  bus_arena_free(loop.arena);
  return status;
}
