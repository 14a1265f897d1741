/* The broker: durable queues with an order of their own, deliveries that come again, confirms, returns, retry tiers and
 * dead letters, and the connections of the programs to it. Which queue takes what is the topology's word. */
#ifndef SIM_BROKER_H
#define SIM_BROKER_H

#include "world.h"

#include <bus/message.h>

/* Facts about a message that do not travel with it, for the invariants. One for each message id. */
struct letter {
  struct bus_uuid id;
  struct letter *next; /* with a similar id */
  const struct bus_message_type *type;
  struct bus_uuid order_id;
  struct bus_str body;   /* of its outbox row */
  uint8_t span[8];       /* that it names as its parent, however often it is sent; all zero: not sent yet */
  uint64_t number;       /* in the trace */
  bool external;         /* from outside the services: no outbox has it */
  bool committed;        /* its outbox row was */
  bool arrived;          /* the broker had it once, in every queue that it is for */
  bool poison;           /* put in on purpose, to be parked */
  bool crashes;          /* whoever decides it */
  bool kills;            /* the session that writes what it leads to */
  bool stumbles, mended; /* one of a bundle: what it leads to cannot be written, until it has been put off once */
  struct letter *row;    /* the outbox row that it was committed in: its own, or that of its bundle; or NULL */
  struct {
    uint64_t attempt; /* of any worker; 0: it was not emitted */
    size_t place;     /* among what was emitted there */
  } emission;
  bool late; /* a cancel that was processed when its order was beyond the pivot, or REJECTED */
  struct fate {
    int64_t refusals;       /* of transactions with it, by a database that takes none */
    bus_time failing_since; /* a database refused it first, and no commit came since; 0: it did not */
    int64_t attempts;       /* counted */
    int copies;             /* in queues, tiers and among the dead */
    int buried;             /* of them, among the dead */
    int processed;          /* committed with its consumer's effects */
  } fates[DATABASES];       /* by the service that takes it: an event has several */
};

/* The tracestate of each request; what it leads to carries it on. */
#define TRACESTATE "simulation=1"

struct sending;
struct frame;

/* The letters of what travels in one message: its own, or those of a bundle's messages. */
struct letters {
  struct letter **items;
  size_t count;
};

struct message {
  struct bus_envelope envelope;        /* user_id: who published it */
  const struct bus_message_type *type; /* NULL: unknown to everybody */
  struct bus_str body;
  struct letter *letter;
  struct letters letters; /* of a bundle; else none */
};

enum { QUEUE_ORDERS, QUEUE_PLACE, QUEUE_INVENTORY, QUEUE_PAYMENTS, QUEUE_NOTIFY, QUEUE_REQUESTS, QUEUES };
extern const char *const queue_names[QUEUES];
/* The database that its messages are taken into. */
extern const int queue_databases[QUEUES];

/* A program's connections to the broker, and what is called when something comes. */
struct peer {
  const char *name; /* in the trace: "order-svc/0" */
  const char *user;
  bool up;       /* the process runs */
  uint64_t life; /* counts its starts */
  bus_time paused_until;
  int64_t wall_offset;
  bool linked;
  uint64_t epoch;         /* counts connections */
  bus_time out_at, in_at; /* what goes one way keeps its order */
  unsigned reading;       /* bit set: the queues that it consumes */
  uint64_t interests[QUEUES];
  size_t prefetch, unacked[QUEUES];
  uint64_t next_tag, next_seq;
  struct sending *open, **open_end; /* not confirmed, in order */
  void *owner;
  void (*on_delivery)(struct world *world, struct peer *peer, const struct message *message, int queue, uint64_t tag,
                      bool redelivered);
  void (*on_reply)(struct world *world, struct peer *peer, const struct message *message);
  void (*on_confirm)(struct world *world, struct peer *peer, const struct sending *sending);
  void (*on_link)(struct world *world, struct peer *peer, bool up);
  void (*on_blocked)(struct world *world, struct peer *peer, bool blocked);
};
struct peer *peer_of_worker(struct world *world, size_t index);
struct peer *peer_of_edge(struct world *world, int index);

