/* A list of judges: the first that recognises the story says its sentence. */
#include "verdict.h"

#include <bus/timefmt.h>

#include <stdio.h>

/* Deadlines come late by as much after an outage (docs/architecture.md). */
enum { LATE_S = 60 };
/* After so many tries of one call the provider, or the way to it, is at fault. */
enum { TRIES_OF_A_FAULT = 3 };
enum { TEXT = 256 };

/* One thing that an open order waits for. */
struct wait {
  const struct story *story;
  enum story_place place;
  const char *service, *queue, *command;
  bool answered; /* the service has done its part; only its event is on the way */
};

static const struct story_queue *find_queue(const struct story *story, const char *name) {
  static const struct story_queue none;
  for (size_t i = 0; i < story->queue_count; i++)
    if (bus_str_is(story->queues[i].name, name))
      return &story->queues[i];
  return &none;
}

static bool lacks_consumer(const struct story *story, const char *queue) {
  const struct story_queue *found = find_queue(story, queue);
  return found->name.data && found->consumers == 0;
}

static bool is_status(const struct story *story, const char *status) {
  return story->order && bus_str_is(story->order->status, status);
}

static int64_t age_s(const struct story *story, bus_time since) {
  return since == BUS_NO_TIME || since > story->now ? 0 : (story->now - since) / BUS_SECOND;
}

/* ---- places that were not read ---- */

static void say_unreachable(const struct story *story, enum story_place place, const char *what,
                            struct story_verdict *ret) {
  struct bus_str problem = story->sources[place].problem;
  bool broker = place == STORY_BROKER;
  verdict_say(ret, STORY_UNREACHABLE, "%s: %s%s is not reachable: %.*s", what, story_place_names[place],
              broker ? "" : " database", (int)problem.len, problem.data);
  verdict_advise(ret, "make it reachable, then ask again");
}

static bool orders_not_read(const struct story *story, struct story_verdict *ret) {
  if (story_was_read(story, STORY_ORDERS))
    return false;
  say_unreachable(story, STORY_ORDERS, "the state of the order is not known", ret);
  return true;
}

/* ---- dead letters and unroutable messages ---- */

static bool should_be_dropped(const struct story_dead *dead) {
  return dead->forged || bus_str_is(dead->error, "BUS_E_SENDER") || bus_str_is(dead->error, "BUS_E_DECODE");
}

/* "ended as CANCELLED, but " where the saga no longer needs the message */
static const char *ended(const struct story *story, char text[TEXT]) {
  text[0] = '\0';
  if (story->order && story_is_final(story->order))
    (void)snprintf(text, TEXT, "ended as %.*s, but ", (int)story->order->status.len, story->order->status.data);
  return text;
}

static bool lies_dead(const struct story *story, struct story_verdict *ret) {
  char end[TEXT], at[BUS_TIME_TEXT], id[BUS_UUID_TEXT];
  if (story->dead_count == 0)
    return false;
  const struct story_dead *dead = &story->dead[0];
  bus_time_format(dead->at, at);
  bus_uuid_format(&dead->message_id, id);
  verdict_say(ret, STORY_DEAD, "%sits %.*s lies dead in %.*s.dead since %s: %.*s %.*s", ended(story, end),
              (int)dead->type.len, dead->type.data, (int)dead->queue.len, dead->queue.data, at, (int)dead->error.len,
              dead->error.data, (int)dead->cause.len, dead->cause.data);
  if (should_be_dropped(dead))
    verdict_advise(ret, "find its sender, then: bus-dead drop %.*s %s", (int)dead->queue.len, dead->queue.data, id);
  else
    verdict_advise(ret, "correct the cause, then: bus-dead replay %.*s %s", (int)dead->queue.len, dead->queue.data, id);
  return true;
}

static bool has_no_queue(const struct story *story, struct story_verdict *ret) {
  for (size_t i = 0; i < story->outgoing_count; i++) {
    const struct story_outgoing *out = &story->outgoing[i];
    if (!out->unroutable)
      continue;
    verdict_say(ret, STORY_UNROUTABLE, "no queue takes its %.*s, which stays in the outbox of %s", (int)out->type.len,
                out->type.data, story_place_names[out->place]);
    verdict_advise(ret, "bus-topology diff names the missing queue or binding; bus-topology apply makes it");
    return true;
  }
  return false;
}

/* ---- no row of the order ---- */

/* "; a cancel came before it" */
static const char *cancelled_before(const struct story *story) {
  return story->cancel_first_at == BUS_NO_TIME
             ? ""
             : "; a cancel has come before the order, which will end as CANCELLED when it comes";
}

