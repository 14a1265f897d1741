/* orderctl broker probe: each node of the URL, by a message that no queue takes and a question to each queue. It
 * declares nothing and leaves nothing behind. */
#include "probe.h"
#include "program.h"
#include "story_print.h"
#include "verdict.h"

#include <bus/clock.h>
#include <orderbus_topology.h>
#include <send_session.h>

#include <stdio.h>

/* The message on its way. */
struct sending {
  struct probe *probe;
  int64_t since;
  bool nacked;
};

static void on_returned(void *context, const struct bus_uuid *message_id, struct bus_str exchange, struct bus_str key) {
  struct sending *sending = context;
  (void)message_id, (void)exchange, (void)key;
  sending->probe->returned = bus_monotonic() - sending->since;
}

static void on_confirm(void *context, uint64_t seq, bool multiple, bool ack) {
  struct sending *sending = context;
  (void)seq, (void)multiple;
  sending->probe->confirmed = bus_monotonic() - sending->since;
  sending->nacked = !ack;
}

static void on_blocked(void *context, bool blocked, struct bus_str reason) {
  struct probe *probe = ((struct sending *)context)->probe;
  (void)snprintf(probe->alarm, sizeof probe->alarm, "%.*s", blocked ? (int)reason.len : 0, reason.data);
}

static bool publish(struct bus_amqp *amqp, struct bus_error *err) {
  char key[BUS_KEY_MAX];
  uint64_t seed[4], seq;
  struct bus_uuid_source source;
  struct bus_envelope envelope = {
      .type = BUS_STR(BUS_PROBE), .timestamp = bus_wall_clock(), .first_failed_at = BUS_NO_TIME};
  bus_random_seed(seed);
  bus_uuid_source_init(&source, seed);
  bus_uuid_v7(&source, envelope.timestamp, &envelope.message_id);
  (void)snprintf(key, sizeof key, "%s." BUS_PROBE, orderbus_topology.tiers[0].name);
  const struct bus_publication publication = {.exchange = BUS_EXCHANGE_RETRY,
                                              .key = bus_str(key),
                                              .mandatory = true,
                                              .transient = true,
                                              .envelope = &envelope,
                                              .body = BUS_STR("{}")};
  if (!bus_amqp_publish(amqp, &publication, &seq, err))
    return false;
  bus_amqp_flush(amqp);
  return true;
}

static bool send_probe(struct bus_amqp *amqp, int64_t patience_s, struct probe *probe) {
  static const struct bus_amqp_events events = {.confirm = on_confirm, .returned = on_returned, .blocked = on_blocked};
  struct sending sending = {.probe = probe};
  struct bus_error *err = &probe->problem;
  if (!bus_amqp_confirm(amqp, err))
    return false;
  sending.since = bus_monotonic();
  if (!publish(amqp, err))
    return false;
  while (probe->confirmed == BUS_NO_INT64 && !probe->alarm[0]) {
    if (!send_pump(amqp, &events, &sending, 100, err))
      return false;
    if (bus_monotonic() - sending.since > patience_s * BUS_SECOND)
      return bus_fail(err, BUS_E_TIMEOUT, "no confirm for %lld s", (long long)patience_s);
  }
  if (sending.nacked)
    return bus_fail(err, BUS_E_AMQP_CONNECTION, "the broker refused a message that no queue takes");
  return probe->alarm[0] || probe->returned != BUS_NO_INT64 ||
         bus_fail(err, BUS_E_TOPOLOGY, "the message of the probe did not come back: a queue is bound for it");
}

static bool ask_queue(struct bus_amqp *amqp, const char *name, struct probe *probe) {
  int64_t since = bus_monotonic(), depth;
  if (!bus_amqp_queue_depth(amqp, name, &depth, &probe->problem))
    return false;
  int64_t took = bus_monotonic() - since;
  probe->queues++;
  if (probe->slowest == BUS_NO_INT64 || took > probe->slowest) {
    probe->slowest = took;
    (void)snprintf(probe->slowest_queue, sizeof probe->slowest_queue, "%s", name);
  }
  return true;
}

