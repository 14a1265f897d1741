/*
 * One AMQP 0-9-1 connection with one channel: the only layer that knows rabbitmq-c. Publish on one connection and
 * consume on another (alarms block publishers only). Not thread-safe: one thread owns a connection.
 *
 * Reading never blocks. Open, login and declarations do, bounded by the timeouts; so does a publish into a full
 * socket: keep what is unconfirmed below 1 MiB, and a watchdog shuts the socket down after 5 s.
 * Every failure but a refused passive declaration means that the connection is gone: free it and open another.
 * If the broker refuses a declaration after bus_amqp_confirm or bus_amqp_consume, the channel is closed, its
 * confirm mode and consumers are lost, and the connection counts as gone.
 */
#pragma once

#include <bus/base.h>
#include <bus/error.h>
#include <bus/message.h>
#include <bus/tls_options.h>
#include <bus/topology.h>

BUS_C_BEGIN

struct bus_amqp;

/* Default heartbeat of a connection. A broker that stays silent for two heartbeats counts as lost. */
enum { BUS_AMQP_HEARTBEAT_S = 5 };

struct bus_amqp_settings {
  /* amqp://user:password@host:port/vhost, amqps://; several hosts: host:port,host:port. amqp+srv://user:password@name:
   * the hosts are asked of DNS for each connection, and tried in order until one accepts the login; at most 8 */
  const char *url;
  const char *url_file;     /* its file, read for each connection; the user stays that of `url`. NULL: `url` stays */
  const char *dns_server;   /* of DNS_SERVER (bus/dns_options.h) */
  size_t host;              /* which of the URL's hosts, from 0; beyond the last: the first again, and so on */
  const char *name;         /* shown in the management UI: "inventory-svc consume" */
  struct bus_tls_files tls; /* amqps; read for each connection */
  int64_t heartbeat_s;      /* 0: BUS_AMQP_HEARTBEAT_S */
  int64_t open_timeout_ms;  /* 0: 3000; TCP connect and handshake each */
  size_t shards;            /* bus_topology_shards: its messages name their shard; 0 or 1: none does */
};

/* Checks the form of a URL. The error never holds the password. */
bool bus_amqp_url_check(const char *url, struct bus_error *err) BUS_MUST_CHECK;
/* Number of hosts in the URL: nodes of one cluster with the same users and virtual hosts. A caller with a lasting
 * connection opens one host, and the next one when it fails (bus_rotation). 1 for a service of DNS. */
size_t bus_amqp_url_hosts(const char *url);
/* The URL's user. */
bool bus_amqp_url_user(const char *url, char name[BUS_NAME_MAX], struct bus_error *err) BUS_MUST_CHECK;

/* The virtual host of a URL, decoded. */
bool bus_amqp_url_vhost(const char *url, char *text, size_t size, struct bus_error *err) BUS_MUST_CHECK;

/* Connects, announces consumer_cancel_notify and connection.blocked, opens the channel. */
bool bus_amqp_open(const struct bus_amqp_settings *settings, struct bus_amqp **ret,
                   struct bus_error *err) BUS_MUST_CHECK;
/* For programs that run once: opens the first host that accepts the login, beginning with settings->host. The error is
 * that of the last host. */
bool bus_amqp_open_any(const struct bus_amqp_settings *settings, struct bus_amqp **ret,
                       struct bus_error *err) BUS_MUST_CHECK;
/* Opens the two connections of a user: one to publish, with confirms on, named "<name> publish", and one named "<name>
 * <role>". Whatever is open after a failure is the caller's to free. */
bool bus_amqp_open_pair(const struct bus_amqp_settings *settings, const char *role, struct bus_amqp **ret_publishing,
                        struct bus_amqp **ret_consuming, struct bus_error *err) BUS_MUST_CHECK;
/* Closes with AMQP's handshake if the connection is still open (at most 1 s). Accepts NULL. */
void bus_amqp_free(struct bus_amqp *amqp);
/* The connection's socket, to poll for reading; it stays the connection's. */
int bus_amqp_fd(const struct bus_amqp *amqp);
/* The user that is logged in. Valid as long as the connection. */
const char *bus_amqp_user(const struct bus_amqp *amqp);
/* "host:port" of the node that it is open to, for logs. */
const char *bus_amqp_peer(const struct bus_amqp *amqp);

/* A property that the broker named at the login: "product", "version" ("3.10.8"), "cluster_name". Absent: no such text.
 * Valid as long as the connection. */
struct bus_str bus_amqp_server(const struct bus_amqp *amqp, const char *property);

/* ---- publishing ---- */
/* Writes queued publications to the socket now; without a flush the next pump writes them. */
void bus_amqp_flush(struct bus_amqp *amqp);
/* Turns publisher confirms on. */
bool bus_amqp_confirm(struct bus_amqp *amqp, struct bus_error *err) BUS_MUST_CHECK;

struct bus_publication {
  enum bus_exchange exchange;
  struct bus_str key;
  bool mandatory;
  bool transient;                      /* also on an exchange whose messages are persistent */
  const struct bus_envelope *envelope; /* app_id and user_id are set by the connection */
  struct bus_str body;
  struct bus_str cause; /* parked and retried messages: why; header bus-cause; absent: none */
  struct bus_str cause_class;
};
/* *ret_seq: the sequence number of the publication's confirm (1, 2, …; 0 without confirms). OK means only that the
 * message is in the socket's buffer: the kernel holds a batch together until the next bus_amqp_pump (at most 200 ms),
 * and until then bus_amqp_has_buffered is true. */
bool bus_amqp_publish(struct bus_amqp *amqp, const struct bus_publication *publication, uint64_t *ret_seq,
                      struct bus_error *err) BUS_MUST_CHECK;