static void judge_intake(const struct story *story, struct story_verdict *ret) {
  const struct story_queue *place = find_queue(story, "order-svc.place");
  char messages[VERDICT_COUNT];
  const char *cancelled = cancelled_before(story);
  (void)verdict_count(place->ready, "message", messages);
  if (place->ready > 0 && place->consumers == 0 && !lacks_consumer(story, "order-svc")) {
    verdict_say(ret, STORY_PAUSED,
                "not in the database; if the edge accepted it (202), it is among the %s in order-svc.place, from which "
                "order-svc takes none while too many orders are open (MAX_OPEN_SAGAS)%s",
                messages, cancelled);
    verdict_advise(ret, "see what holds the open orders: orderctl stuck");
  } else if (place->ready > 0 && place->consumers == 0) {
    verdict_say(
        ret, STORY_ACCEPTED,
        "not in the database; if the edge accepted it (202), it waits for order-svc: its queue order-svc.place has %s "
        "and no consumer%s",
        messages, cancelled);
    verdict_advise(ret, "start order-svc");
  } else if (place->ready > 0)
    verdict_say(
        ret, STORY_BACKLOG,
        "not in the database; if the edge accepted it (202), it is among the %s in order-svc.place, which order-svc "
        "takes one after the other%s",
        messages, cancelled);
  else if (place->retrying > 0)
    verdict_say(ret, STORY_RETRIES,
                "not in the database; if the edge accepted it (202), it may wait for its next try in %.*s%s",
                (int)place->tier.len, place->tier.data, cancelled);
  else {
    verdict_say(ret, STORY_UNKNOWN, "no database knows this order, and order-svc.place has no message%s", cancelled);
    verdict_advise(ret, "check the id: an order that was answered by 2xx is never here unseen");
  }
}

/* Its order.place was dead-lettered, and is no longer in the dead queue. */
static bool was_dropped(const struct story *story, struct story_verdict *ret) {
  if (story->parked_count == 0)
    return false;
  const struct story_parked *parked = &story->parked[story->parked_count - 1];
  verdict_say(ret, STORY_DROPPED,
              "not in the database: its %.*s was dead-lettered in %.*s (%.*s) and is no longer in the dead queue",
              (int)parked->type.len, parked->type.data, (int)parked->queue.len, parked->queue.data,
              (int)parked->cause.len, parked->cause.data);
  verdict_advise(ret, "if it was sent again a moment ago, ask again; if it was dropped, the client must order again");
  return true;
}

static bool is_absent(const struct story *story, struct story_verdict *ret) {
  if (story->order)
    return false;
  if (story->reservation || story->payment_count > 0) {
    verdict_say(ret, STORY_LOST, "the orders database has no row of it, but %s has",
                story->reservation ? story_place_names[STORY_INVENTORY] : story_place_names[STORY_PAYMENTS]);
    verdict_advise(ret,
                   "compare the databases: one was restored from an older backup, or they are of different systems");
  } else if (story_was_read(story, STORY_BROKER)) {
    if (find_queue(story, "order-svc.place")->ready > 0 || !was_dropped(story, ret))
      judge_intake(story, ret);
  } else
    say_unreachable(story, STORY_BROKER, "not in the database; it may wait in the queue order-svc.place", ret);
  return true;
}

/* ---- the payment provider ---- */

static const struct story_payment *open_payment(const struct story *story) {
  for (size_t i = 0; i < story->payment_count; i++) {
    struct bus_str state = story->payments[i].state;
    if (bus_str_is(state, "processing") || bus_str_is(state, "refunding") || bus_str_is(state, "unknown"))
      return &story->payments[i];
  }
  return NULL;
}

/* "has no consumer" of payment-svc comes first: without it nobody asks the provider. */
static bool asks_provider(const struct story *story, struct story_verdict *ret) {
  const struct story_payment *payment = open_payment(story);
  char end[TEXT], since[BUS_TIME_TEXT], next[BUS_TIME_TEXT], tries[VERDICT_COUNT];
  if (!payment || lacks_consumer(story, "payment-svc"))
    return false;
  const char *call = bus_str_is(payment->state, "refunding") ? "refund" : "charge";
  if (bus_str_is(payment->state, "unknown")) {
    verdict_say(ret, STORY_PROVIDER_UNKNOWN,
                "%sthe provider's answer to its payment was never seen, so its outcome is unknown", ended(story, end));
    verdict_advise(ret, "read the provider's records (./dev reconcile), then settle it: SELECT payments.settle(…)");
    return true;
  }
  bus_time begin = payment->first_attempt_at == BUS_NO_TIME ? payment->updated_at : payment->first_attempt_at;
  bus_time_format(begin, since);
  bus_time_format(payment->next_attempt_at == BUS_NO_TIME ? begin : payment->next_attempt_at, next);
  if (payment->attempts <= 1 && age_s(story, begin) < VERDICT_MOMENT_S) {
    verdict_say(ret, STORY_UNDER_WAY, "%swaits for the payment provider's answer to its %s", ended(story, end), call);
    return true;
  }
  verdict_say(ret, STORY_PROVIDER, "%swaits for the payment provider: its %s was tried %s since %s, next at %s",
              ended(story, end), call, verdict_count(payment->attempts, "time", tries), since, next);
  if (payment->attempts >= TRIES_OF_A_FAULT)
    verdict_advise(ret, "look at the provider, and at the log and the breaker of payment-svc");
  return true;
}

