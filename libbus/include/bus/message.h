/* Message types, and the envelope: id, type and other metadata that travel in AMQP properties, while the body holds
 * only the data. Pure. */
#pragma once

#include <bus/base.h>
#include <bus/field.h>
#include <bus/trace.h>
#include <bus/uuid.h>

BUS_C_BEGIN

enum bus_exchange {
  BUS_EXCHANGE_CMD,   /* bus.cmd: commands, one receiver */
  BUS_EXCHANGE_EVENT, /* bus.event: any number of receivers */
  BUS_EXCHANGE_QUERY, /* bus.query: requests */
  BUS_EXCHANGE_REPLY, /* bus.reply: answers; the key is the asker's own queue */
  BUS_EXCHANGE_RETRY, /* bus.retry.<publisher>: to a tier queue, key "<tier>.<queue>" */
  BUS_EXCHANGE_DEAD,  /* bus.dead.<publisher>: dead letters, key "<queue>"; the broker's own go through bus.dead */
  BUS_EXCHANGE_BACK,  /* bus.back: tiers dead-letter to it; no user publishes to it */
};
/* "bus.cmd" … */
const char *bus_exchange_name(enum bus_exchange exchange);

enum { BUS_TYPE_MAX = 64, BUS_NAME_MAX = 64, BUS_KEY_MAX = 160, BUS_SENDERS_MAX = 8 };

/* One per type and version; static data, compared by address. */
struct bus_message_type {
  const char *type; /* "inventory.reserve.v1"; the routing key is the type without the version */
  enum bus_exchange exchange;
  const char *senders[BUS_SENDERS_MAX]; /* the users that may publish it, then NULL; an answer has none: every service
                                           may */
  bool open;                            /* a query that every user who asks may publish, or a notice that every user
                                           may */
  bool writes;                          /* a query that its receiver carries out before it answers */
  bool taken_elsewhere;                 /* an event that another system's queue takes */
  bool notice;                          /* an event that is published once, from memory, after COMMIT: only event
                                           queues take it, and it is lost where none is there */
  bool single;                          /* never in a bundle (bus/bundle.h): for readers that cannot cut one */
  const struct bus_schema *schema;
};

/* Initializers. The senders follow the schema. */
#define BUS_COMMAND(name, body, ...)                                                                                   \
  { .type = (name), .exchange = BUS_EXCHANGE_CMD, .senders = {__VA_ARGS__}, .schema = (body) }
#define BUS_EVENT(name, body, ...)                                                                                     \
  { .type = (name), .exchange = BUS_EXCHANGE_EVENT, .senders = {__VA_ARGS__}, .schema = (body) }
#define BUS_SINGLE_EVENT(name, body, ...)                                                                              \
  { .type = (name), .exchange = BUS_EXCHANGE_EVENT, .senders = {__VA_ARGS__}, .single = true, .schema = (body) }
#define BUS_NOTICE(name, body, ...)                                                                                    \
  { .type = (name), .exchange = BUS_EXCHANGE_EVENT, .senders = {__VA_ARGS__}, .notice = true, .schema = (body) }
#define BUS_QUERY(name, body, ...)                                                                                     \
  { .type = (name), .exchange = BUS_EXCHANGE_QUERY, .senders = {__VA_ARGS__}, .schema = (body) }
#define BUS_REQUEST(name, body, ...)                                                                                   \
  { .type = (name), .exchange = BUS_EXCHANGE_QUERY, .senders = {__VA_ARGS__}, .writes = true, .schema = (body) }
#define BUS_ANSWER(name, body)                                                                                         \
  { .type = (name), .exchange = BUS_EXCHANGE_REPLY, .schema = (body) }

/* Declares the type <name>_type, whose bodies are of the struct S, for BUS_BODY, BUS_EMIT, BUS_REPLY and BUS_NOTIFY of
 * bus/effects.h: with another struct a program does not compile. */
#define BUS_MESSAGE(name, S)                                                                                           \
  extern const struct bus_message_type name##_type;                                                                    \
  typedef S name##_body

/* May messages of the type travel in bundles? Not those that are `single`, nor queries and requests, which have a
 * deadline or a short life, nor notices. */
bool bus_message_bundles(const struct bus_message_type *type);

/* Writes the senders as "edge, operator", cut to the size. */
enum { BUS_SENDERS_TEXT = 256 };
/* Writes the senders as "edge, operator", cut to the size of text. */
void bus_message_senders(const struct bus_message_type *type, char text[BUS_SENDERS_TEXT]);

/* The exchange that a user writes to: "bus.cmd", but "bus.retry.order-svc". The headers CC and BCC name more routing
 * keys, which no topic permission covers; the exchange must therefore have no binding that its user may not reach. */
void bus_exchange_of(enum bus_exchange exchange, struct bus_str user, char name[BUS_KEY_MAX]);

/* The routing key: type up to the last ".v". */
struct bus_str bus_message_key(const struct bus_message_type *type);

/* The envelope of one message. Text lies where the message lies (an arena, a receive buffer). */
struct bus_envelope {
  struct bus_uuid message_id;     /* v7; the dedupe key; never changes, also when published again */
  struct bus_str type;            /* "inventory.reserve.v1" */
  struct bus_uuid correlation_id; /* what the message is about, such as an order; nil where there is none */
  struct bus_uuid causation_id;   /* the message that caused this one; in an answer the request's message_id; or nil */
  struct bus_trace trace;         /* not set where the sender sent none or a malformed one */
  struct bus_str app_id;          /* the publisher */
  struct bus_str user_id;         /* checked by the broker; absent where the publisher did not say */
  struct bus_str reply_to;        /* the asker's queue, or absent */
  struct bus_str sender;          /* bus-sender: who sent it first, as the user who relays it says; see
                                     bus_topology_sender */
  bool copied;                    /* carries CC or BCC: routing keys that the broker's permissions do not check */
  bus_time timestamp;       /* when it was first published; whole seconds, as AMQP has it; in a bundle milliseconds */
  int64_t attempt;          /* bus-attempt: 0 for the first delivery, +1 by each retry tier */
  bus_time deadline;        /* bus-deadline, on a query that writes: not carried out later; else 0 */
  bus_time first_failed_at; /* bus-first-failed, on a retried message; else BUS_NO_TIME */
  struct bus_str history;   /* bus-history, on a retried or parked message (see bus/history.h); else absent */
  bool redelivered;
  bool bundle;          /* the body is a bundle of messages (see bus/bundle.h): message_id is the bundle's own */
  int64_t bundle_count; /* bus-count, on a bundle: messages in it, as its sender says; 0: the sender did not say */
};

/* Moves the envelope's texts into the arena. False when out of memory: some are moved. */
bool bus_envelope_move(struct bus_envelope *envelope, struct bus_arena *arena) BUS_MUST_CHECK;

BUS_C_END
