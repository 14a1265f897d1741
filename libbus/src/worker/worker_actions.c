/* Carries the pipeline's actions out: on the links, the service and the metrics. */
#include "worker_internal.h"

#include <bus/clock.h>
#include <bus/log.h>

#include <assert.h>

static void publish(struct bus_worker *worker, const struct bus_pipeline_action *action) {
  struct broker *broker = &worker->broker;
  bool held = action->publish.kind == BUS_SENT_HELD;
  struct bus_error err;
  uint64_t seq = 0;
  if (!broker_stands(broker))
    return; /* the pipeline is told that it is lost */
  if (!held && !action->publish.first)
    WORKER_CUT_POINT(worker, "between-publishes", worker_fd(broker->publishing));
  bool sent = (held && BUS_FAIL_POINT("worker.before-hold", worker_fd(broker->publishing))) ||
                      WORKER_FAIL_POINT(worker, "before-publish", worker_fd(broker->publishing))
                  ? bus_fail(&err, BUS_E_AMQP_CONNECTION, "failpoint")
                  : bus_amqp_publish(broker->publishing, &action->publish.publication, &seq, &err);
  if (!sent) {
    broker_lose(worker, &err);
    return;
  }
  assert(seq == action->publish.seq);
  if (broker->confirms_at == 0)
    broker->confirms_at = bus_monotonic() + CONFIRMS_WAIT;
  metrics_published(worker, action->publish.publication.exchange, action->publish.publication.envelope);
}

static void ack(struct bus_worker *worker, uint64_t tag) {
  struct broker *broker = &worker->broker;
  struct bus_error err;
  if (!broker_stands(broker))
    return;
  bool sent = WORKER_FAIL_POINT(worker, "before-ack", worker_fd(broker->consuming))
                  ? bus_fail(&err, BUS_E_AMQP_CONNECTION, "failpoint")
                  : bus_amqp_ack(broker->consuming, tag, true, &err);
  if (!sent)
    broker_lose(worker, &err);
  WORKER_CUT_POINT(worker, "after-ack", worker_fd(broker->consuming));
}

static void consume(struct bus_worker *worker, const struct bus_pipeline_action *action) {
  struct broker *broker = &worker->broker;
  struct bus_error err;
  size_t queue = action->consume.queue;
  if (!broker_stands(broker))
    return;
  if (action->kind == BUS_DO_CANCEL)
    shards_cancelled(worker, queue);
  bool good = action->kind == BUS_DO_CANCEL ? bus_amqp_cancel(broker->consuming, (int)queue, &err)
                                            : shards_consume(worker, queue, action->consume.prefetch, &err);
  if (!good)
    broker_lose(worker, &err);
}

/* Test builds may crash, wait or cut a connection here. */
static void reach(const struct bus_worker *worker, enum bus_pipeline_point point) {
  int publishing = worker_fd(worker->broker.publishing), consuming = worker_fd(worker->broker.consuming);
  (void)publishing, (void)consuming;
  switch (point) {
  case BUS_POINT_DELIVERED:
    WORKER_CUT_POINT(worker, "delivered", consuming);
    break;
  case BUS_POINT_PUBLISHED:
    WORKER_CUT_POINT(worker, "after-publish", publishing);
    break;
  case BUS_POINT_CONFIRMED:
    BUS_CUT_POINT("worker.after-confirm", publishing);
    break;
  case BUS_POINT_SWEPT:
    BUS_CUT_POINT("worker.swept", publishing);
    break;
  case BUS_POINT_SWEPT_PUBLISHED:
    BUS_CUT_POINT("worker.swept-published", publishing);
    break;
  case BUS_POINT_HOLD_PUBLISHED:
    BUS_CUT_POINT("worker.hold-published", publishing);
    break;
  case BUS_POINT_HOLD_CONFIRMED:
    BUS_CUT_POINT("worker.hold-confirmed", consuming);
    break;
  case BUS_POINT_BEFORE_SWEEP:
    BUS_CRASH_POINT("worker.before-sweep");
    break;
  case BUS_POINT_DRAINING:
    WORKER_CUT_POINT(worker, "draining", publishing);
    break;
  case BUS_POINT_DRAINED:
    WORKER_CRASH_POINT(worker, "drained");
    break;
  case BUS_POINT_BUNDLE_CUT:
    BUS_CUT_POINT("worker.bundle-cut", consuming);
    break;
  case BUS_POINT_BUNDLE_HALVED:
    BUS_CUT_POINT("worker.bundle-halved", worker->database.pg ? pg_fd(worker->database.pg) : -1);
    break;
  case BUS_POINT_BUNDLE_PUBLISHED:
    BUS_CUT_POINT("worker.bundle-published", publishing);
    break;
  case BUS_POINT_BUNDLE_CONFIRMED:
    BUS_CUT_POINT("worker.bundle-confirmed", publishing);
    break;
  case BUS_POINT_BUNDLE_PARTLY_KNOWN:
    BUS_CUT_POINT("worker.bundle-partly-known", consuming);
    break;
  case BUS_POINT_BUNDLE_SWEPT:
    BUS_CUT_POINT("worker.bundle-swept", publishing);
    break;
  case BUS_POINT_ELEMENT_HELD:
    BUS_CUT_POINT("worker.element-held", publishing);
    break;
  }
}

static void carry_out(struct bus_worker *worker, const struct bus_pipeline_action *action) {
  switch (action->kind) {
  case BUS_DO_TRIP:
    database_send(worker, action);
    break;
  case BUS_DO_GIVE_UP_TRIP:
    pg_give_up(worker->database.pg, action->why);
    break;
  case BUS_DO_PUBLISH:
    publish(worker, action);
    break;
  case BUS_DO_FLUSH:
    if (broker_stands(&worker->broker))
      bus_amqp_flush(worker->broker.publishing);
    break;
  case BUS_DO_ACK:
    ack(worker, action->tag);
    break;
  case BUS_DO_CONSUME:
  case BUS_DO_CANCEL:
    consume(worker, action);
    break;
  case BUS_DO_OPEN_DATABASE:
    database_open(worker);
    break;
  case BUS_DO_CLOSE_DATABASE:
    database_close(worker);
    break;
  case BUS_DO_OPEN_BROKER:
    broker_open(worker, action->host);
    break;
  case BUS_DO_CLOSE_BROKER:
    broker_lose_because(worker, action->why);
    break;
  case BUS_DO_SERVICE:
    worker->service->act(worker->context, action->service);
    break;
  case BUS_DO_ANSWER_PROBE:
    probe_answer(worker, action->database);
    break;
  case BUS_DO_COUNT_MESSAGE:
    metrics_message(worker, action->message.type, action->message.outcome);
    spans_message(worker, action);
    break;
  case BUS_DO_COUNT_BATCH:
    metrics_batch(worker, action->batch.outcome, action->batch.size, action->batch.duration);
    spans_batch(worker, action);
    break;
  case BUS_DO_POINT:
    reach(worker, action->point);
    break;
  case BUS_DO_STOPPED:
    worker->stopped = true;
    break;
  }
}

void actions_carry_out(struct bus_worker *worker, const struct bus_pipeline_actions *actions) {
  for (size_t i = 0; i < actions->count; i++)
    carry_out(worker, &actions->items[i]);
}
