/* The broker's part: depths and consumers of all work queues, and what lies in the dead queues. Tiers and work queues
 * are not read, only counted: a message that is fetched and given back counts as redelivered. */
#include "story_read.h"

#include <bus/history.h>
#include <dead_queue.h>
#include <dead_redrive.h>
#include <orderbus_topology.h>

#include <stdio.h>

const struct bus_uuid story_no_order;

/* The look through one dead queue. */
struct looking {
  struct story_places *places;
  const struct bus_uuid *only;
  const struct bus_queue *queue;
  size_t room;
  bool failed; /* out of memory */
};

/* ---- dead letters ---- */

static bool make_room(struct looking *looking) {
  struct story_places *places = looking->places;
  size_t used = places->dead_count, room = used ? used * 2 : 64;
  if (used < looking->room)
    return true;
  struct story_dead *dead = bus_arena_array(places->arena, room, sizeof *dead);
  struct bus_uuid *orders = bus_arena_array(places->arena, room, sizeof *orders);
  if (!dead || !orders)
    return false;
  if (used > 0) {
    memcpy(dead, places->dead, used * sizeof *dead);
    memcpy(orders, places->dead_orders, used * sizeof *orders);
  }
  places->dead = dead;
  places->dead_orders = orders;
  looking->room = room;
  return true;
}

static struct bus_str kept(struct looking *looking, struct bus_str text) {
  struct bus_str copy = text.data ? bus_arena_copy(looking->places->arena, text) : BUS_STR("");
  looking->failed = looking->failed || !copy.data;
  return copy;
}

static void add_dead(struct looking *looking, const struct bus_envelope *envelope, const struct bus_uuid *order_id) {
  struct story_places *places = looking->places;
  struct bus_failure last;
  struct bus_str sender;
  if (!bus_history_last(envelope->history, &last))
    last = (struct bus_failure){.attempt = envelope->attempt, .error = BUS_STR("-"), .cause = BUS_STR("no history")};
  if (!make_room(looking)) {
    looking->failed = true;
    return;
  }
  places->dead_orders[places->dead_count] = *order_id;
  places->dead[places->dead_count++] =
      (struct story_dead){.queue = bus_str(looking->queue->name),
                          .message_id = envelope->message_id,
                          .causation_id = envelope->causation_id,
                          .type = kept(looking, envelope->type),
                          .error = kept(looking, last.error),
                          .cause = kept(looking, last.cause),
                          .history = kept(looking, envelope->history),
                          .attempt = last.attempt,
                          .bundle = envelope->bundle,
                          .forged = !dead_sender(&orderbus_topology, looking->queue, envelope, &sender, NULL),
                          .at = dead_parked_at(envelope)};
}

/* A bundle that could not be cut holds the order if its text names it. */
static bool names_order(struct bus_str body, const struct bus_uuid *order_id) {
  char text[BUS_UUID_TEXT];
  bus_uuid_format(order_id, text);
  return body.data && memmem(body.data, body.len, text, BUS_UUID_TEXT - 1) != NULL;
}

static enum dead_fate visit_dead(void *context, const struct bus_delivery *delivery) {
  struct looking *looking = context;
  const struct bus_envelope *envelope = &delivery->envelope;
  if (envelope->bundle) {
    if (!looking->only || names_order(delivery->body, looking->only))
      add_dead(looking, envelope, looking->only ? looking->only : &envelope->correlation_id);
  } else if (!looking->only || bus_uuid_equal(&envelope->correlation_id, looking->only))
    add_dead(looking, envelope, &envelope->correlation_id);
  return looking->failed ? DEAD_STOPS : DEAD_STAYS;
}

static bool read_dead(const struct bus_amqp_settings *settings, struct looking *looking, struct bus_error *problem) {
  char name[BUS_KEY_MAX];
  int64_t unseen;
  (void)snprintf(name, sizeof name, "%s.dead", looking->queue->name);
  const struct dead_look look = {
      .settings = settings, .queue = name, .peeks = true, .visit = visit_dead, .context = looking};
  return dead_look(&look, &unseen, problem);
}

/* ---- queues ---- */

static bool read_queue(struct bus_amqp *amqp, const struct bus_queue *queue, struct bus_arena *arena,
                       struct story_queue *ret, struct bus_error *problem) {
  struct bus_queue_depths depths;
  if (!bus_amqp_queue_depths(amqp, &orderbus_topology, queue, &depths, problem))
    return false;
  *ret = (struct story_queue){.name = bus_str(queue->name),
                              .service = bus_str(bus_topology_owner(&orderbus_topology, queue)->user.name),
                              .ready = depths.ready,
                              .consumers = depths.consumers,
                              .retrying = depths.retrying,
                              .dead = depths.dead};
  if (depths.tier)
    ret->tier = bus_arena_printf(arena, "bus.retry.%s.%s", depths.tier->name, queue->name);
  return true;
}

static bool is_work(const struct bus_queue *queue) {
  return queue->kind == BUS_QUEUE_WORK && bus_topology_is_own(&orderbus_topology, queue);
}

static bool read_queues(struct bus_amqp *amqp, struct story_places *places, struct bus_error *problem) {
  const struct bus_queue *queue;
  for (size_t i = 0; (queue = bus_topology_queue_at(&orderbus_topology, i)) != NULL; i++)
    if (is_work(queue) && !read_queue(amqp, queue, places->arena, &places->queues[places->queue_count++], problem))
      return false;
  return true;
}

static bool read_all_dead(const struct bus_amqp_settings *settings, struct looking *looking,
                          struct bus_error *problem) {
  struct story_places *places = looking->places;
  for (size_t i = 0; i < places->queue_count; i++) {
    looking->queue = bus_topology_queue(&orderbus_topology, places->queues[i].name.data);
    if (places->queues[i].dead > 0 && !read_dead(settings, looking, problem))
      return false;
  }
  return true;
}

bool story_broker_read(const struct bus_amqp_settings *settings, const struct bus_uuid *only,
                       struct story_places *places, struct bus_error *err) {
  struct bus_error *problem = &places->problems[STORY_BROKER];
  struct looking looking = {.places = places, .only = only};
  struct bus_amqp *amqp = NULL;
  size_t count = 0;
  while (bus_topology_queue_at(&orderbus_topology, count))
    count++;
  places->queues = bus_arena_array(places->arena, count, sizeof *places->queues);
  if (!places->queues)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for queues");
  *problem = (struct bus_error){.code = BUS_OK};
  if (!settings->url || !settings->url[0])
    (void)bus_fail(problem, BUS_E_CONFIG, "no URL of it is set");
  else if (bus_amqp_open_any(settings, &amqp, problem) && read_queues(amqp, places, problem) && only != STORY_NO_DEAD)
    (void)read_all_dead(settings, &looking, problem); /* the problem says what failed */
  bus_amqp_free(amqp);
  if (problem->code != BUS_OK)
    places->queue_count = places->dead_count = 0; /* no half of it counts */
  return !looking.failed || bus_fail(err, BUS_E_NOMEM, "out of memory for dead letters");
}