/* ---- messages on their way ---- */

static const struct story_outgoing *old_outgoing(const struct story *story, enum story_place place) {
  for (size_t i = 0; i < story->outgoing_count; i++)
    if (story->outgoing[i].place == (int)place && age_s(story, story->outgoing[i].created_at) >= VERDICT_MOMENT_S)
      return &story->outgoing[i];
  return NULL;
}

static bool waits_in_outbox(const struct story *story, enum story_place place, struct story_verdict *ret) {
  const struct story_outgoing *out = old_outgoing(story, place);
  char since[BUS_TIME_TEXT], tries[VERDICT_COUNT];
  if (!out)
    return false;
  bus_time_format(out->created_at, since);
  verdict_say(ret, STORY_UNPUBLISHED, "its %.*s lies in the outbox of %s since %s, sent again %s", (int)out->type.len,
              out->type.data, story_services[place], since, verdict_count(out->attempts, "time", tries));
  if (lacks_consumer(story, story_services[place]))
    verdict_advise(ret, "start %s", story_services[place]);
  else
    verdict_advise(ret, "read the log of %s: the broker blocks it, or does not confirm", story_services[place]);
  return true;
}

/* "start payment-svc", and the other one that the order needs afterwards */
static void advise_start(const struct story *story, const char *service, struct story_verdict *ret) {
  bool both = strcmp(service, "order-svc") != 0 && lacks_consumer(story, "order-svc");
  verdict_advise(ret, "start %s%s", service, both ? " and order-svc" : "");
}

static bool waits_in_queue(const struct story *story, const char *service, const char *queue,
                           struct story_verdict *ret) {
  const struct story_queue *found = find_queue(story, queue);
  char messages[VERDICT_COUNT];
  if (lacks_consumer(story, queue)) {
    verdict_say(ret, STORY_NO_CONSUMER, "waits for %s: its queue %s has %s and no consumer", service, queue,
                verdict_count(found->ready, "message", messages));
    advise_start(story, service, ret);
    return true;
  }
  if (found->ready > 0)
    verdict_say(ret, STORY_BACKLOG, "waits for %s: its queue %s has %s, which it takes one after the other", service,
                queue, verdict_count(found->ready, "message", messages));
  else if (found->retrying > 0) {
    verdict_say(ret, STORY_RETRIES, "waits for %s, for which %s wait%s for the next try in %.*s", service,
                verdict_count(found->retrying, "message", messages), found->retrying == 1 ? "s" : "",
                (int)found->tier.len, found->tier.data);
    verdict_advise(ret, "if it stays so, read the log of %s for the cause", service);
  }
  return found->ready > 0 || found->retrying > 0;
}

static void judge_time(const struct wait *wait, struct story_verdict *ret) {
  const struct story *story = wait->story;
  const struct story_order *order = story->order;
  char deadline[BUS_TIME_TEXT];
  const char *what = wait->answered ? "waits for the answer of" : "waits for";
  bool undone = bus_str_is(order->status, "PENDING") || bus_str_is(order->status, "RESERVED");
  if (order->deadline == BUS_NO_TIME || age_s(story, order->updated_at) < VERDICT_MOMENT_S) {
    verdict_say(ret, STORY_UNDER_WAY, "%s %s, which has no backlog", what, wait->service);
    return;
  }
  bus_time_format(order->deadline, deadline);
  if (age_s(story, order->deadline) > LATE_S) {
    verdict_say(ret, STORY_OVERDUE, "%s %s, and its deadline %s has passed unnoticed", what, wait->service, deadline);
    verdict_advise(ret, "read the log of order-svc: it puts deadlines off while it commits nothing");
  } else
    verdict_say(ret, STORY_UNDER_WAY, "%s %s; no queue, outbox or dead queue has its %s: order-svc %s at %s", what,
                wait->service, wait->answered ? "answer" : wait->command, undone ? "undoes the order" : "asks again",
                deadline);
}