static bool ask_with_shards(struct bus_amqp *amqp, const struct bus_queue *queue, struct probe *probe) {
  bool split = bus_topology_is_split(&orderbus_topology, queue), good = ask_queue(amqp, queue->name, probe);
  char name[BUS_KEY_MAX];
  for (size_t i = 0; good && split && i < bus_topology_shards(&orderbus_topology); i++) {
    bus_topology_shard(queue, i, name);
    good = ask_queue(amqp, name, probe);
  }
  return good;
}

static bool ask_queues(struct bus_amqp *amqp, struct probe *probe) {
  const struct bus_queue *queue;
  for (size_t i = 0; (queue = bus_topology_queue_at(&orderbus_topology, i)) != NULL; i++)
    if (queue->kind == BUS_QUEUE_WORK && bus_topology_is_own(&orderbus_topology, queue) &&
        !ask_with_shards(amqp, queue, probe))
      return false;
  return true;
}

static void copy(struct bus_str text, char copied[PROBE_TEXT]) {
  (void)snprintf(copied, PROBE_TEXT, "%.*s", (int)text.len, text.data ? text.data : "");
}

static void look_at(struct bus_amqp *amqp, int64_t patience_s, struct probe *probe) {
  copy(bus_str(bus_amqp_peer(amqp)), probe->node);
  copy(bus_amqp_server(amqp, "product"), probe->product);
  copy(bus_amqp_server(amqp, "version"), probe->version);
  copy(bus_amqp_server(amqp, "cluster_name"), probe->cluster);
  int64_t since = bus_monotonic();
  if (!bus_amqp_ping(amqp, &probe->problem))
    return;
  probe->round_trip = bus_monotonic() - since;
  if (ask_queues(amqp, probe))
    (void)send_probe(amqp, patience_s, probe); /* the probe keeps the problem */
}

static void probe_node(const struct program *program, size_t host, struct probe *probe) {
  struct bus_amqp_settings settings = program->settings.broker;
  struct bus_amqp *amqp;
  settings.host = host;
  settings.open_timeout_ms = program->watch_s * 1000;
  probe_begin(probe);
  (void)snprintf(probe->node, sizeof probe->node, "host %zu of the URL", host + 1);
  int64_t since = bus_monotonic();
  if (!bus_amqp_open(&settings, &amqp, &probe->problem))
    return;
  probe->connected = bus_monotonic() - since;
  probe->problem = (struct bus_error){.code = BUS_OK};
  look_at(amqp, program->watch_s, probe);
  bus_amqp_free(amqp);
}

static bool print_probe(const struct program *program, const struct probe *probe, const struct story_verdict *verdict,
                        struct bus_arena *arena) {
  struct bus_str text;
  bus_arena_reset(arena);
  if (program->json)
    return probe_encode(probe, verdict, arena, &text) && printf("%.*s\n", (int)text.len, text.data) > 0;
  (void)printf("%s", probe->node);
  if (probe->version[0]) {
    (void)putchar(' ');
    story_print_text(bus_str(probe->product));
    (void)putchar(' ');
    story_print_text(bus_str(probe->version));
  }
  (void)fputs(": ", stdout);
  story_print_verdict(verdict);
  return ferror(stdout) == 0;
}

static int probe_all(const struct program *program, struct bus_arena *arena) {
  size_t hosts = bus_amqp_url_hosts(program->settings.broker.url);
  struct story_verdict verdict;
  struct probe probe;
  int status = EXIT_FINE;
  for (size_t host = 0; host < hosts; host++) {
    probe_node(program, host, &probe);
    probe_judge(&probe, &verdict);
    if (verdict_needs_action(&verdict))
      status = EXIT_ACT;
    if (!print_probe(program, &probe, &verdict, arena))
      return trouble("cannot write the standard output");
  }
  return fflush(stdout) == 0 ? status : trouble("cannot write the standard output");
}

int run_broker(const struct program *program, int count, char **words) {
  struct bus_error err;
  if (count != 1 || strcmp(words[0], "probe") != 0)
    return trouble("broker probe; see --help");
  if (!program->settings.broker.url[0])
    return trouble("RABBITMQ_URL must name the broker");
  if (!bus_amqp_url_check(program->settings.broker.url, &err))
    return trouble(err.text);
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  int status = arena ? probe_all(program, arena) : trouble("out of memory");
  bus_arena_free(arena);
  return status;
}
