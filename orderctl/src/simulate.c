/* orderctl simulate: orders by the API at a rate, as an open loop. */
#include "simulate_plan.h"

#include "audit.h"
#include "program.h"

#include <bus/clock.h>
#include <bus/http_client.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>

enum { PATIENCE_MS = 30000, CONNECTIONS = 32, SLOTS = 256, FDS = 64, URL_SIZE = 1024, KEY_SIZE = 64, POLL_MS = 50 };
enum { PAY_AFTER_MS = 300, PAY_TRIES = 20 }; /* an order awaits its payment once its stock is reserved */

enum slot_state { SLOT_FREE, SLOT_PLACING, SLOT_DUE, SLOT_FOLLOWING };

/* One order under way. */
struct slot {
  struct simulation *simulation;
  enum slot_state state;
  enum simulate_kind kind;
  struct bus_uuid order_id;
  char key[KEY_SIZE];
  int64_t due;
  int tries;
};

struct simulation {
  const struct program *program;
  struct bus_http_client *client;
  struct bus_arena *arena, *kept; /* of one call; of all */
  struct simulate_mix mix;
  struct simulate_tally tally;
  struct slot slots[SLOTS];
  struct bus_str products[SIMULATE_PRODUCTS];
  size_t product_count;
  char run[BUS_UUID_TEXT], authorization[4096];
  int64_t planned, next;
  struct bus_error err;
};

/* ---- calls ---- */

static bool call(struct simulation *simulation, const char *method, struct bus_str path, struct bus_str body,
                 void (*done)(void *context, const struct bus_http_result *result), void *context) {
  char url[URL_SIZE];
  const char *const all[] = {"Content-Type: application/json", simulation->authorization, NULL};
  const char *const open[] = {"Content-Type: application/json", NULL};
  if (!path.data || (body.data == NULL && strcmp(method, "POST") == 0))
    return bus_fail(&simulation->err, BUS_E_NOMEM, "out of memory for a request");
  (void)snprintf(url, sizeof url, "%s%.*s", simulation->program->edge_url, (int)path.len, path.data);
  const struct bus_http_call what = {
      .method = method, .url = url, .body = body, .headers = simulation->authorization[0] ? all : open};
  return bus_http_client_start(simulation->client, &what, done, context, &simulation->err);
}

static int status_of(const struct bus_http_result *result) {
  return result->outcome == BUS_HTTP_ANSWERED ? result->status : 0;
}

static void on_placed(void *context, const struct bus_http_result *result) {
  struct slot *slot = context;
  struct simulation *simulation = slot->simulation;
  slot->state = SLOT_FREE;
  if (!simulate_tally_answer(&simulation->tally, slot->kind, false, status_of(result)) ||
      !simulate_follows(slot->kind) || !simulate_order_id(result->body, simulation->arena, &slot->order_id))
    return;
  slot->state = SLOT_DUE;
  slot->tries = 0;
  slot->due = bus_monotonic() + (slot->kind == SIMULATE_LATER ? PAY_AFTER_MS * BUS_MILLISECOND : 0);
}

/* A cancel that comes too late, and a payment that comes too early, are answered 409. */
static void on_followed(void *context, const struct bus_http_result *result) {
  struct slot *slot = context;
  int status = status_of(result);
  slot->state = SLOT_FREE;
  if (status == 409 && slot->kind == SIMULATE_LATER && ++slot->tries < PAY_TRIES) {
    slot->state = SLOT_DUE;
    slot->due = bus_monotonic() + PAY_AFTER_MS * BUS_MILLISECOND;
  } else if (status != 409 || slot->kind == SIMULATE_LATER)
    (void)simulate_tally_answer(&slot->simulation->tally, slot->kind, true, status);
}

static bool place(struct simulation *simulation, struct slot *slot, int64_t number) {
  struct bus_str product = simulation->products[(size_t)number % simulation->product_count];
  slot->state = SLOT_PLACING;
  slot->kind = simulate_mix_next(&simulation->mix);
  (void)snprintf(slot->key, sizeof slot->key, "%s-%" PRId64, simulation->run, number);
  return call(simulation, "POST", BUS_STR("/api/orders"),
              simulate_order(slot->kind, product, bus_str(slot->key), simulation->arena), on_placed, slot);
}

