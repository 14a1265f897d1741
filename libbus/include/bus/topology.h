/*
 * The broker's topology as data, and what is derived from it: declarations, permissions, routing keys. Each service
 * describes itself once in a struct bus_topology_part, and a struct bus_topology composes the parts of a system. An
 * administrator applies it at deployment (bus_topology_main); services only check it (see bus/amqp.h). Everything here
 * is pure but bus_topology_main.
 *
 * Each work queue Q of service S gets: bindings for its types on bus.cmd and bus.event; for every tier a queue
 * bus.retry.<tier>.Q, bound to bus.retry.S by "<tier>.Q", which dead-letters to bus.back, where Q is bound by the same
 * key; Q.dead, bound to bus.dead.S and bus.dead by Q. A user with `redrives` has an exchange bus.retry.<user> to the
 * shortest tier of every work queue. Work, tier and dead queues are quorum queues; work and tier queues dead-letter at
 * least once and reject what overflows them. Query and request queues are durable classic queues with a message TTL.
 *
 * A work queue Q with `sharded` is split once the topology has more than one shard. Each shard Q.00, Q.01, … is a
 * quorum queue with a single active consumer, and Q stays for messages that name no shard. The types' keys are then
 * bound to the headers exchange bus.shard.Q, which reads the header bus-shard ("02/4": the third of four) that
 * publishers set from the correlation id. Messages that name no shard of it go to its alternate exchange bus.rest.Q,
 * and so to Q. Shards have the tiers and the dead queue of Q: a retried message comes back by bus.shard.Q.
 *
 * The headers CC and BCC add routing keys that RabbitMQ's topic permissions do not check. Every bus.retry.* and
 * bus.dead.* has one writer and leads to no queue but its own, and each queue dead-letters by a fixed key: those
 * headers reach nothing there. bus.cmd, bus.event and bus.query are shared: consumers dead-letter what comes with CC,
 * and BCC, which the broker takes off, does not change the user_id that they check.
 */
#pragma once

#include <bus/message.h>

BUS_C_BEGIN

struct bus_tier {
  const char *name; /* "1s" */
  int64_t ttl_ms;
};

enum bus_queue_kind {
  BUS_QUEUE_WORK,
  BUS_QUEUE_QUERY,   /* of queries that only read */
  BUS_QUEUE_REQUEST, /* of queries that write; declared like a query queue */
  BUS_QUEUE_EVENT,   /* of events, for each process of its user a queue of its own: <name>.<instance>, exclusive,
                        transient, deleted with its connection; the oldest messages go first where it is full */
};

struct bus_queue {
  const char *name;
  enum bus_queue_kind kind;
  const struct bus_message_type *const *types;
  size_t type_count;
  int64_t max_bytes;  /* x-max-length-bytes; 0: none; each shard has its own */
  int64_t max_length; /* x-max-length; of event queues alone */
  bool sharded;       /* WORK: it has the topology's number of shards */
};

/* Initializers; list is an array of types. */
#define BUS_WORK_QUEUE(queue, list)                                                                                    \
  { .name = (queue), .kind = BUS_QUEUE_WORK, .types = (list), .type_count = BUS_COUNT(list) }
#define BUS_SHARDED_QUEUE(queue, list)                                                                                 \
  { .name = (queue), .kind = BUS_QUEUE_WORK, .types = (list), .type_count = BUS_COUNT(list), .sharded = true }
#define BUS_QUERY_QUEUE(queue, list)                                                                                   \
  { .name = (queue), .kind = BUS_QUEUE_QUERY, .types = (list), .type_count = BUS_COUNT(list) }

#define BUS_REQUEST_QUEUE(queue, list)                                                                                 \
  { .name = (queue), .kind = BUS_QUEUE_REQUEST, .types = (list), .type_count = BUS_COUNT(list) }

enum { BUS_EVENTS_MAX = 10000 };
#define BUS_EVENT_QUEUE(queue, list)                                                                                   \
  {                                                                                                                    \
    .name = (queue), .kind = BUS_QUEUE_EVENT, .types = (list), .type_count = BUS_COUNT(list),                          \
    .max_length = BUS_EVENTS_MAX                                                                                       \
  }