/* ---- consuming ---- */
/* prefetch is per queue; 0 is refused. consumer: index that its deliveries carry, 0 to 7; one may read several queues,
 * each by a call of its own. no_ack: for answers. */
bool bus_amqp_consume(struct bus_amqp *amqp, const char *queue, int consumer, int prefetch, bool no_ack,
                      struct bus_error *err) BUS_MUST_CHECK;
/* Cancels the consumer on all its queues. Prefetched deliveries stay unacked with this connection until they are
 * settled. */
bool bus_amqp_cancel(struct bus_amqp *amqp, int consumer, struct bus_error *err) BUS_MUST_CHECK;
/* Acknowledges a delivery; multiple: and all deliveries before it. False: the connection is lost
 * (BUS_E_AMQP_CONNECTION). */
bool bus_amqp_ack(struct bus_amqp *amqp, uint64_t tag, bool multiple, struct bus_error *err) BUS_MUST_CHECK;
/* Gives all unacked deliveries back to their queues. A connection that is closed gives them back as well, though
 * perhaps after its end is known: who reads the queue next could miss some. Cancel the consumers first. */
bool bus_amqp_give_back(struct bus_amqp *amqp, struct bus_error *err) BUS_MUST_CHECK;

/* Declares this connection's instance of an event queue of the topology, and its bindings. */
bool bus_amqp_event_queue(struct bus_amqp *amqp, const struct bus_queue *queue, const char *instance,
                          struct bus_error *err) BUS_MUST_CHECK;
/* Declares an exclusive, auto-deleted queue, bound to bus.reply by its name. */
bool bus_amqp_reply_queue(struct bus_amqp *amqp, const char *name, struct bus_error *err) BUS_MUST_CHECK;

/* ---- declaring ---- */
/* passive: only checks that the exchange or queue exists (BUS_E_INVALID for bindings, which AMQP cannot check).
 * BUS_E_TOPOLOGY: it does not exist or differs; the connection stays usable, on a new channel. */
bool bus_amqp_declare(struct bus_amqp *amqp, const struct bus_declaration *declaration, bool passive,
                      struct bus_error *err) BUS_MUST_CHECK;
/* Deletes an exchange or a queue with its messages, or a binding. One that does not exist counts as deleted. */
bool bus_amqp_remove(struct bus_amqp *amqp, const struct bus_declaration *declaration,
                     struct bus_error *err) BUS_MUST_CHECK;
/* Ready messages in a queue, without unacked ones, and its consumers. BUS_E_TOPOLOGY: the queue does not exist. */
struct bus_queue_state {
  int64_t ready, consumers;
};
/* Asks for the state of one queue. It fails as bus_amqp_declare does. */
bool bus_amqp_queue_state(struct bus_amqp *amqp, const char *queue, struct bus_queue_state *ret,
                          struct bus_error *err) BUS_MUST_CHECK;
/* The ready messages alone. */
bool bus_amqp_queue_depth(struct bus_amqp *amqp, const char *queue, int64_t *ret, struct bus_error *err) BUS_MUST_CHECK;
/* The same of a queue of the topology and all its shards; of a work queue also the messages in its retry tiers and in
 * its dead queue, else 0. tier: the longest tier that has messages; NULL: none. */
struct bus_queue_depths {
  int64_t ready, consumers, retrying, dead;
  const struct bus_tier *tier;
};
/* Asks for the depths of a queue of the topology. It fails as bus_amqp_queue_state does. */
bool bus_amqp_queue_depths(struct bus_amqp *amqp, const struct bus_topology *topology, const struct bus_queue *queue,
                           struct bus_queue_depths *ret, struct bus_error *err) BUS_MUST_CHECK;
/* Makes a round trip to the broker: checks that the exchange bus.event exists. */
bool bus_amqp_ping(struct bus_amqp *amqp, struct bus_error *err) BUS_MUST_CHECK;

/* ---- reading ---- */
struct bus_delivery {
  uint64_t tag;
  int consumer;
  struct bus_envelope envelope;
  struct bus_str body; /* NUL-terminated; data is NULL where it was larger than 1 MiB and was dropped: park it */
};

/* Called from bus_amqp_pump. Any may be NULL. */
struct bus_amqp_events {
  /* Text of the delivery lies in the arena that bus_amqp_set_arena named. */
  void (*delivery)(void *context, const struct bus_delivery *delivery);
  /* ack false: nack. multiple: all up to seq. */
  void (*confirm)(void *context, uint64_t seq, bool multiple, bool ack);
  /* The broker returned a mandatory message that no queue takes. Its confirm, an ack, follows. */
  void (*returned)(void *context, const struct bus_uuid *message_id, struct bus_str exchange, struct bus_str key);
  void (*blocked)(void *context, bool blocked, struct bus_str reason);
  /* The queue of that consumer was deleted, or its node went away. */
  void (*cancelled)(void *context, int consumer);
};

/* Sets the arena for the text of further deliveries. A worker alternates between two. */
void bus_amqp_set_arena(struct bus_amqp *amqp, struct bus_arena *arena);
/* Reads all frames that have arrived, and sends and answers heartbeats; never blocks. Call it when the socket is
 * readable, when bus_amqp_has_buffered returns true, and at least every third of a heartbeat. */
bool bus_amqp_pump(struct bus_amqp *amqp, const struct bus_amqp_events *events, void *context,
                   struct bus_error *err) BUS_MUST_CHECK;
/* True if the library holds frames in its buffers, which poll(2) does not see. */
bool bus_amqp_has_buffered(const struct bus_amqp *amqp);

BUS_C_END
