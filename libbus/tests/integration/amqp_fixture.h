/* Fixture of the tests against a real RabbitMQ: connections that record their events, queues for each test, and the
 * management API for the rest. Without TEST_AMQP_URL (an administrator's) a program prints that and skips. */
#pragma once

#include <bus/amqp.h>
#include <bus/arena.h>
#include <bus/clock.h>
#include <bus/topology.h>

#include "test.h"

enum { SEEN_MAX = 4096 };

enum seen_kind { SEEN_DELIVERY, SEEN_ACK, SEEN_NACK, SEEN_RETURN, SEEN_BLOCKED, SEEN_UNBLOCKED, SEEN_CANCEL };

struct seen {
  enum seen_kind kind;
  uint64_t seq; /* ACK, NACK: sequence number; DELIVERY: tag */
  bool multiple;
  int consumer;
  struct bus_uuid message_id;
  struct bus_delivery delivery; /* valid until the link is closed */
};

struct link {
  struct bus_amqp *amqp;
  struct bus_arena *arena;
  struct bus_error err;
  struct seen seen[SEEN_MAX];
  size_t count;
};

/* ---- connections ---- */
const char *test_url(void);
/* TEST_AMQP_URL's virtual host, or another, as the administrator. */
struct link *link_open(const char *url);
struct link *link_open_as(const char *url, const char *name, int64_t heartbeat_s);
void link_close(struct link *link);
/* Pumps until so many of the kind were seen; fails the test after `ms`. */
void link_await(struct link *link, enum seen_kind kind, size_t count, int64_t ms);
/* Pumps for so long; false when the connection went. */
bool link_pump_for(struct link *link, int64_t ms);
size_t link_count(const struct link *link, enum seen_kind kind);
/* The nth (from 0) of the kind. */
const struct seen *link_nth(const struct link *link, enum seen_kind kind, size_t nth);
/* Pumps until the connection goes, for at most `ms`; its error's code. */
enum bus_errc link_await_failure(struct link *link, int64_t ms);

/* ---- messages ---- */
struct bus_uuid next_id(void);
/* Publishes {} of type test.thing.v1; fails the test where that fails. Returns the sequence number. */
uint64_t link_publish(struct link *link, enum bus_exchange exchange, const char *key, bool mandatory,
                      struct bus_uuid *ret_id);
void link_consume(struct link *link, const char *queue, int consumer, int prefetch);

/* ---- topology ---- */
/* A name that no other test has. */
const char *fresh_name(const char *stem);
struct bus_declaration exchange_of(enum bus_exchange exchange);
struct bus_declaration queue_of(const char *name);
struct bus_declaration binding_of(enum bus_exchange exchange, const char *key, const char *queue);
void declare(struct link *link, const struct bus_declaration *declaration);
void declare_exchanges(struct link *link);
/* A classic queue that goes away by itself, bound to the exchange by its own name. */
void declare_bound_queue(struct link *link, enum bus_exchange exchange, const char *name);
void declare_quorum_queue(struct link *link, enum bus_exchange exchange, const char *name);
bool apply_topology(struct link *link, const struct bus_topology *topology);

/* ---- management API: TEST_MGMT_URL, http://user:password@host:port; skips without ---- */
/* The HTTP status; answer may be NULL. */
int manage(const char *method, const char *path, const char *body, char *answer, size_t size);
/* An empty virtual host with the administrator in it; the URL to it. Deleted at exit. */
const char *fresh_vhost(char *name, size_t size);
/* The URL of a user in the virtual host, with the password that make_user gave. */
const char *url_of(const char *user, const char *vhost);
void make_user(const char *user);
/* Users and permissions as the topology has them. */
void import_permissions(const struct bus_topology *topology, const char *vhost);

void skip_test(const char *why);
/* Fails the test where the command does. */
void run_shell(const char *command);
/* TEST_RABBITMQCTL: a command that runs rabbitmqctl against the test's broker; skips without. */
void require_rabbitmqctl(void);
/* The memory alarm goes off at a tiny fraction, and goes out again at 0.4. */
void set_watermark(const char *fraction);
