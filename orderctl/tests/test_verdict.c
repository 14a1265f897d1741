/* verdict.c: facts in, sentence out, as a table. */
#include "verdict.h"

#include <stdio.h>
#include <test.h>

#define NOW (INT64_C(1772366400000) * BUS_MILLISECOND) /* 2026-03-01T12:00:00Z */
#define AGO(seconds) (NOW - (seconds)*BUS_SECOND)
#define ID ((struct bus_uuid){{1}})

static struct story_order *order(const char *status, int64_t age_s) {
  static struct story_order made;
  made = (struct story_order){.status = bus_str(status),
                              .currency = BUS_STR("EUR"),
                              .total = 999,
                              .created_at = AGO(age_s),
                              .updated_at = AGO(age_s),
                              .deadline = AGO(age_s - 60)};
  return &made;
}

static struct story_order *final_order(const char *status, const char *reason) {
  struct story_order *made = order(status, 100);
  made->deadline = BUS_NO_TIME;
  made->reason = bus_str(reason);
  made->stock_settled = made->payment_settled = true;
  return made;
}

static struct story_order *settled(struct story_order *made, bool stock, bool payment) {
  made->stock_settled = stock;
  made->payment_settled = payment;
  return made;
}

static struct story_reservation *reservation(const char *state) {
  static struct story_reservation made;
  made = (struct story_reservation){.state = bus_str(state), .created_at = AGO(100), .updated_at = AGO(100)};
  return &made;
}

static struct story_payment *payment(const char *state, int64_t attempts, int64_t age_s) {
  static struct story_payment made;
  made = (struct story_payment){.state = bus_str(state),
                                .attempts = attempts,
                                .first_attempt_at = AGO(age_s),
                                .next_attempt_at = AGO(-5),
                                .created_at = AGO(age_s),
                                .updated_at = AGO(age_s)};
  return &made;
}

static struct story_dead *dead(const char *queue, const char *type, const char *error) {
  static struct story_dead made;
  made = (struct story_dead){.queue = bus_str(queue),
                             .message_id = ID,
                             .type = bus_str(type),
                             .error = bus_str(error),
                             .cause = BUS_STR("why"),
                             .at = AGO(30)};
  return &made;
}

static struct story_outgoing *outgoing(enum story_place place, const char *type, int64_t age_s) {
  static struct story_outgoing made;
  made = (struct story_outgoing){.place = (int)place, .type = bus_str(type), .attempts = 2, .created_at = AGO(age_s)};
  return &made;
}

static struct story_parked *parked(const char *queue, const char *type) {
  static struct story_parked made;
  made = (struct story_parked){.queue = bus_str(queue), .type = bus_str(type), .cause = BUS_STR("why")};
  return &made;
}

/* Depths and consumers of the four queues, and what is not read. */
struct world {
  struct story_queue place, order, inventory, payment;
  const char *away[STORY_PLACES];
};

#define RUNS                                                                                                           \
  { .consumers = 1 }
#define HOLDS(count)                                                                                                   \
  { .consumers = 1, .ready = (count) }
#define DOWN(count)                                                                                                    \
  { .consumers = 0, .ready = (count) }
#define RETRY(count, name)                                                                                             \
  { .consumers = 1, .retrying = (count), .tier = BUS_STR(name) }
#define ALL_RUN .place = RUNS, .order = RUNS, .inventory = RUNS, .payment = RUNS