struct bus_user {
  const char *name;
  bool asks;     /* may have queues <name>.reply.<instance>, and send to bus.query what it is the sender of */
  bool redrives; /* an operator: reads dead queues, and sends what lies there back to its queue through its shortest
                    tier */
  bool
      elsewhere; /* belongs to another system on the same virtual host, whose topology says what it may do: here it is
                    known as a sender, an asker or a receiver, its queues are not declared, and it gets no permission */
};

/* One service: its user, the types of its messages, and the queues that its user reads. */
struct bus_topology_part {
  struct bus_user user;
  const struct bus_message_type *const *types;
  size_t type_count;
  const struct bus_queue *queues;
  size_t queue_count;
};

/* A service that asks nobody. */
#define BUS_TOPOLOGY_PART(service, type_list, queue_list)                                                              \
  {                                                                                                                    \
    .user = {.name = (service)}, .types = (type_list), .type_count = BUS_COUNT(type_list), .queues = (queue_list),     \
    .queue_count = BUS_COUNT(queue_list)                                                                               \
  }

struct bus_topology {
  const char *guest; /* NULL, or the system's name if the virtual host is another system's: that system's topology
                        limits the virtual host, and policies bear the guest's name */
  const struct bus_topology_part *const *parts;
  size_t part_count;
  const struct bus_tier *tiers; /* shortest first */
  size_t tier_count;
  int64_t query_ttl_ms;
  const char *title, *version; /* of the system, for documents and --version; or NULL */
  const char *correlation; /* what logs and spans call the correlation id, and the member of bodies that bus-send and
                              bus-ask take it from, such as "order_id"; NULL: "correlation_id" and no member */
  size_t *shards;          /* of each queue that is `sharded`: a program sets the number once, at its start, by
                              bus_topology_set_shards; NULL: no queue has shards */
};

/* A user with `redrives` may publish to its exchange bus.retry.<user> with the key "<shortest tier>.probe", too, for
 * which no queue is bound: a message that is `mandatory` comes back, and so shows that the broker takes messages. */
#define BUS_PROBE "probe"

/* The default tiers: 1s, 30s, 10m. */
extern const struct bus_tier bus_default_tiers[3];

/* Initializer: an array of pointers to parts, and then further members; with the default tiers, and queries that live
 * 5 s. */
#define BUS_TOPOLOGY(part_list, ...)                                                                                   \
  {                                                                                                                    \
    .parts = (part_list), .part_count = BUS_COUNT(part_list), .tiers = bus_default_tiers,                              \
    .tier_count = BUS_COUNT(bus_default_tiers), .query_ttl_ms = 5000, __VA_ARGS__                                      \
  }

/* The topology's name for the correlation id. */
const char *bus_topology_correlation(const struct bus_topology *topology);

/* ---- shards ---- */
enum {
  BUS_SHARDS_MAX = 32,
  BUS_SHARD_TEXT = sizeof "31/32",
};
/* How many shards a sharded queue has; 1: none is split. */
size_t bus_topology_shards(const struct bus_topology *topology);
/* Sets that number, before any other thread looks. False: it is not 1 to BUS_SHARDS_MAX, or the topology has none. */
bool bus_topology_set_shards(const struct bus_topology *topology, int64_t shards, struct bus_error *err) BUS_MUST_CHECK;
/* Is this queue split? */
bool bus_topology_is_split(const struct bus_topology *topology, const struct bus_queue *queue) BUS_MUST_CHECK;
/* The shard-th shard, counted from 0: "order-svc.02". */
void bus_topology_shard(const struct bus_queue *queue, size_t shard, char name[BUS_KEY_MAX]);
/* The exchange that routes to the shards. */
void bus_topology_shard_exchange(const struct bus_queue *queue, char name[BUS_KEY_MAX]);
/* The shard of a correlation id, counted from 1; 0: none, because there is one shard alone or the id is nil. Every
 * process of every release must come to the same number. */
