/* The broker in memory: messages go to the queues that the topology binds, retries come back after their tier. */
#include "kit.h"

#include <assert.h>
#include <string.h>

bus_time kit_broker_next(const struct bus_test *test) {
  bus_time next = INT64_MAX;
  for (const struct kit_letter *letter = test->broker.letters; letter; letter = letter->next)
    next = letter->tag == 0 && letter->due < next ? letter->due : next;
  return next;
}

/* ---- into queues ---- */

const struct kit_letter *kit_broker_put(struct bus_test *test, const struct kit_letter *letter) {
  struct kit_letter *put = bus_arena_alloc(test->arena, sizeof *put);
  if (put) {
    *put = *letter;
    put->next = NULL;
    put->tag = 0;
    put->body = bus_arena_copy(test->arena, letter->body);
  }
  if (!put || !put->body.data || !bus_envelope_move(&put->envelope, test->arena)) {
    kit_no_memory(test);
    return NULL;
  }
  *test->broker.end = put;
  test->broker.end = &put->next;
  return put;
}

size_t kit_broker_route(struct bus_test *test, const struct bus_message_type *type, const struct bus_envelope *envelope,
                        struct bus_str body) {
  struct kit_letter letter = {.due = test->now, .envelope = *envelope, .body = body};
  size_t taken = 0;
  for (size_t i = 0; (letter.queue = bus_topology_queue_at(test->program->topology, i)) != NULL; i++) {
    if (letter.queue->kind == BUS_QUEUE_EVENT || !bus_topology_queue_type(letter.queue, bus_str(type->type)))
      continue; /* processes that read event queues come and go */
    const struct kit_letter *put = kit_broker_put(test, &letter);
    test->broker.last_sent = put ? put : test->broker.last_sent;
    taken++;
  }
  return taken;
}

/* ---- out of queues ---- */

/* -1: the worker does not read its queue. */
static int consumer_of(const struct bus_worker *worker, const struct kit_letter *letter) {
  for (size_t i = 0; i < worker->service->queue_count; i++)
    if (strcmp(worker->service->queues[i], letter->queue->name) == 0)
      return worker->reads[i] ? (int)i : -1;
  return -1;
}

static bool is_of(const struct bus_worker *worker, const struct kit_letter *letter) {
  return letter->tag > 0 && consumer_of(worker, letter) >= 0;
}

const struct kit_letter *kit_broker_take(struct bus_worker *worker, int *ret_consumer) {
  const struct bus_test *test = worker->test;
  for (struct kit_letter *letter = test->broker.letters; letter; letter = letter->next) {
    int consumer = letter->tag == 0 && letter->due <= test->now ? consumer_of(worker, letter) : -1;
    if (consumer < 0)
      continue;
    letter->tag = ++worker->last_tag;
    *ret_consumer = consumer;
    return letter;
  }
  return NULL;
}

void kit_broker_ack(struct bus_worker *worker, uint64_t tag) {
  struct kit_broker *broker = &worker->test->broker;
  struct kit_letter **at = &broker->letters;
  while (*at) {
    if (is_of(worker, *at) && (*at)->tag <= tag)
      *at = (*at)->next;
    else
      at = &(*at)->next;
  }
  broker->end = at;
}

void kit_broker_requeue(struct bus_worker *worker) {
  for (struct kit_letter *letter = worker->test->broker.letters; letter; letter = letter->next)
    if (is_of(worker, letter)) {
      letter->tag = 0;
      letter->envelope.redelivered = true;
    }
}

/* ---- from a worker ---- */

static bool keep_text(struct bus_test *test, struct bus_str text, struct bus_str *ret) {
  *ret = text.data ? bus_arena_copy(test->arena, text) : BUS_NO_STR;
  return !text.data || ret->data;
}

/* The envelope as a receiver gets it, which lives as long as the test; NULL: out of memory. */
static struct bus_envelope *envelope_from(struct bus_test *test, const char *user,
                                          const struct bus_publication *publication) {
  struct bus_envelope *envelope = bus_arena_alloc(test->arena, sizeof *envelope);
  if (!envelope)
    return NULL;
  *envelope = *publication->envelope;
  envelope->user_id = envelope->app_id = bus_str(user);
  return bus_envelope_move(envelope, test->arena) ? envelope : NULL;
}

static bool record(struct bus_test *test, const struct bus_envelope *envelope, struct bus_str text, bool returned) {
  const struct bus_message_type *type = bus_topology_type(test->program->topology, envelope->type);
  assert(type); /* the pipeline sends what is in the topology */
  struct bus_test_message *message = kit_list_add(test, &test->broker.published, sizeof *message);
  void *body = bus_arena_alloc(test->arena, type->schema->size);
  struct bus_problems problems = {.count = 0};
  if (!message || !body)
    return false;
  *message = (struct bus_test_message){.type = type, .envelope = envelope, .returned = returned};
  if (!keep_text(test, text, &message->text))
    return false;
  if (bus_decode(type->schema, message->text, BUS_IGNORE_UNKNOWN, test->arena, body, &problems))
    message->body = body;
  else if (!bus_problems_no_memory(&problems))
    kit_fail(test, BUS_E_DECODE, "%s was published with a body that its receivers refuse: %s %s", type->type,
             problems.items[0].path, problems.items[0].text);
  return message->body != NULL;
}