static void check(struct story story, struct world world, enum story_code code, const char *text, const char *action) {
  struct story_queue queues[] = {world.place, world.order, world.inventory, world.payment};
  static const char *const names[] = {"order-svc.place", "order-svc", "inventory-svc", "payment-svc"};
  struct story_verdict verdict;
  for (size_t i = 0; i < BUS_COUNT(queues); i++)
    queues[i].name = bus_str(names[i]);
  for (int i = 0; i < STORY_PLACES; i++)
    story.sources[i] = (struct story_source){i, bus_str(world.away[i])};
  story.now = NOW;
  story.order_id = ID;
  if (story.cancel_first_at == 0)
    story.cancel_first_at = BUS_NO_TIME;
  if (!world.away[STORY_BROKER]) {
    story.queues = queues;
    story.queue_count = BUS_COUNT(queues);
  }
  verdict_of(&story, &verdict);
  if (verdict.code != (int)code || strcmp(verdict.text, text) != 0 || strcmp(verdict.action, action) != 0)
    fail_msg("%s: %s: %s", story_code_names[verdict.code], verdict.text, verdict.action);
}

#define DEADLINE "2026-03-01T12:00:30.000Z" /* of an order that is 30 s old */

TEST(what_has_ended_needs_nothing)
{
  check((struct story){.order = final_order("CONFIRMED", NULL), .reservation = reservation("COMMITTED")},
        (struct world){ALL_RUN}, STORY_DONE, "ended as CONFIRMED: nothing is left to do", "");
  check((struct story){.order = final_order("REJECTED", "out_of_stock: A")}, (struct world){ALL_RUN}, STORY_DONE,
        "ended as REJECTED (out_of_stock: A): nothing is left to do", "");
  check((struct story){.order = final_order("CANCELLED", "payment_declined: card_declined"),
                       .reservation = reservation("RELEASED"),
                       .payments = payment("declined", 0, 50),
                       .payment_count = 1},
        (struct world){ALL_RUN}, STORY_DONE,
        "ended as CANCELLED (payment_declined: card_declined): nothing is left to do", "");
}

TEST(what_has_ended_may_have_an_errand_left)
{
  check((struct story){.order = final_order("CONFIRMED", NULL), .reservation = reservation("RESERVED")},
        (struct world){.place = RUNS, .order = RUNS, .inventory = DOWN(1), .payment = RUNS}, STORY_NO_CONSUMER,
        "waits for inventory-svc: its queue inventory-svc has 1 message and no consumer", "start inventory-svc");
  check((struct story){.order = final_order("CANCELLED", "customer"),
                       .payments = payment("refunding", 4, 90),
                       .payment_count = 1},
        (struct world){ALL_RUN}, STORY_PROVIDER,
        "ended as CANCELLED, but waits for the payment provider: its refund was tried 4 times since "
        "2026-03-01T11:58:30.000Z, next at 2026-03-01T12:00:05.000Z",
        "look at the provider, and at the log and the breaker of payment-svc");
  check((struct story){.order = final_order("CANCELLED", "customer"),
                       .payments = payment("refunding", 1, 90),
                       .payment_count = 1},
        (struct world){.place = RUNS, .order = RUNS, .inventory = RUNS, .payment = DOWN(0)}, STORY_NO_CONSUMER,
        "waits for payment-svc: its queue payment-svc has no message and no consumer", "start payment-svc");
  check((struct story){.order = final_order("CANCELLED", "deadline"),
                       .dead = dead("inventory-svc", "inventory.reserve.v1", "BUS_E_DB_DATA"),
                       .dead_count = 1},
        (struct world){ALL_RUN}, STORY_DEAD,
        "ended as CANCELLED, but its inventory.reserve.v1 lies dead in inventory-svc.dead since "
        "2026-03-01T11:59:30.000Z: BUS_E_DB_DATA why",
        "correct the cause, then: bus-dead replay inventory-svc 01000000-0000-0000-0000-000000000000");
}

