/* The planted bugs show that the invariants see what they are for. Those of the pipeline are switches in its own code
 * (BUS_BUG); the others stand here, each a switch at a seam of the simulation. */
#ifndef SIM_BUGS_H
#define SIM_BUGS_H

#include <bus/base.h>

#define BUG_MAP(X)                                                                                                     \
  X(NO_LOCKS, "no-row-locks", "rows are read without FOR UPDATE: stale versions are written back")                     \
  X(SKIP_FACT, "fact-not-logged", "an order changes without an event")                                                 \
  X(NO_DEADLINE, "deadline-ignored", "due orders are not looked at")                                                   \
  X(UNDONE_COUNT, "undone-orders-close-the-intake", "orders that wait only to be undone count as open")                \
  X(NO_REFUND, "refund-forgotten", "an order that is undone asks no refund")                                           \
  X(EARLY_CANCEL, "cancelled-before-refund", "a released stock is enough to be CANCELLED")                             \
  X(CANCEL_LATE, "cancel-accepted-after-pivot", "a CONFIRMED order is undone on the customer's word")                  \
  X(CANCEL_FORGOTTEN, "cancel-before-order-forgotten", "a cancel that comes before its order leaves no tombstone")     \
  X(CANCEL_UNKNOWN, "unknown-cancel-accepted", "the edge accepts a cancel of an order that it does not know")          \
  X(PAY_FORGOTTEN, "pay-key-forgotten", "a repeated order.pay begins another attempt")                                 \
  X(PAY_OPEN, "second-attempt-while-one-is-open", "order.pay charges although the last attempt may capture")           \
  X(UNPAID_UNLOCKED, "unpaid-counted-without-lock", "batches count the unpaid orders of a customer at the same time")  \
  X(PRICE_MOVED, "price-moved-before-charge", "the charge asks today's price, not the locked one")                     \
  X(ANY_BODY, "other-body-replayed", "another request under a key is answered as the first")                           \
  X(RELEASE_TWICE, "release-twice", "a repeated release gives the stock back again")                                   \
  X(NO_TOMBSTONE, "no-tombstone", "a release that finds no reservation leaves no trace")                               \
  X(SALE_RESERVES, "sale-counted-as-reserve", "selling takes the stock a second time")                                 \
  X(SALE_LOST, "sale-lost", "inventory does not read order.confirmed")                                                 \
  X(GONE_EARLY, "reservation-gone-before-capture", "a reservation is forgotten before its order is paid")              \
  X(PARTIAL, "partial-reservation", "what is out of stock is left out, the rest is reserved")                          \
  X(OVERSELL, "oversell", "stock is reserved that is not there")                                                       \
  X(EXPIRED_AGAIN, "expired-released-again", "the release of an expired reservation gives its stock back again")       \
  X(EXPIRED_SOLD, "expired-confirmed", "a reservation is confirmed after it has expired")                              \
  X(NEVER_EXPIRES, "own-never-expires", "nothing looks for reservations that have expired")                            \
  X(RESTOCK_LOST, "restock-lost", "inventory does not read inventory.restock")                                         \
  X(RESTOCK_AGAIN, "restocked-per-refund", "each refund puts its order's stock back again")                            \
  X(NEW_KEY, "new-psp-key-per-retry", "each attempt at a charge has its own idempotency key")                          \
  X(NEW_REFUND_KEY, "new-psp-key-per-refund-retry", "each attempt at a refund has its own idempotency key")            \
  X(REFUND_UNLOCKED, "refund-limit-without-lock", "a refund is held against what was left before the one under way")   \
  X(REFUND_REPEATED, "repeated-refund-refunds-again", "a repeated request for a refund makes another one")             \
  X(TIMEOUT_DECLINES, "psp-timeout-is-decline", "a call without an answer counts as declined")                         \
  X(VOID_UNDER_WAY, "voided-under-way", "a refund voids a charge whose call is out: its capture is kept")              \
  X(REFUND_AGAIN, "refund-done-unasked", "a refund counts as done when it is asked")                                   \
  X(COUNT_TRIES, "breaker-counts-tries", "each try of a payment is an item of its own for the breaker")                \
  X(COUNT_ALONE, "breaker-counts-alone", "five failures open the breaker, however many calls succeed")                 \
  X(PROBE_ANY, "probes-oldest-first", "probes and slots go to what is due the longest, whatever failed before")        \
  X(HOOK_NEW_ID, "new-webhook-id-per-attempt", "each attempt of a webhook has an id of its own")                       \
  X(HOOK_GIVEN_UP, "webhook-given-up-early", "a webhook is given up before its schedule ends")                         \
  X(HOOK_DELETED, "deleted-endpoint-told", "an endpoint is told of events after it was deleted")                       \
  X(HOOK_MISSED, "event-not-told", "notify-svc does not read order.cancelled")                                         \
  X(HOOK_LOST, "webhook-lost-with-its-process", "a claimed delivery never comes due again")                            \
  X(KEY_PER_EDGE, "duplicate-key-second-order", "each try of a request makes an order of its own")                     \
  X(EARLY_2XX, "2xx-before-confirm", "the edge accepts an order when it has sent it")                                  \
  X(ANY_REPLY, "reply-to-the-wrong-request", "an answer goes to the oldest waiting request")

enum bug {
  BUG_NONE,
#define BUG_ENUM(name, word, text) BUG_##name,
  BUG_MAP(BUG_ENUM)
#undef BUG_ENUM
      BUGS
};

/* One of either kind. */
struct planted {
  const char *name, *text;
  enum bug bug; /* BUG_NONE: the pipeline's */
};
enum { PLANTED_MAX = 128 };
/* All of them, the pipeline's first. Returns how many. */
size_t bugs_list(struct planted ret[PLANTED_MAX]);
/* False: none of that name. */
bool bugs_find(const char *name, struct planted *ret);
/* Switches one of the pipeline's. */
void bugs_switch(const struct planted *bug, bool on);

#endif
