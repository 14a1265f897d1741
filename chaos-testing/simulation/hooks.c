/* Attempts of webhooks: a sender in place of notify-svc's own, whose network, servers and owners are the simulation's.
 */
#include "hooks.h"

#include "table_webhooks.h"
#include "worker.h"

#include "../../notify-svc/src/notify_sender.h"

#include <stdlib.h>

enum { CONCURRENCY = 8, OK = 204, FAILED = 500, GONE = 410 };
#define ENABLE_EVERY (20 * BUS_SECOND)
#define ENABLE_FOR (10 * BUS_MINUTE) /* behind the last fault */

const struct notify_settings hook_settings = {.schedule = "1,2,4,8,15",
                                              .ports = "443",
                                              .concurrency = CONCURRENCY,
                                              .endpoint_concurrency = 2,
                                              .timeout_ms = 3000,
                                              .lease_margin_ms = 2000,
                                              .connect_timeout_ms = 1000,
                                              .retry_after_max_s = 60,
                                              .disable_after_s = 30,
                                              .rotation_keep_s = 60,
                                              .keep_d = 30};

/* An attempt on its way. */
struct attempt_state {
  struct notify_sender *sender; /* of a process that may be gone: see is_void */
  struct worker *worker;
  uint64_t life;
  struct hook *hook;
  struct bus_uuid webhook_id; /* the header */
  struct bus_uuid delivery_id;
  int64_t number;
  struct bus_str payload;
  bool failing, over;
  int status;
};

struct notify_sender {
  struct worker *worker;
  struct attempt_state *slots[CONCURRENCY];
  int64_t under_way, failing;
};

static struct hook *hook_of(const struct world *world, const struct bus_uuid *id) {
  struct hook *hook = world->hooks->hooks;
  while (!bus_uuid_equal(&hook->id, id))
    hook++;
  return hook;
}

/* ---- the server ---- */

/* A confirmation that is sent again under another message id is posted again, and its time is that of the order's last
 * change, which a refund may have moved. */
static struct bus_str data_of(struct bus_str payload) {
  static const char mark[] = "\"data\":";
  const char *at = memmem(payload.data, payload.len, mark, sizeof mark - 1);
  return at ? (struct bus_str){at, payload.len - (size_t)(at - payload.data)} : payload;
}

static struct hook_got *note(struct world *world, struct hook *hook, const struct attempt_state *state) {
  struct hook_got *got = hook->got;
  struct bus_str data = data_of(state->payload);
  while (got && !bus_uuid_equal(&got->id, &state->webhook_id))
    got = got->next;
  if (got && !bus_str_equal(got->data, data))
    world_violate(world, "a webhook comes again under its id with other data");
  if (got)
    return got;
  if (!bus_memory_find(&world->databases[SERVICE_NOTIFY].tables[DELIVERIES], &state->webhook_id))
    world_violate(world, "a webhook comes under an id that no delivery has");
  got = world_alloc(world, sizeof *got);
  *got = (struct hook_got){.id = state->webhook_id, .data = data, .next = hook->got};
  return hook->got = got;
}

static int draw_status(struct world *world) {
  if (world->quiet)
    return OK;
  if (random_chance(&world->random, world->plan.hook_fail_ppm))
    return FAILED;
  return random_chance(&world->random, world->plan.hook_gone_ppm) ? GONE : OK;
}

/* ---- an attempt ---- */

static bool is_void(const struct attempt_state *state) {
  return state->over || state->life != state->worker->peer.life || !state->worker->peer.up;
}

static void leave(struct attempt_state *state) {
  struct notify_sender *sender = state->sender;
  size_t slot = 0;
  while (sender->slots[slot] != state)
    slot++;
  sender->slots[slot] = NULL;
  sender->under_way--;
  sender->failing -= state->failing;
  state->over = true;
}