TEST(a_service_that_does_not_run_is_named)
{
  check((struct story){.order = order("RESERVED", 30)},
        (struct world){.place = RUNS, .order = RUNS, .inventory = RUNS, .payment = DOWN(1)}, STORY_NO_CONSUMER,
        "waits for payment-svc: its queue payment-svc has 1 message and no consumer", "start payment-svc");
  check((struct story){.order = order("RESERVED", 30), .payments = payment("processing", 2, 20), .payment_count = 1},
        (struct world){.place = DOWN(0), .order = DOWN(0), .inventory = RUNS, .payment = DOWN(7)}, STORY_NO_CONSUMER,
        "waits for payment-svc: its queue payment-svc has 7 messages and no consumer",
        "start payment-svc and order-svc");
  check((struct story){.order = order("PENDING", 30), .reservation = reservation("RESERVED")},
        (struct world){.place = DOWN(0), .order = DOWN(3), .inventory = RUNS, .payment = RUNS}, STORY_NO_CONSUMER,
        "waits for order-svc: its queue order-svc has 3 messages and no consumer", "start order-svc");
}

TEST(a_dead_letter_comes_first)
{
  check((struct story){.order = order("PENDING", 30),
                       .dead = dead("inventory-svc", "inventory.reserve.v1", "BUS_E_DB_DATA"),
                       .dead_count = 1},
        (struct world){.place = RUNS, .order = RUNS, .inventory = DOWN(1), .payment = RUNS}, STORY_DEAD,
        "its inventory.reserve.v1 lies dead in inventory-svc.dead since 2026-03-01T11:59:30.000Z: BUS_E_DB_DATA why",
        "correct the cause, then: bus-dead replay inventory-svc 01000000-0000-0000-0000-000000000000");
  check((struct story){.order = order("PENDING", 30),
                       .dead = dead("order-svc", "payment.captured.v1", "BUS_E_SENDER"),
                       .dead_count = 1},
        (struct world){ALL_RUN}, STORY_DEAD,
        "its payment.captured.v1 lies dead in order-svc.dead since 2026-03-01T11:59:30.000Z: BUS_E_SENDER why",
        "find its sender, then: bus-dead drop order-svc 01000000-0000-0000-0000-000000000000");
  check((struct story){.dead = dead("order-svc.place", "order.place.v1", "BUS_E_DB_DATA"), .dead_count = 1},
        (struct world){ALL_RUN}, STORY_DEAD,
        "its order.place.v1 lies dead in order-svc.place.dead since 2026-03-01T11:59:30.000Z: BUS_E_DB_DATA why",
        "correct the cause, then: bus-dead replay order-svc.place 01000000-0000-0000-0000-000000000000");
}

TEST(an_order_without_a_row_is_accepted_dropped_lost_or_unknown)
{
  const struct story none = {.order = NULL};
  check(none, (struct world){.place = DOWN(1), .order = DOWN(0), .inventory = RUNS, .payment = RUNS}, STORY_ACCEPTED,
        "not in the database; if the edge accepted it (202), it waits for order-svc: its queue order-svc.place has "
        "1 message and no consumer",
        "start order-svc");
  check(none, (struct world){.place = DOWN(9), .order = RUNS, .inventory = RUNS, .payment = RUNS}, STORY_PAUSED,
        "not in the database; if the edge accepted it (202), it is among the 9 messages in order-svc.place, from which "
        "order-svc takes none while too many orders are open (MAX_OPEN_SAGAS)",
        "see what holds the open orders: orderctl stuck");
  check(none, (struct world){.place = HOLDS(2), .order = RUNS, .inventory = RUNS, .payment = RUNS}, STORY_BACKLOG,
        "not in the database; if the edge accepted it (202), it is among the 2 messages in order-svc.place, which "
        "order-svc takes one after the other",
        "");
  check(none,
        (struct world){
            .place = RETRY(1, "bus.retry.1s.order-svc.place"), .order = RUNS, .inventory = RUNS, .payment = RUNS},
        STORY_RETRIES,
        "not in the database; if the edge accepted it (202), it may wait for its next try in "
        "bus.retry.1s.order-svc.place",
        "");
  check(none, (struct world){ALL_RUN}, STORY_UNKNOWN,
        "no database knows this order, and order-svc.place has no message",
        "check the id: an order that was answered by 2xx is never here unseen");
  check((struct story){.parked = parked("order-svc.place", "order.place.v1"), .parked_count = 1},
        (struct world){ALL_RUN}, STORY_DROPPED,
        "not in the database: its order.place.v1 was dead-lettered in order-svc.place (why) and is no longer in the "
        "dead queue",
        "if it was sent again a moment ago, ask again; if it was dropped, the client must order again");
  check((struct story){.reservation = reservation("RESERVED")}, (struct world){ALL_RUN}, STORY_LOST,
        "the orders database has no row of it, but inventory has",
        "compare the databases: one was restored from an older backup, or they are of different systems");
  check((struct story){.cancel_first_at = AGO(5)}, (struct world){ALL_RUN}, STORY_UNKNOWN,
        "no database knows this order, and order-svc.place has no message; a cancel has come before the order, which "
        "will end as CANCELLED when it comes",
        "check the id: an order that was answered by 2xx is never here unseen");
}