static bool follow(struct simulation *simulation, struct slot *slot) {
  slot->state = SLOT_FOLLOWING;
  return call(simulation, "POST", simulate_follow_path(slot->kind, &slot->order_id, simulation->arena),
              simulate_follow_body(slot->kind, &slot->order_id, bus_str(slot->key), simulation->arena), on_followed,
              slot);
}

/* ---- the loop ---- */

static struct slot *free_slot(struct simulation *simulation) {
  for (size_t i = 0; i < SLOTS; i++)
    if (simulation->slots[i].state == SLOT_FREE)
      return &simulation->slots[i];
  return NULL;
}

static bool is_any_busy(const struct simulation *simulation) {
  for (size_t i = 0; i < SLOTS; i++)
    if (simulation->slots[i].state != SLOT_FREE)
      return true;
  return false;
}

/* Starts what is due. */
static bool start_due(struct simulation *simulation, int64_t begin, int64_t now) {
  int64_t gap = BUS_SECOND / simulation->program->rate;
  bus_arena_reset(simulation->arena);
  for (; simulation->next < simulation->planned && begin + simulation->next * gap <= now; simulation->next++) {
    struct slot *slot = free_slot(simulation);
    if (!slot)
      simulation->tally.late++;
    else if (!place(simulation, slot, simulation->next))
      return false;
  }
  for (size_t i = 0; i < SLOTS; i++)
    if (simulation->slots[i].state == SLOT_DUE && simulation->slots[i].due <= now &&
        !follow(simulation, &simulation->slots[i]))
      return false;
  return true;
}

static bool wait_some(struct simulation *simulation) {
  struct bus_poll_source source = bus_http_client_source(simulation->client);
  struct pollfd fds[FDS];
  int timeout = POLL_MS;
  size_t count = source.prepare(source.context, fds, FDS, &timeout);
  int64_t gap_ms = 1000 / simulation->program->rate;
  if (timeout < 0 || timeout > POLL_MS)
    timeout = POLL_MS;
  if (gap_ms < timeout)
    timeout = (int)gap_ms;
  if (poll(fds, (nfds_t)count, timeout > 0 ? timeout : 1) < 0 && errno != EINTR)
    return bus_fail(&simulation->err, BUS_E_SYSTEM, "poll: %s", strerror(errno));
  source.dispatch(source.context, fds, count);
  return true;
}

static bool run(struct simulation *simulation) {
  int64_t begin = bus_monotonic();
  int64_t until = begin + simulation->program->seconds * BUS_SECOND + PATIENCE_MS * BUS_MILLISECOND;
  while (simulation->next < simulation->planned || is_any_busy(simulation)) {
    int64_t now = bus_monotonic();
    if (now > until)
      return bus_fail(&simulation->err, BUS_E_TIMEOUT, "some requests were not answered within %d s",
                      PATIENCE_MS / 1000);
    if (!start_due(simulation, begin, now) || !wait_some(simulation))
      return false;
  }
  return true;
}

/* ---- the catalogue ---- */

static void on_products(void *context, const struct bus_http_result *result) {
  struct simulation *simulation = context;
  if (result->outcome != BUS_HTTP_ANSWERED)
    (void)bus_fail(&simulation->err, BUS_E_SYSTEM, "the edge does not answer: %s", result->error);
  else if (result->status != 200 ||
           !simulate_products(result->body, simulation->kept, simulation->products, &simulation->product_count))
    (void)bus_fail(&simulation->err, BUS_E_SYSTEM, "GET /api/products answered %d, and no page of products",
                   result->status);
  else if (simulation->product_count == 0)
    (void)bus_fail(&simulation->err, BUS_E_INVALID, "no product of the catalogue's first page has stock");
}

static bool read_products(struct simulation *simulation) {
  if (!call(simulation, "GET", BUS_STR("/api/products?limit=50"), BUS_NO_STR, on_products, simulation))
    return false;
  bus_http_client_finish(simulation->client);
  return simulation->err.code == BUS_OK;
}

/* ---- the verb ---- */