static void judge_wait(const struct wait *wait, struct story_verdict *ret) {
  const struct story *story = wait->story;
  char what[TEXT];
  if (!story_was_read(story, STORY_BROKER)) {
    (void)snprintf(what, sizeof what, "waits for %s", wait->service);
    say_unreachable(story, STORY_BROKER, what, ret);
    return;
  }
  if (waits_in_outbox(story, STORY_ORDERS, ret) || (wait->answered && waits_in_outbox(story, wait->place, ret)))
    return;
  if (wait->place == STORY_PAYMENTS && !wait->answered && asks_provider(story, ret))
    return;
  if (!wait->answered && waits_in_queue(story, wait->service, wait->queue, ret))
    return;
  if (!wait->answered && !story_was_read(story, wait->place)) {
    (void)snprintf(what, sizeof what, "waits for %s", wait->service);
    say_unreachable(story, wait->place, what, ret);
  } else if (!waits_in_queue(story, "order-svc", "order-svc", ret))
    judge_time(wait, ret);
}

/* ---- what an order waits for ---- */

static bool reservation_is(const struct story *story, const char *state) {
  return story->reservation && bus_str_is(story->reservation->state, state);
}

static bool payment_is(const struct story *story, const char *const *states) {
  return story->payment_count > 0 && bus_str_is_one_of(story->payments[story->payment_count - 1].state, states);
}

static const struct wait reserve = {
    .place = STORY_INVENTORY, .service = "inventory-svc", .queue = "inventory-svc", .command = "inventory.reserve"};
static const struct wait release = {
    .place = STORY_INVENTORY, .service = "inventory-svc", .queue = "inventory-svc", .command = "inventory.release"};
static const struct wait sell = {
    .place = STORY_INVENTORY, .service = "inventory-svc", .queue = "inventory-svc", .command = "order.confirmed"};
static const struct wait charge = {
    .place = STORY_PAYMENTS, .service = "payment-svc", .queue = "payment-svc", .command = "payment.charge"};
static const struct wait refund = {
    .place = STORY_PAYMENTS, .service = "payment-svc", .queue = "payment-svc", .command = "payment.refund"};

static void judge(const struct story *story, const struct wait *kind, bool answered, struct story_verdict *ret) {
  struct wait wait = *kind;
  wait.story = story;
  wait.answered = answered;
  judge_wait(&wait, ret);
}

static bool is_final(const struct story *story, struct story_verdict *ret) {
  const struct story_order *order = story->order;
  if (!story_is_final(order))
    return false;
  if (asks_provider(story, ret))
    return true;
  if (is_status(story, "CONFIRMED") && reservation_is(story, "RESERVED")) {
    judge(story, &sell, false, ret);
    return true;
  }
  if (open_payment(story)) {
    judge(story, &refund, false, ret);
    return true;
  }
  bool explained = order->reason.data && order->reason.len > 0;
  verdict_say(ret, STORY_DONE, "ended as %.*s%s%.*s%s: nothing is left to do", (int)order->status.len,
              order->status.data, explained ? " (" : "", explained ? (int)order->reason.len : 0,
              explained ? order->reason.data : "", explained ? ")" : "");
  return true;
}

static bool awaits_payment(const struct story *story, struct story_verdict *ret) {
  char deadline[BUS_TIME_TEXT];
  if (!is_status(story, "AWAITING_PAYMENT"))
    return false;
  if (!story->order->payment_settled) {
    static const char *const ends[] = {"captured", "declined", "failed", "voided", NULL};
    judge(story, &charge, payment_is(story, ends), ret);
    return true;
  }
  if (story->order->deadline == BUS_NO_TIME)
    return false;
  bus_time_format(story->order->deadline, deadline);
  verdict_say(ret, STORY_WAITS_CUSTOMER, "waits for its customer to pay until %s; then order-svc undoes it", deadline);
  return true;
}

static bool is_open(const struct story *story, struct story_verdict *ret) {
  static const char *const charged[] = {"captured", "declined", "failed", "voided", "refunding", "refunded", NULL};
  static const char *const returned[] = {"declined", "failed", "voided", "refunded", NULL};
  if (is_status(story, "PENDING"))
    judge(story, &reserve, story->reservation != NULL, ret);
  else if (is_status(story, "COMPENSATING") && !story->order->payment_settled && !payment_is(story, returned))
    judge(story, &refund, false, ret);
  else if (is_status(story, "COMPENSATING") && !story->order->stock_settled)
    judge(story, &release, story->reservation && !reservation_is(story, "RESERVED"), ret);
  else if (is_status(story, "COMPENSATING"))
    judge(story, &refund, true, ret);
  else
    judge(story, &charge, payment_is(story, charged), ret);
  return true;
}

void verdict_of(const struct story *story, struct story_verdict *ret) {
  static bool (*const judges[])(const struct story *, struct story_verdict *) = {
      orders_not_read, lies_dead, has_no_queue, is_absent, is_final, awaits_payment, is_open};
  for (size_t i = 0; i < BUS_COUNT(judges); i++)
    if (judges[i](story, ret))
      return;
}