TEST(a_place_that_is_away_is_no_end)
{
  check((struct story){.order = NULL}, (struct world){ALL_RUN, .away[STORY_ORDERS] = "refused"}, STORY_UNREACHABLE,
        "the state of the order is not known: orders database is not reachable: refused",
        "make it reachable, then ask again");
  check((struct story){.order = order("RESERVED", 30)}, (struct world){ALL_RUN, .away[STORY_BROKER] = "refused"},
        STORY_UNREACHABLE, "waits for payment-svc: broker is not reachable: refused",
        "make it reachable, then ask again");
  check((struct story){.order = order("RESERVED", 30)}, (struct world){ALL_RUN, .away[STORY_PAYMENTS] = "refused"},
        STORY_UNREACHABLE, "waits for payment-svc: payments database is not reachable: refused",
        "make it reachable, then ask again");
  check((struct story){.order = NULL}, (struct world){ALL_RUN, .away[STORY_BROKER] = "refused"}, STORY_UNREACHABLE,
        "not in the database; it may wait in the queue order-svc.place: broker is not reachable: refused",
        "make it reachable, then ask again");
  check((struct story){.order = final_order("CONFIRMED", NULL)},
        (struct world){ALL_RUN, .away[STORY_BROKER] = "refused", .away[STORY_INVENTORY] = "refused"}, STORY_DONE,
        "ended as CONFIRMED: nothing is left to do", "");
}

TEST(messages_on_their_way)
{
  check((struct story){.order = order("PENDING", 30)},
        (struct world){.place = RUNS, .order = RUNS, .inventory = HOLDS(5), .payment = RUNS}, STORY_BACKLOG,
        "waits for inventory-svc: its queue inventory-svc has 5 messages, which it takes one after the other", "");
  check(
      (struct story){.order = order("RESERVED", 30)},
      (struct world){.place = RUNS, .order = RUNS, .inventory = RUNS, .payment = RETRY(1, "bus.retry.30s.payment-svc")},
      STORY_RETRIES, "waits for payment-svc, for which 1 message waits for the next try in bus.retry.30s.payment-svc",
      "if it stays so, read the log of payment-svc for the cause");
  check((struct story){.order = order("PENDING", 30),
                       .outgoing = outgoing(STORY_ORDERS, "inventory.reserve.v1", 20),
                       .outgoing_count = 1},
        (struct world){ALL_RUN}, STORY_UNPUBLISHED,
        "its inventory.reserve.v1 lies in the outbox of order-svc since 2026-03-01T11:59:40.000Z, sent again 2 times",
        "read the log of order-svc: the broker blocks it, or does not confirm");
  check((struct story){.order = order("RESERVED", 30),
                       .payments = payment("captured", 0, 20),
                       .payment_count = 1,
                       .outgoing = outgoing(STORY_PAYMENTS, "payment.captured.v1", 20),
                       .outgoing_count = 1},
        (struct world){.place = RUNS, .order = RUNS, .inventory = RUNS, .payment = DOWN(0)}, STORY_UNPUBLISHED,
        "its payment.captured.v1 lies in the outbox of payment-svc since 2026-03-01T11:59:40.000Z, sent again 2 times",
        "start payment-svc");
  struct story_outgoing *stray = outgoing(STORY_ORDERS, "inventory.reserve.v1", 1);
  stray->unroutable = true;
  check((struct story){.order = order("PENDING", 30), .outgoing = stray, .outgoing_count = 1}, (struct world){ALL_RUN},
        STORY_UNROUTABLE, "no queue takes its inventory.reserve.v1, which stays in the outbox of orders",
        "bus-topology diff names the missing queue or binding; bus-topology apply makes it");
}