static bool bury(struct bus_test *test, const struct bus_envelope *envelope,
                 const struct bus_publication *publication) {
  struct bus_test_dead *dead = kit_list_add(test, &test->broker.dead, sizeof *dead);
  if (!dead)
    return false;
  dead->envelope = envelope;
  return keep_text(test, publication->key, &dead->queue) && keep_text(test, publication->cause, &dead->cause) &&
         keep_text(test, publication->cause_class, &dead->cause_class);
}

/* The key is "<tier>.<queue>". */
static bool put_off(struct bus_test *test, const struct bus_envelope *envelope,
                    const struct bus_publication *publication) {
  const struct bus_topology *topology = test->program->topology;
  for (size_t i = 0; i < topology->tier_count; i++) {
    struct bus_str rest = publication->key;
    if (!bus_str_cut_start(&rest, topology->tiers[i].name) || !bus_str_cut_start(&rest, "."))
      continue;
    const struct kit_letter letter = {.queue = bus_topology_queue(topology, rest.data),
                                      .due = test->now + topology->tiers[i].ttl_ms * BUS_MILLISECOND,
                                      .envelope = *envelope,
                                      .body = publication->body};
    return kit_broker_put(test, &letter) != NULL;
  }
  return false;
}

/* False: out of memory. */
static bool take(struct bus_test *test, const struct bus_envelope *envelope, const struct bus_publication *publication,
                 size_t *ret_taken) {
  *ret_taken = 1;
  switch (publication->exchange) {
  case BUS_EXCHANGE_RETRY:
    return put_off(test, envelope, publication);
  case BUS_EXCHANGE_DEAD:
    return bury(test, envelope, publication);
  case BUS_EXCHANGE_REPLY:
    return record(test, envelope, publication->body, false);
  default:
    *ret_taken =
        kit_broker_route(test, bus_topology_type(test->program->topology, envelope->type), envelope, publication->body);
    return record(test, envelope, publication->body, *ret_taken == 0 && publication->mandatory);
  }
}

bool kit_broker_publish(struct bus_test *test, const char *user, const struct bus_publication *publication) {
  const struct bus_envelope *envelope = envelope_from(test, user, publication);
  size_t taken = 0;
  if (!envelope || !take(test, envelope, publication, &taken))
    kit_no_memory(test);
  return taken > 0 || !publication->mandatory;
}

/* ---- as a test sees it ---- */

/* Who asks: the query's sender, else the first user that may ask. */
static const char *asker_of(const struct bus_topology *topology, const struct bus_message_type *type) {
  if (type->senders[0])
    return type->senders[0];
  for (size_t i = 0; i < topology->part_count; i++)
    if (topology->parts[i]->user.asks)
      return topology->parts[i]->user.name;
  return "test";
}

struct bus_uuid bus_test_send_text(struct bus_test *test, const struct bus_message_type *type,
                                   const struct bus_uuid *correlation_id, struct bus_str body) {
  const struct bus_topology *topology = test->program->topology;
  const char *sender = asker_of(topology, type);
  struct bus_envelope envelope = {.type = bus_str(type->type),
                                  .correlation_id = *correlation_id,
                                  .user_id = bus_str(sender),
                                  .app_id = bus_str(sender),
                                  .timestamp = test->now,
                                  .first_failed_at = BUS_NO_TIME};
  bus_uuid_v7(&test->ids, test->now, &envelope.message_id);
  if (type->exchange == BUS_EXCHANGE_QUERY)
    envelope.reply_to = bus_arena_printf(test->arena, "%s.reply.test", sender);
  if (type->writes)
    envelope.deadline = test->now + topology->query_ttl_ms * BUS_MILLISECOND;
  if (kit_broker_route(test, type, &envelope, body) == 0)
    kit_fail(test, BUS_E_INVALID, "%s was sent, but no queue of the topology takes it", type->type);
  return envelope.message_id;
}

struct bus_uuid bus_test_send(struct bus_test *test, const struct bus_message_type *type,
                              const struct bus_uuid *correlation_id, const void *body) {
  struct bus_str text;
  if (!bus_encode(type->schema, body, test->arena, &text)) {
    kit_no_memory(test);
    return (struct bus_uuid){{0}};
  }
  return bus_test_send_text(test, type, correlation_id, text);
}

void bus_test_send_again(struct bus_test *test) {
  assert(test->broker.last_sent); /* the test's fault */
  struct kit_letter letter = *test->broker.last_sent;
  letter.due = test->now;
  (void)kit_broker_put(test, &letter);
}

size_t bus_test_published_count(const struct bus_test *test) {
  return test->broker.published.count;
}

const struct bus_test_message *bus_test_published(const struct bus_test *test, size_t index) {
  assert(index < test->broker.published.count); /* the test's fault */
  return (const struct bus_test_message *)test->broker.published.items + index;
}

const void *bus_test_published_body(const struct bus_test *test, const struct bus_message_type *type, size_t index) {
  const struct bus_test_message *messages = test->broker.published.items;
  for (size_t i = 0; i < test->broker.published.count; i++)
    if (messages[i].type == type && index-- == 0)
      return messages[i].body;
  return NULL;
}

size_t bus_test_dead_count(const struct bus_test *test) {
  return test->broker.dead.count;
}

const struct bus_test_dead *bus_test_dead(const struct bus_test *test, size_t index) {
  assert(index < test->broker.dead.count); /* the test's fault */
  return (const struct bus_test_dead *)test->broker.dead.items + index;
}