/* One publication until its confirm. */
enum sending_kind { SENDING_OUTBOX, SENDING_HELD, SENDING_ANSWER, SENDING_REQUEST };
struct sending {
  struct peer *peer;
  enum sending_kind kind;
  const struct message *message;
  enum bus_exchange exchange;
  int queue; /* RETRY, DEAD: its work queue; REPLY: the edge */
  int tier;  /* RETRY */
  uint64_t epoch;
  bool mandatory;
  uint64_t seq;          /* of its confirm */
  bool taken, confirmed; /* by the broker */
  bool acked, returned;  /* in the confirm */
  bool multiple;         /* the confirm is of all up to it */
  void *held;            /* the sender's own */
  struct sending *next;  /* of the peer's */
};

struct copy; /* of a message in a queue */

enum { HISTORY = 64 };

enum { LETTER_SLOTS = 256 };

struct broker {
  bool up, blocked;
  bus_time blocked_until;
  struct letter *letters[LETTER_SLOTS];
  const struct message *history[HISTORY]; /* the last that were routed */
  uint64_t routed;
  struct {
    struct copy *first;
    bool bound;
  } queues[QUEUES];
  uint64_t next_place, next_delivery, next_letter, next_attempt;
  size_t alive, dead;
  struct dead {
    const struct message *message;
    struct dead *next;
  } * dead_letters;
};

void broker_init(struct world *world);
/* The facts about the message with that id. */
struct bus_bundle_element;
/* elements: of a bundle; else NULL. */
struct letters letters_of(struct world *world, const struct bus_envelope *envelope, struct bus_str body,
                          struct bus_bundle_element **ret_elements);
/* Says what they are, the first time. */
void letters_name(const struct letters *letters, const struct bus_message_type *type,
                  const struct bus_bundle_element *elements, const struct bus_uuid *order_id);
static inline size_t message_letters(const struct message *message) {
  return message->letters.count > 0 ? message->letters.count : 1;
}
static inline struct letter *message_letter(const struct message *message, size_t i) {
  return message->letters.count > 0 ? message->letters.items[i] : message->letter;
}
struct letter *letter_of(struct world *world, const struct bus_uuid *id);
/* Takes a copy of the struct; the connection keeps the order. */
void broker_publish(struct world *world, const struct sending *sending);
void broker_ack(struct world *world, struct peer *peer, uint64_t tag);
/* Begins or ends to read a queue. */
void broker_read(struct world *world, struct peer *peer, int queue, bool reads);
void broker_dispatch(struct world *world);
/* Requeues all unacked deliveries. */
void broker_requeue(struct world *world, struct peer *peer);
bool broker_has(const struct broker *broker, int queue);
/* Does the topology bind the queue to that type? */
bool broker_takes(int queue, const struct bus_message_type *type);

/* False: the broker is away. */
bool peer_connect(struct world *world, struct peer *peer);
/* Closes the connection: unacked deliveries are requeued, frames on their way are lost. */
void peer_break(struct world *world, struct peer *peer);
/* True: the process stands still, and the event comes again when it goes on. */
bool peer_waits(struct world *world, const struct peer *peer, event_run *run, void *subject, uint64_t detail);

void broker_outage(struct world *world, int64_t duration);
void broker_block(struct world *world, int64_t duration);
void broker_unbind(struct world *world, int queue, int64_t duration);
/* Sends something again that was sent before, with an id of its own, as an operator may. */
void broker_redrive(struct world *world);
/* Perhaps a request for an order comes again. */
void broker_place_again(struct world *world);
/* Puts a message there that no program of ours sent. */
void broker_inject(struct world *world, int queue, const struct message *message);

#endif
