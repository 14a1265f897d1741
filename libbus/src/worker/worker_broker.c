/* The links to RabbitMQ: one connection to publish, one to consume; and what they say. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <stdarg.h>
#include <stdio.h>

/* ---- opening ---- */

BUS_PRINTF(3, 4)
static bool check_queue(struct bus_worker *worker, struct bus_error *err, const char *format, ...) {
  struct bus_declaration queue = {.kind = BUS_DECLARE_QUEUE};
  va_list args;
  va_start(args, format);
  (void)vsnprintf(queue.name, sizeof queue.name, format, args); /* NOLINT(clang-analyzer-valist.Uninitialized) */
  va_end(args);
  return bus_amqp_declare(worker->broker.consuming, &queue, true, err) ||
         bus_error_wrap(err, "queue %s: apply the topology", queue.name);
}

static bool has_tiers(const struct bus_worker *worker) {
  return worker->service->store &&
         bus_topology_queue(worker->topology, worker->service->queues[0])->kind == BUS_QUEUE_WORK;
}

/* Without its tiers and its dead queue a worker would come to a stand with the first message that it cannot process. */
static bool check_queues(struct bus_worker *worker, struct bus_error *err) {
  bool retries = has_tiers(worker);
  for (size_t i = 0; i < worker->service->queue_count; i++) {
    const char *queue = worker->service->queues[i];
    if (!check_queue(worker, err, "%s", queue) || !shards_check(worker, i, err) ||
        (retries && !check_queue(worker, err, "%s.dead", queue)))
      return false;
    for (size_t t = 0; t < worker->topology->tier_count && retries; t++)
      if (!check_queue(worker, err, "bus.retry.%s.%s", worker->topology->tiers[t].name, queue))
        return false;
  }
  worker->broker.checked = true;
  return true;
}

static bool open_pair(struct bus_worker *worker, size_t host, struct bus_error *err) {
  struct broker *broker = &worker->broker;
  if (broker->was_up && WORKER_ERROR_POINT(worker, "reconnect-broker"))
    return bus_fail(err, BUS_E_AMQP_CONNECTION, "failpoint");
  const struct bus_amqp_settings settings = {.url = worker->settings.amqp_url,
                                             .url_file = worker->settings.amqp_url_file,
                                             .dns_server = worker->settings.dns_server,
                                             .host = host,
                                             .name = worker->service->name,
                                             .tls = worker->settings.tls,
                                             .heartbeat_s = worker->settings.heartbeat_s,
                                             .shards = bus_topology_shards(worker->topology)};
  return bus_amqp_open_pair(&settings, "consume", &broker->publishing, &broker->consuming, err) &&
         (broker->checked || check_queues(worker, err));
}

void broker_open(struct bus_worker *worker, size_t host) {
  struct broker *broker = &worker->broker;
  broker->lost = false;
  broker->opened = open_pair(worker, host, &broker->error);
  if (broker->opened)
    return;
  broker->lost = true;
  if (!broker->was_up && bus_error_class(broker->error.code) == BUS_CLASS_FATAL)
    worker->fatal = broker->error;
}

void broker_lose(struct bus_worker *worker, const struct bus_error *why) {
  struct broker *broker = &worker->broker;
  if (broker->lost)
    return;
  broker->lost = true;
  broker->error = *why;
}

void broker_lose_because(struct bus_worker *worker, const char *why) {
  struct bus_error err;
  (void)bus_fail(&err, BUS_E_AMQP_CONNECTION, "%s", why);
  broker_lose(worker, &err);
}

void broker_close(struct bus_worker *worker) {
  struct broker *broker = &worker->broker;
  bus_amqp_free(broker->consuming);
  bus_amqp_free(broker->publishing);
  broker->consuming = broker->publishing = NULL;
  broker->opened = broker->lost = false;
  shards_init(worker);
  broker->confirms_at = 0;
  atomic_store(&worker->seen.consuming, false);
  atomic_store(&worker->seen.broker, BUS_LINK_DOWN);
  atomic_store(&worker->seen.blocked, false);
}