static bool open_all(struct simulation *simulation) {
  const struct program *program = simulation->program;
  const struct bus_http_client_settings settings = {.connect_timeout_ms = 3000,
                                                    .read_timeout_ms = PATIENCE_MS,
                                                    .total_timeout_ms = PATIENCE_MS,
                                                    .max_connections = CONNECTIONS,
                                                    .max_response = 1 << 20,
                                                    .user_agent = "orderctl/" ORDERBUS_VERSION,
                                                    .allow_plain = true,
                                                    .quick_exit = true};
  simulation->arena = bus_arena_new(ARENA_LIMIT);
  simulation->kept = bus_arena_new(ARENA_LIMIT);
  if (!simulation->arena || !simulation->kept)
    return bus_fail(&simulation->err, BUS_E_NOMEM, "out of memory for requests");
  if (program->edge_token[0])
    (void)snprintf(simulation->authorization, sizeof simulation->authorization, "Authorization: Bearer %s",
                   program->edge_token);
  return simulate_mix_parse(program->mix ? program->mix : SIMULATE_MIX, &simulation->mix, &simulation->err) &&
         bus_http_client_new(&settings, &simulation->client, &simulation->err) && read_products(simulation);
}

static int report(const struct simulation *simulation, const char *text, bool good) {
  struct bus_str json;
  bool printed;
  if (simulation->program->json)
    printed = simulate_tally_encode(&simulation->tally, simulation->kept, &json) &&
              printf("%.*s\n", (int)json.len, json.data) > 0;
  else
    printed = printf("%s\n", text) > 0;
  if (!printed || fflush(stdout) != 0)
    return trouble("cannot write the standard output");
  if (!good)
    return trouble(simulation->err.text);
  return simulation->tally.refused_count > 0 || simulation->tally.late > 0 ? EXIT_ACT : EXIT_FINE;
}

static int act(struct simulation *simulation) {
  struct audit audit;
  struct bus_error err;
  char text[448];
  if (!audit_open(simulation->program->audit_file, "simulate", "", NULL, &audit, &err))
    return trouble(err.text);
  bus_uuid_format(&audit.run, simulation->run);
  bool begun = audit_mark(&audit, AUDIT_BEGIN, simulation->planned, simulation->program->edge_url, &err);
  bool good = begun && run(simulation);
  simulate_tally_text(&simulation->tally, text, sizeof text);
  bool ended = begun && audit_mark(&audit, AUDIT_END, simulation->tally.sent, text, &err);
  audit_close(&audit);
  return ended ? report(simulation, text, good) : trouble(err.text);
}

static int preview(struct simulation *simulation) {
  struct simulate_mix mix = simulation->mix;
  for (int64_t i = 0; i < simulation->planned; i++)
    (void)simulate_mix_next(&mix);
  (void)printf("%" PRId64 " orders would be placed at %s in %" PRId64 " s:", simulation->planned,
               simulation->program->edge_url, simulation->program->seconds);
  for (int i = 0; i < SIMULATE_KINDS; i++)
    (void)printf("%s %" PRId64 " %s", i > 0 ? "," : "", mix.given[i], simulate_names[i]);
  (void)printf("; of %zu products\n", simulation->product_count);
  return fflush(stdout) == 0 ? EXIT_FINE : EXIT_TROUBLE;
}

int run_simulate(const struct program *program, int count, char **words) {
  static struct simulation simulation; /* large for a stack */
  (void)words;
  if (count != 0)
    return trouble("simulate takes options alone; see --help");
  if (!program->edge_url[0])
    return trouble("EDGE_URL must name the edge, such as http://127.0.0.1:8080");
  simulation = (struct simulation){.program = program,
                                   .tally = simulate_tally_begin(),
                                   .planned = program->rate * program->seconds,
                                   .err.code = BUS_OK};
  for (size_t i = 0; i < SLOTS; i++)
    simulation.slots[i].simulation = &simulation;
  int status = !open_all(&simulation) ? trouble(simulation.err.text)
               : program->dry_run     ? preview(&simulation)
                                      : act(&simulation);
  bus_http_client_free(simulation.client);
  bus_arena_free(simulation.arena);
  bus_arena_free(simulation.kept);
  explicit_bzero(simulation.authorization, sizeof simulation.authorization);
  return status;
}
