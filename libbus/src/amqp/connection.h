/* A connection's insides, shared by the files of this folder: opening, calls, publishing, reading. */
#pragma once

#include "envelope.h"
#include "rabbitmq.h"
#include "watchdog.h"

#include <sys/time.h>

enum {
  CHANNEL = 1,
  CONSUMERS_MAX = 8,
  CONSUMED_MAX = 1 + BUS_SHARDS_MAX, /* of one consumer */
  FRAME_MAX = 131072,
  BODY_MAX = 1 << 20, /* larger incoming bodies are dropped: their deliveries have no body */
  APART_MAX = BODY_MAX + 65536,
  CALL_TIMEOUT_MS = 5000,     /* a round trip to the broker */
  DECLARE_TIMEOUT_MS = 30000, /* a new quorum queue elects its leader first */
  CLOSE_TIMEOUT_MS = 1000,
};

enum reader_step { READ_METHOD, READ_HEADER, READ_BODY };

/* One message that is arriving: method, header, then as many bodies as it takes. */
struct reader {
  enum reader_step step;
  bool returned; /* a basic.return; else a delivery */
  struct bus_delivery delivery;
  char *body;                   /* NULL: dropped */
  uint64_t size, arrived;       /* of the body */
  char exchange[256], key[256]; /* of what was returned */
  size_t exchange_len, key_len;
  struct bus_arena *apart; /* where a delivery lies between two pumps; the owner's arena may be reset in between */
  bool is_apart;
};

/* Those that stand, by the numbers in their tags: one for each queue that it reads. */
struct consumer {
  uint64_t numbers[CONSUMED_MAX];
  size_t count;
};

struct bus_amqp {
  amqp_connection_state_t state;
  char user[BUS_NAME_MAX], source[BUS_NAME_MAX + 1], peer[128];
  struct envelope_sender sender;
  uint64_t next_seq; /* 0: without confirms */
  uint64_t last_consumer;
  struct consumer consumers[CONSUMERS_MAX];
  bool corked;
  struct reader reader;
  struct bus_arena *arena;
  struct watchdog_entry watchdog;
  struct bus_error failure; /* BUS_OK while it stands; else every further call fails with it */
};

/* ---- failure.c: rabbitmq-c's three ways to fail, as one ---- */
/* Each of these marks the connection as gone and returns false. */
bool link_fail_status(struct bus_amqp *amqp, int status, const char *what, struct bus_error *err);
bool link_fail_close(struct bus_amqp *amqp, const amqp_method_t *close, const char *what, struct bus_error *err);
bool link_fail_with(struct bus_amqp *amqp, enum bus_errc code, const char *what, struct bus_error *err);
/* Is that the answer for a queue whose node is away? */
bool link_is_node_away(int code, struct bus_str text);
/* True for a normal reply. */
bool link_check_reply(struct bus_amqp *amqp, amqp_rpc_reply_t reply, const char *what, struct bus_error *err);
/* True while the connection stands; else *err is why it went. */
bool link_stands(const struct bus_amqp *amqp, struct bus_error *err);

/* ---- call.c ---- */
bool link_open_channel(struct bus_amqp *amqp, struct bus_error *err);
void link_set_call_timeout(struct bus_amqp *amqp, int64_t timeout_ms);
struct timeval link_timeval(int64_t ms);

/* ---- publish.c ---- */
/* Lets the kernel send the segments that it holds back for a batch. */
void link_flush(struct bus_amqp *amqp);