static void conclude(struct world *world, struct attempt_state *state, int64_t status) {
  const struct notify_result result = {.delivery_id = state->delivery_id,
                                       .endpoint_id = state->hook->id,
                                       .number = state->number,
                                       .kind = status == BUS_NO_INT64 ? NOTIFY_NO_ANSWER : NOTIFY_ANSWERED,
                                       .status = status,
                                       .retry_after_s = -1};
  struct worker *worker = state->worker;
  leave(state);
  TRACE(world, "%s: attempt %" PRId64 " of a webhook: %" PRId64, worker->peer.name, state->number, status);
  /* Without room the result is lost, and the delivery comes due when its lease ends. */
  (void)bus_pipeline_push(worker->pipeline, BUS_INPUT_COMPLETION, &result, sizeof result);
  worker_wake(world, worker);
}

static void time_out(struct world *world, void *subject, uint64_t detail) {
  struct attempt_state *state = subject;
  if (!is_void(state) && !peer_waits(world, &state->worker->peer, time_out, subject, detail))
    conclude(world, state, BUS_NO_INT64);
}

static void answer(struct world *world, void *subject, uint64_t detail) {
  struct attempt_state *state = subject;
  if (!is_void(state) && !peer_waits(world, &state->worker->peer, answer, subject, detail))
    conclude(world, state, state->status);
}

static void arrive(struct world *world, void *subject, uint64_t detail) {
  struct attempt_state *state = subject;
  struct hook_got *got = note(world, state->hook, state);
  (void)detail;
  state->status = draw_status(world);
  got->accepted |= state->status == OK;
  if (world->quiet || !random_chance(&world->random, world->plan.hook_silent_ppm))
    world_after(world, random_wait(&world->random, world->plan.latency), answer, state, 0);
}

static void check_target(struct world *world, const struct worker *worker, const struct hook *hook) {
  if (hook->deleted_at != 0 && hook->deleted_at < worker->committed_at)
    world_violate(world, "an endpoint is called that was deleted before");
}

void notify_sender_take(struct notify_sender *sender, const struct notify_call *call) {
  struct worker *worker = sender->worker;
  struct world *world = worker->context.handle.world;
  struct attempt_state *state = world_alloc(world, sizeof *state);
  size_t slot = 0;
  while (slot < CONCURRENCY && sender->slots[slot])
    slot++;
  if (slot == CONCURRENCY)
    world_violate(world, "%s begins more attempts than it has room for", worker->peer.name);
  *state = (struct attempt_state){.sender = sender,
                                  .worker = worker,
                                  .life = worker->peer.life,
                                  .hook = hook_of(world, &call->endpoint_id),
                                  .webhook_id = call->delivery_id,
                                  .delivery_id = call->delivery_id,
                                  .number = call->number,
                                  .payload = world_text(world, call->payload),
                                  .failing = call->failing};
  if (has_bug(world, BUG_HOOK_NEW_ID))
    state->webhook_id.bytes[0] ^= (uint8_t)(call->number - 1);
  check_target(world, worker, state->hook);
  sender->slots[slot] = state;
  sender->under_way++;
  sender->failing += state->failing;
  world->tally->webhooks++;
  world_after(world, hook_settings.timeout_ms * BUS_MILLISECOND, time_out, state, 0);
  world_after(world, random_wait(&world->random, world->plan.latency), arrive, state, 0);
}

int64_t notify_sender_room(const struct notify_sender *sender, bool failing) {
  int64_t room = CONCURRENCY - sender->under_way, half = CONCURRENCY / 2 - sender->failing;
  return failing && half < room ? half : room;
}

int64_t notify_sender_under_way(const struct notify_sender *sender, const struct bus_uuid *endpoint_id) {
  int64_t count = 0;
  for (size_t i = 0; i < CONCURRENCY; i++)
    count += sender->slots[i] && bus_uuid_equal(&sender->slots[i]->hook->id, endpoint_id);
  return count;
}

/* No seed has an address. */
int64_t notify_sender_mail_room(const struct notify_sender *sender) {
  (void)sender;
  return 0;
}

bool notify_sender_add_sources(struct notify_sender *sender) {
  (void)sender; /* it has no sockets */
  return true;
}

