/* Requests and answers for tests: who asks, who answers, and a virtual host for both. */
#pragma once

#include "amqp_fixture.h"

#include <bus/request.h>

#include <pthread.h>
#include <stdatomic.h>

struct number {
  int64_t value;
};
/* Two commands, the second of which no queue takes; a query; what they are answered with. */
extern const struct bus_message_type ask, lost_ask, query, answer;

/* IN_BUNDLES: the answers to each BUNDLED requests come in one bundle. */
enum behaviour { ANSWER_ONCE, ANSWER_TWICE, ANSWER_GARBAGE, ANSWER_STRANGE_TYPE, ANSWER_IN_BUNDLES };
enum { BUNDLED = 5 };

struct responder {
  struct link *link;
  pthread_t thread;
  atomic_bool stopping;
  atomic_int behaviour;
  atomic_size_t taken, deliveries;   /* requests; AMQP messages, some with several */
  struct bus_envelope held[BUNDLED]; /* answers that wait for their bundle */
  char bodies[BUNDLED][32], reply_to[BUS_KEY_MAX];
  size_t held_count;
};

/* A fresh virtual host with the queue "asked"; the URL. */
const char *make_place(void);
/* Answers with the same number; a second answer is 2. */
struct responder *start_responder(const char *url, enum behaviour behaviour);
void stop_responder(struct responder *responder);

struct bus_requester *new_requester(const char *url, int max_open);
void await_up(struct bus_requester *requester);
struct bus_pending *begin(struct bus_requester *requester, const struct bus_message_type *type, int64_t value);
enum bus_request_state wait_ms(struct bus_pending *pending, int64_t ms, bool confirm_is_enough);
/* The answer's number; -1: no answer that can be read. */
int64_t take(struct bus_pending *pending);