size_t bus_shard_of(const struct bus_uuid *correlation_id, size_t shards);
#define BUS_SHARD_HEADER "bus-shard" /* of a message in a shard */
/* Its text for a shard, counted from 1: "02/4" for the third of four. */
void bus_shard_text(size_t shard, size_t shards, char text[BUS_SHARD_TEXT]);
/* Shards as an operator writes them, counted from 0: "0,2-3", or "all". *ret: bit i for shard i. */
bool bus_shards_parse(const char *text, size_t shards, uint32_t *ret, struct bus_error *err) BUS_MUST_CHECK;

/* One exchange, queue or binding; names are NUL-terminated. */
enum bus_declare_kind { BUS_DECLARE_EXCHANGE, BUS_DECLARE_QUEUE, BUS_DECLARE_BINDING };

struct bus_declare_argument {
  const char *name;
  const char *text; /* NULL: number counts */
  int64_t number;
  bool flag; /* the number is a boolean */
};

struct bus_declaration {
  enum bus_declare_kind kind;
  char name[BUS_KEY_MAX];     /* exchange or queue */
  char exchange[BUS_KEY_MAX]; /* BINDING: source */
  char key[BUS_KEY_MAX];      /* BINDING */
  bool headers;               /* EXCHANGE: of the type headers; else topic */
  bool to_exchange;           /* BINDING: name is an exchange */
  struct bus_declare_argument arguments[8];
  size_t argument_count;
  bool exclusive; /* QUEUE: of its connection alone, and deleted with it; else durable */
};

/* Calls visit for every declaration, in an order in which the broker accepts them. Stops and returns false when visit
 * returns false. */
bool bus_topology_each(const struct bus_topology *topology,
                       bool (*visit)(void *context, const struct bus_declaration *declaration), void *context);

/* Calls visit for the exchanges and bindings that the same topology leaves at a broker after it had another number of
 * shards, to be removed once this one is declared: with shards the bindings that lead past them, without the exchanges
 * to them. Queues are not among it, because they may hold messages. */
bool bus_topology_each_superseded(const struct bus_topology *topology,
                                  bool (*visit)(void *context, const struct bus_declaration *declaration),
                                  void *context);

/* The same as bus_topology_each for one process's instance of an event queue, which its user declares. */
bool bus_topology_each_of_events(const struct bus_queue *queue, const char *instance,
                                 bool (*visit)(void *context, const struct bus_declaration *declaration),
                                 void *context);
/* May a queue of this name be an instance of the event queue? */
bool bus_topology_is_instance(const struct bus_queue *queue, struct bus_str name) BUS_MUST_CHECK;

/* Permissions of a user, as RabbitMQ's regular expressions. Names are matched whole, dots escaped. */
struct bus_permission {
  char configure[512], write[512], read[1024];
};
struct bus_topic_permission {
  char exchange[BUS_KEY_MAX];
  char write[2048];
  char read[128];
};

/* The permissions of the part's user. False: they do not fit, and a pattern that does not permits nothing. */
bool bus_topology_permission(const struct bus_topology *topology, const struct bus_topology_part *part,
                             struct bus_permission *ret);
/* The same: one for each of the topic exchanges that the part's user may write; *ret_count: how many (at most 6). */
bool bus_topology_topic_permissions(const struct bus_topology *topology, const struct bus_topology_part *part,
                                    struct bus_topic_permission ret[6], size_t *ret_count);

/* The type of that name in any part; NULL: none. */
const struct bus_message_type *bus_topology_type(const struct bus_topology *topology, struct bus_str type);
/* The type of this name that the queue takes; NULL: none. */
const struct bus_message_type *bus_topology_queue_type(const struct bus_queue *queue, struct bus_str name);
/* The queue of that name in any part; NULL: none. */
const struct bus_queue *bus_topology_queue(const struct bus_topology *topology, const char *name);
/* The part whose user reads the queue. */
const struct bus_topology_part *bus_topology_owner(const struct bus_topology *topology, const struct bus_queue *queue);
/* Is its reader a user of this system? */
bool bus_topology_is_own(const struct bus_topology *topology, const struct bus_queue *queue) BUS_MUST_CHECK;
/* The types and queues of all parts, in their order; NULL behind the last. */
const struct bus_message_type *bus_topology_type_at(const struct bus_topology *topology, size_t index);
/* The index-th queue of all parts in their order; NULL behind the last. */
const struct bus_queue *bus_topology_queue_at(const struct bus_topology *topology, size_t index);