TEST(the_provider)
{
  check((struct story){.order = order("RESERVED", 3), .payments = payment("processing", 0, 2), .payment_count = 1},
        (struct world){ALL_RUN}, STORY_UNDER_WAY, "waits for the payment provider's answer to its charge", "");
  check((struct story){.order = order("RESERVED", 30), .payments = payment("processing", 2, 20), .payment_count = 1},
        (struct world){ALL_RUN}, STORY_PROVIDER,
        "waits for the payment provider: its charge was tried 2 times since 2026-03-01T11:59:40.000Z, next at "
        "2026-03-01T12:00:05.000Z",
        "");
  check((struct story){.order = order("RESERVED", 30), .payments = payment("unknown", 9, 20), .payment_count = 1},
        (struct world){ALL_RUN}, STORY_PROVIDER_UNKNOWN,
        "the provider's answer to its payment was never seen, so its outcome is unknown",
        "read the provider's records (./dev reconcile), then settle it: SELECT payments.settle(…)");
}

TEST(time_alone)
{
  check((struct story){.order = order("PENDING", 2)}, (struct world){ALL_RUN}, STORY_UNDER_WAY,
        "waits for inventory-svc, which has no backlog", "");
  check((struct story){.order = order("PENDING", 30)}, (struct world){ALL_RUN}, STORY_UNDER_WAY,
        "waits for inventory-svc; no queue, outbox or dead queue has its inventory.reserve: order-svc undoes the order "
        "at " DEADLINE,
        "");
  check((struct story){.order = settled(order("COMPENSATING", 30), false, true)}, (struct world){ALL_RUN},
        STORY_UNDER_WAY,
        "waits for inventory-svc; no queue, outbox or dead queue has its inventory.release: order-svc asks again "
        "at " DEADLINE,
        "");
  check((struct story){.order = settled(order("COMPENSATING", 30), true, false),
                       .payments = payment("refunded", 0, 9),
                       .payment_count = 1},
        (struct world){ALL_RUN}, STORY_UNDER_WAY,
        "waits for the answer of payment-svc; no queue, outbox or dead queue has its answer: order-svc asks again "
        "at " DEADLINE,
        "");
  check((struct story){.order = order("RESERVED", 200)}, (struct world){ALL_RUN}, STORY_OVERDUE,
        "waits for payment-svc, and its deadline 2026-03-01T11:57:40.000Z has passed unnoticed",
        "read the log of order-svc: it puts deadlines off while it commits nothing");
}

TEST(a_payment_later)
{
  struct story_order *later = settled(order("AWAITING_PAYMENT", 30), false, true);
  later->pay_later = true;
  check((struct story){.order = later, .reservation = reservation("RESERVED")}, (struct world){ALL_RUN},
        STORY_WAITS_CUSTOMER, "waits for its customer to pay until " DEADLINE "; then order-svc undoes it", "");
  later->payment_settled = false;
  check((struct story){.order = later, .reservation = reservation("RESERVED")},
        (struct world){.place = RUNS, .order = RUNS, .inventory = RUNS, .payment = DOWN(1)}, STORY_NO_CONSUMER,
        "waits for payment-svc: its queue payment-svc has 1 message and no consumer", "start payment-svc");
}