static void tell_up(struct bus_worker *worker) {
  struct broker *broker = &worker->broker;
  broker->opened = false;
  broker->was_up = true;
  broker->pumped_at = bus_monotonic();
  loop_step(worker, &(struct bus_pipeline_event){.kind = BUS_ON_BROKER_UP}); /* which subscribes */
  if (broker->lost)
    return;
  atomic_store(&worker->seen.broker, BUS_LINK_UP);
  atomic_store(&worker->seen.consuming, true);
  bus_log(BUS_INFO, "attached to the broker", BUS_F_STR("queue", worker->service->queues[0]),
          BUS_F_STR("node", bus_amqp_peer(broker->consuming)));
}

bool broker_tell(struct bus_worker *worker) {
  struct broker *broker = &worker->broker;
  if (broker->lost) {
    const struct bus_error why = broker->error;
    broker_close(worker);
    loop_step(worker, &(struct bus_pipeline_event){.kind = BUS_ON_BROKER_DOWN, .error = &why});
    return true;
  }
  if (!broker->opened)
    return false;
  tell_up(worker);
  return true;
}

/* ---- what the connections say ---- */

static void on_delivery(void *context, const struct bus_delivery *delivery) {
  struct bus_worker *worker = context;
  struct bus_pipeline_event event = {.kind = BUS_ON_DELIVERY};
  event.delivery = delivery;
  event.fails = WORKER_ERROR_POINT(worker, "decode");
  metrics_received(worker, &delivery->envelope);
  loop_step(worker, &event);
}

static void on_confirm(void *context, uint64_t seq, bool multiple, bool ack) {
  struct bus_worker *worker = context;
  struct bus_pipeline_event event = {.kind = BUS_ON_CONFIRM};
  event.confirm.seq = seq;
  event.confirm.multiple = multiple;
  event.confirm.ack = ack && !WORKER_FAIL_POINT(worker, "before-confirm", worker_fd(worker->broker.publishing));
  loop_step(worker, &event);
}

static void on_returned(void *context, const struct bus_uuid *message_id, struct bus_str exchange, struct bus_str key) {
  (void)exchange;
  bus_log(BUS_ERROR, "broker returned a message", BUS_F_VIEW("key", key), BUS_F_UUID("message_id", message_id));
  loop_step(context, &(struct bus_pipeline_event){.kind = BUS_ON_RETURNED, .returned = message_id});
}

static void on_blocked(void *context, bool blocked, struct bus_str reason) {
  struct bus_worker *worker = context;
  atomic_store(&worker->seen.blocked, blocked);
  bus_log(BUS_WARN, blocked ? "broker blocks publishers; the outbox keeps what is due" : "broker takes messages again",
          BUS_F_VIEW("reason", reason));
  loop_step(worker, &(struct bus_pipeline_event){.kind = BUS_ON_BLOCKED, .blocked = blocked});
}

static void on_cancelled(void *context, int consumer) {
  struct bus_worker *worker = context;
  struct bus_error err;
  (void)bus_fail(&err, BUS_E_AMQP_CONNECTION, "the broker cancelled the consumer of queue %s",
                 worker->service->queues[consumer]);
  broker_lose(worker, &err);
}

static const struct bus_amqp_events events = {.delivery = on_delivery,
                                              .confirm = on_confirm,
                                              .returned = on_returned,
                                              .blocked = on_blocked,
                                              .cancelled = on_cancelled};

static void pump(struct bus_worker *worker, struct bus_amqp *amqp) {
  struct bus_error err;
  bus_amqp_set_arena(amqp, bus_pipeline_arena(worker->pipeline));
  if (!worker->broker.lost && !bus_amqp_pump(amqp, &events, worker, &err))
    broker_lose(worker, &err);
}

void broker_pump(struct bus_worker *worker) {
  struct broker *broker = &worker->broker;
  int64_t now = bus_monotonic();
  pump(worker, broker->publishing);
  pump(worker, broker->consuming);
  broker->pumped_at = now;
  broker->confirms_at = bus_pipeline_unconfirmed(worker->pipeline) > 0 ? now + CONFIRMS_WAIT : 0;
}