/* The sender of a message whose publisher the broker did not check. No user has this name. */
#define BUS_SENDER_UNKNOWN "-"
/* The first sender of a message in one of service's queues. Usually that is user_id, which the broker checks. If
 * service itself retried or dead-lettered the message, or a user with `redrives` sent it again, user_id names the
 * relay, and the header bus-sender names the first sender. The header of every other user is ignored. */
struct bus_str bus_topology_sender(const struct bus_topology *topology, const char *service,
                                   const struct bus_envelope *envelope);
/* True if the user may publish this type. Every user may publish answers. */
bool bus_topology_is_sender(const struct bus_topology *topology, const struct bus_message_type *type,
                            struct bus_str user) BUS_MUST_CHECK;
/* True if a queue must take the type: for each command, and for an event that a queue of this topology takes or that is
 * taken elsewhere. Event queues do not count, because their processes come and go. Publishers then set AMQP's flag
 * `mandatory`. */
bool bus_topology_is_mandatory(const struct bus_topology *topology, const struct bus_message_type *type) BUS_MUST_CHECK;
/* True if service may take the message as one of this type: its sender is one of the type's senders. A message that
 * service published to itself without naming another sender counts as its own: earlier versions of libbus named none in
 * retries. */
bool bus_topology_may_send(const struct bus_topology *topology, const char *service,
                           const struct bus_envelope *envelope, const struct bus_message_type *type) BUS_MUST_CHECK;

/* True if an answer may go to this routing key on bus.reply: "<user>.reply.<instance>" of a user that asks. That user
 * is `user`, or any if `user` is absent. The broker closes the channel of a service that answers elsewhere. */
bool bus_topology_is_reply(const struct bus_topology *topology, struct bus_str user, struct bus_str key) BUS_MUST_CHECK;

/* Checks a topology. The error names the first fault: a command that no queue takes, a name too long, and so on. */
bool bus_topology_is_valid(const struct bus_topology *topology, struct bus_error *err) BUS_MUST_CHECK;

/* ---- comparing with what a broker lists ---- */

/* "queue order-svc", "binding bus.cmd order.place -> order-svc.place" */
enum { BUS_DECLARATION_TEXT = 3 * BUS_KEY_MAX + 16 };
/* Writes what the declaration declares, such as "queue order-svc". */
void bus_topology_name(const struct bus_declaration *declaration, char *text, size_t size);
/* Is the binding in the output of `rabbitmqctl list_bindings source_name destination_name routing_key`? */
bool bus_topology_lists_binding(const char *list, const struct bus_declaration *binding) BUS_MUST_CHECK;
/* Calls visit for each line of the list whose source is one of our exchanges (bus.reply aside: its queues come and go)
 * and which the topology does not have. A guest has none: the rest is the other system's. */
void bus_topology_each_foreign_binding(const char *list, const struct bus_topology *topology,
                                       void (*visit)(void *context, struct bus_str line), void *context);

/* The program `bus-topology`: apply|diff|print|definitions|asyncapi|schemas, --url amqp://…; returns main's status.
 * apply        declares what is missing; refuses to change what differs (a changed argument is a new queue)
 * diff         says what is missing or differs; 1 when anything; 3 when bindings were not compared for want of a list
 *              (--bindings) and nothing else differs
 * print        the declarations, one a line, without a broker
 * definitions  JSON for `rabbitmqctl import_definitions`: permissions and topic permissions of this system's users in
 *              --vhost; users themselves, with their passwords, are the administrator's
 * asyncapi, schemas  the documents of bus/asyncapi.h */
int bus_topology_main(int argc, char **argv, const struct bus_topology *topology);

BUS_C_END