bool notify_sender_new(const struct notify_settings *settings, const struct notify_keys *keys,
                       struct bus_worker *handle, struct notify_sender **ret, struct bus_error *err) {
  struct notify_sender *sender = world_alloc(handle->world, sizeof *sender);
  (void)settings, (void)keys, (void)err; /* its slots are CONCURRENCY, and it cannot fail */
  *sender = (struct notify_sender){.worker = handle->worker};
  *ret = sender;
  return true;
}

void notify_sender_free(struct notify_sender *sender) {
  (void)sender; /* the seed's arena has it */
}

/* ---- the owner: a request of notify-svc's other worker, as one transaction ---- */

static struct bus_memory_row *row_of(const struct world *world, const struct hook *hook) {
  return bus_memory_find(&world->databases[SERVICE_NOTIFY].tables[ENDPOINTS], &hook->id);
}

static void delete_one(struct world *world, void *subject, uint64_t detail) {
  struct hook *hook = subject;
  struct bus_memory_row *row = row_of(world, hook);
  if (hook->deleted_at != 0)
    return;
  if (row->locker || !world->databases[SERVICE_NOTIFY].up) {
    world_after(world, random_wait(&world->random, BUS_SECOND), delete_one, subject, detail);
    return;
  }
  endpoint_evolve_deleted(row->record, world->now);
  hook->deleted_at = world->now;
  TRACE(world, "the endpoint of %s is deleted", hook->customer_id.data);
}

static void enable_all(struct world *world, void *subject, uint64_t detail) {
  for (size_t i = 0; i < world->hooks->count; i++) {
    struct bus_memory_row *row = row_of(world, &world->hooks->hooks[i]);
    struct endpoint *endpoint = row->record;
    if (endpoint->status != WEBHOOK_DISABLED || row->locker)
      continue;
    endpoint_evolve_enabled(endpoint);
    TRACE(world, "the endpoint of %s is enabled again", endpoint->customer_id.data);
    driver_plan_all(world, &world->databases[SERVICE_NOTIFY]);
  }
  if (world->now < world->begin + world->plan.faults_for + ENABLE_FOR)
    world_after(world, ENABLE_EVERY, enable_all, subject, detail);
}

void hooks_init(struct world *world) {
  struct hooks *hooks = world->hooks = world_alloc(world, sizeof *hooks);
  static char sealed[WEBHOOK_SEALED_SECRET];
  memset(sealed, 'A', sizeof sealed);
  for (; hooks->count < (size_t)world->plan.endpoints; hooks->count++) {
    struct hook *hook = &hooks->hooks[hooks->count];
    *hook = (struct hook){.id = {{(uint8_t)(hooks->count + 1)}},
                          .customer_id = bus_arena_printf(world->arena, "c-%zu", hooks->count),
                          .events = random_between(&world->random, 1, (1 << WEBHOOK_WEBHOOK_DISABLED) - 1)};
    const struct endpoint endpoint = {.endpoint_id = hook->id,
                                      .customer_id = hook->customer_id,
                                      .url = BUS_STR("https://hook.example/"),
                                      .events = hook->events,
                                      .secret = {sealed, sizeof sealed},
                                      .old_secret_until = BUS_NO_TIME,
                                      .status = WEBHOOK_ENABLED,
                                      .cause = -1,
                                      .disabled_at = BUS_NO_TIME,
                                      .failing_since = BUS_NO_TIME,
                                      .created_at = world->now};
    if (!bus_memory_add(&world->databases[SERVICE_NOTIFY].tables[ENDPOINTS], &endpoint, world->arena))
      abort();
  }
  for (int64_t i = 0; i < world->plan.hook_deletes && hooks->count > 0; i++) {
    struct hook *hook = &hooks->hooks[random_below(&world->random, hooks->count)];
    world_after(world, random_between(&world->random, 0, world->plan.faults_for - 1), delete_one, hook, 0);
  }
  if (hooks->count > 0)
    world_after(world, ENABLE_EVERY, enable_all, NULL, 0);
}
