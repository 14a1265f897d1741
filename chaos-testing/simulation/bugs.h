/* The planted bugs: each is a switch at a seam of the simulation, none is in the services. They show that the
 * invariants see what they are for. */
#ifndef SIM_BUGS_H
#define SIM_BUGS_H

#include <bus/base.h>

#define BUG_MAP(X)                                                                                                     \
  X(NO_INBOX, "no-inbox-check", "a message that was processed is processed again")                                     \
  X(ACK_EARLY, "ack-before-commit", "a delivery is acked when its batch begins")                                       \
  X(PUBLISH_EARLY, "publish-before-commit", "messages are published before their COMMIT")                              \
  X(DELETE_EARLY, "outbox-deleted-before-confirm", "an outbox row counts as confirmed when it is sent")                \
  X(CONFIRM_ANY, "nack-counts-as-confirm", "a message that the broker refused counts as confirmed")                    \
  X(DROP_UNROUTABLE, "unroutable-dropped", "a returned message counts as confirmed")                                   \
  X(SWEEP_HIGH_WATER, "sweeper-high-water", "the sweeper takes only ids above the last that it took")                  \
  X(SWEEP_NEVER, "no-sweeper", "outbox rows are published once, from memory")                                          \
  X(COMMIT_UNCHECKED, "commit-tag-unchecked", "a COMMIT that rolled back counts as one")                               \
  X(LOST_IS_FAILED, "unknown-commit-published", "a COMMIT without an answer counts as one")                            \
  X(BLAME_FAULT, "fault-blamed-on-messages", "what a database refuses of everybody is blamed on messages")             \
  X(NO_SUSPECTS, "suspects-never-parked", "a message that crashes its consumer is tried for ever")                     \
  X(HELD_ACK_EARLY, "retry-acked-before-confirm", "a retried message is acked before its tier has it")                 \
  X(HELD_INBOX, "inbox-kept-on-retry", "a retried message leaves its inbox row behind")                                \
  X(OLD_TAGS, "old-tags-acked", "tags of an older connection are acked on the new one")                                \
  X(ACK_GAPS, "multiple-ack-over-gaps", "a multiple ack covers what is not settled")                                   \
  X(NEW_IDS, "sweeper-gives-new-ids", "what is published again has an id of its own")                                  \
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

struct bug_card {
  const char *name, *text;
};
extern const struct bug_card bug_cards[BUGS];

/* BUGS: none of that name. */
enum bug bug_find(const char *name);

#endif
