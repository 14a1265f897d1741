/* Clients: they repeat each request until it is answered, and check the answers. */
#include "clients.h"

#include "check.h"
#include "table_inventory.h"
#include "table_orders.h"
#include "worker.h"

#include <inventory_statements.h>
#include <payment_messages.h>

#include <assert.h>
#include <inttypes.h>

static const char *const product_ids[CLIENT_PRODUCTS] = {"SKU-1", "SKU-2", "SKU-3", "SKU-4"};

/* ---- a customer ---- */

struct step {
  struct client_order *client;
  enum request_kind kind;
  int variant;
  bool waits;
};

static void ask(struct world *world, void *subject, uint64_t detail) {
  struct step *step = subject;
  struct edge *edge = &world->edges[random_below(&world->random, EDGES)];
  const struct ask ask_ = {.kind = step->kind,
                           .client = step->client,
                           .variant = step->variant,
                           .body = step->kind == REQUEST_PAY ? step->client->pay_bodies[step->variant]
                                                             : step->client->bodies[step->variant % VARIANTS],
                           .wait_s = step->waits && step->kind != REQUEST_PAY ? 5 : 0};
  static const char *const does[REQUESTS] = {"orders", "cancels", "pays"};
  (void)detail;
  TRACE(world, "client %d %s%s", step->client->number, does[step->kind], step->variant ? ", another body" : "");
  edge_ask(world, edge, &ask_);
}

static void plan_step(struct world *world, int64_t delay, struct client_order *client, enum request_kind kind,
                      int variant) {
  struct step *step = world_alloc(world, sizeof *step);
  *step = (struct step){client, kind, variant, random_chance(&world->random, world->plan.wait_ppm)};
  world_after(world, delay, ask, step, 0);
}

static bool is_success(const struct response *response) {
  return response->status >= 200 && response->status < 300;
}

/* A text for each member that clients give and see. */
static void write_shown(struct world *world, struct client_order *client) {
  struct order_request *request = world_alloc(world, sizeof *request);
  bus_set_absent(&order_request_schema, request);
  for (size_t i = 0; i < order_shown_schema.field_count; i++)
    if (order_shown_schema.fields[i].kind == BUS_KIND_STRING)
      *(struct bus_str *)((char *)request + order_shown_schema.fields[i].offset) =
          bus_arena_printf(world->arena, "client-%d", client->number);
  bool encoded = bus_encode(&order_shown_schema, request, world->arena, &client->shown);
  assert(encoded);
}

static void look_at_shown(struct world *world, const struct client_order *client, const struct order_view *view) {
  struct bus_str shown;
  bool encoded = bus_encode(&order_shown_schema, &view->request, world->arena, &shown);
  assert(encoded);
  if (!bus_str_equal(shown, client->shown))
    world_violate(world, "client %d was shown %.*s where it gave %.*s", client->number, (int)shown.len, shown.data,
                  (int)client->shown.len, client->shown.data);
}

/* The order in the response is the one that was asked for. */
static void look_at(struct world *world, const struct ask *asked, const struct response *response) {
  const struct client_order *client = asked->client;
  const struct order_view *view = response->body;
  if (asked->kind == REQUEST_PLACE && !bus_uuid_is_nil(&response->location) &&
      !bus_uuid_equal(&response->location, &client->order_id))
    world_violate(world, "client %d was answered with another order than its key makes", client->number);
  if (response->schema != &order_view_schema)
    return;
  if (!bus_uuid_equal(&view->order_id, &client->order_id))
    world_violate(world, "client %d was answered with someone else's order", client->number);
  look_at_shown(world, client, view);
  if (asked->kind == REQUEST_PLACE && view->items[0].quantity != client->quantities[asked->variant])
    world_violate(world, "client %d was told %" PRId64 " where it asked for %" PRId64, client->number,
                  view->items[0].quantity, client->quantities[asked->variant]);
}

static void hear_cancelled(struct client_order *client, const struct response *response, const struct letter *letter) {
  if (response->schema == &order_view_schema)
    client->cancel_accepted = true;
  else
    client->taken_cancels[client->taken_count++] = letter;
}

void client_hears(struct world *world, const struct ask *asked, const struct response *response,
                  const struct letter *letter) {
  struct client_order *client = asked->client;
  bool unsure = response->status == 0 || response->status == 503;
  TRACE(world, "client %d hears %d", client->number, response->status);
  if (is_success(response)) {
    look_at(world, asked, response);
    if (asked->kind == REQUEST_CANCEL)
      hear_cancelled(client, response, letter);
    else if (asked->kind == REQUEST_PLACE && (asked->variant == 0 || response->schema == &order_view_schema)) {
      client->accepted = true;
      check_accepted(world, client, letter);
    }
  }
  int64_t *const counts[REQUESTS] = {&client->tries, &client->cancels, &client->pays};
  int64_t *tries = counts[asked->kind];
  bool gone = asked->kind != REQUEST_PLACE && response->status == 404;
  /* Not reserved yet, or the last attempt is open: the customer tries again. */
  gone |= asked->kind == REQUEST_PAY && response->status == 409;
  if ((unsure || gone) && ++*tries < TRIES_MAX)
    plan_step(world, random_between(&world->random, BUS_SECOND, 4 * BUS_SECOND), client, asked->kind, asked->variant);
}

static const char *bad_card(struct world *world) {
  return random_chance(&world->random, PPM / 2) ? "pm_sandbox_error" : "pm_sandbox_hang";
}

static const char *card(struct world *world) {
  static const char *const odd[] = {"pm_card_visa_chargeDeclined",
                                    "pm_card_chargeDeclinedInsufficientFunds",
                                    "pm_sandbox_timeout",
                                    "pm_sandbox_timeout_declined",
                                    "pm_sandbox_error_once",
                                    "pm_sandbox_429_once",
                                    "pm_card_of_nobody"};
  /* The charge, or its refund, is answered in a status that is not final, or not with success. */
  static const char *const slow[] = {"pm_sandbox_processing",
                                     "pm_sandbox_processing_declined",
                                     "pm_sandbox_processing_canceled",
                                     "pm_sandbox_requires_action",
                                     "pm_sandbox_requires_capture_canceled",
                                     "pm_sandbox_requires_payment_method",
                                     "pm_sandbox_canceled",
                                     "pm_sandbox_refund_pending",
                                     "pm_sandbox_refund_fails_later",
                                     "pm_sandbox_refund_canceled_later",
                                     "pm_sandbox_refund_failed",
                                     "pm_sandbox_processing_refund_pending",
                                     "pm_sandbox_processing_refund_fails_later"};
  if (!random_chance(&world->random, world->plan.odd_card_ppm))
    return "pm_card_visa";
  if (random_chance(&world->random, PPM / 5))
    return slow[random_below(&world->random, BUS_COUNT(slow))];
  return odd[random_below(&world->random, BUS_COUNT(odd))];
}

static void write_bodies(struct world *world, struct client_order *client) {
  size_t first = random_below(&world->random, CLIENT_PRODUCTS);
  size_t second = (first + 1 + random_below(&world->random, CLIENT_PRODUCTS - 1)) % CLIENT_PRODUCTS;
  int64_t other = random_between(&world->random, 1, 3);
  bool two = random_chance(&world->random, PPM / 2),
       guesses = world->plan.bad_cards == 0 && random_chance(&world->random, PPM / 20);
  const char *token = client->bad_card ? bad_card(world) : card(world);
  struct bus_str payment =
      client->later ? BUS_STR("\"when\":\"later\"") : bus_arena_printf(world->arena, "\"token\":\"%s\"", token);
  client->quantities[0] =
      random_chance(&world->random, world->plan.dear_ppm) ? 50 : random_between(&world->random, 1, 3);
  client->quantities[1] = client->quantities[0] + 1;
  write_shown(world, client);
  struct bus_str shown = {client->shown.data + 1, client->shown.len - 2}; /* without its braces */
  for (int variant = 0; variant < VARIANTS; variant++) {
    struct bus_str more = two ? bus_arena_printf(world->arena, ",{\"product_id\":\"%s\",\"quantity\":%" PRId64 "}",
                                                 product_ids[second], other)
                              : BUS_STR("");
    client->bodies[variant] =
        bus_arena_printf(world->arena,
                         "{\"idempotency_key\":\"key-%d\",\"customer_id\":\"c-%d\",\"items\":[{\"product_id\":\"%s\","
                         "\"quantity\":%" PRId64 "}%.*s],\"payment\":{%.*s}%s%s%.*s}",
                         client->number, client->number % 3, product_ids[first], client->quantities[variant],
                         (int)more.len, more.data, (int)payment.len, payment.data,
                         guesses ? ",\"expected_total\":1" : "", shown.len > 0 ? "," : "", (int)shown.len, shown.data);
    assert(client->bodies[variant].data);
  }
}

/* Mostly soon after the order; sometimes about its deadline, so that it expires during the payment. */
static int64_t when_paid(struct world *world) {
  if (random_chance(&world->random, PPM / 4))
    return services_order_policy()->pay_later + random_between(&world->random, -30, 60) * BUS_SECOND;
  return random_wait(&world->random, BUS_MINUTE);
}

/* One card after the other, each under its key; some are tried again under the same. */
static void plan_payments(struct world *world, struct client_order *client, int64_t begin) {
  char id[BUS_UUID_TEXT];
  bus_uuid_format(&client->order_id, id);
  client->pay_keys = (int)random_between(&world->random, 1, PAY_KEYS_MAX);
  for (int i = 0; i < client->pay_keys; i++) {
    client->pay_bodies[i] = bus_arena_printf(
        world->arena, "{\"idempotency_key\":\"pay-%d\",\"order_id\":\"%s\",\"payment\":{\"token\":\"%s\"}}", i, id,
        card(world));
    assert(client->pay_bodies[i].data);
    begin += client->later ? when_paid(world) : random_wait(&world->random, world->plan.latency * 12);
    plan_step(world, begin, client, REQUEST_PAY, i);
    if (random_chance(&world->random, world->plan.repeat_ppm))
      plan_step(world, begin + random_wait(&world->random, 20 * BUS_SECOND), client, REQUEST_PAY, i);
  }
}

static void plan_customer(struct world *world, struct client_order *client) {
  const struct plan *plan = &world->plan;
  struct bus_str customer = bus_arena_printf(world->arena, "c-%d", client->number % 3);
  struct bus_str key = bus_arena_printf(world->arena, "key-%d", client->number);
  int64_t begin = random_between(&world->random, 0, plan->faults_for / 2);
  client->bad_card = client->number < plan->bad_cards;
  if (client->bad_card)
    begin = plan->faults_for / 4 + client->number * BUS_SECOND / 4;
  order_id_of(customer, key, &client->order_id);
  client->later = random_chance(&world->random, plan->later_ppm);
  if (client->later)
    begin -= begin % (20 * BUS_SECOND); /* customers place several at once, up to their limit */
  write_bodies(world, client);
  plan_step(world, begin, client, REQUEST_PLACE, 0);
  if (client->later || random_chance(&world->random, PPM / 20)) /* some pay what is paid at once */
    plan_payments(world, client, begin);
  if (random_chance(&world->random, plan->repeat_ppm))
    plan_step(world, begin + random_wait(&world->random, 10 * BUS_SECOND), client, REQUEST_PLACE, 0);
  if (random_chance(&world->random, plan->other_body_ppm))
    plan_step(world, begin + random_wait(&world->random, 5 * BUS_SECOND), client, REQUEST_PLACE, 1);
  if (random_chance(&world->random, plan->cancel_ppm)) {
    plan_step(world, begin + random_wait(&world->random, plan->latency * 12), client, REQUEST_CANCEL, 0);
    if (random_chance(&world->random, plan->repeat_ppm))
      plan_step(world, begin + random_wait(&world->random, 5 * BUS_SECOND), client, REQUEST_CANCEL, 0);
  }
}

/* ---- those who send commands and messages directly ---- */

static struct message *outsider(struct world *world, const struct bus_message_type *type, const char *user,
                                const void *body) {
  struct message *message = world_alloc(world, sizeof *message);
  uint64_t bits = random_next(&world->random), more = random_next(&world->random);
  message->type = type;
  message->envelope = (struct bus_envelope){.type = bus_str(type->type),
                                            .app_id = bus_str(user),
                                            .user_id = bus_str(user),
                                            .reply_to = BUS_NO_STR,
                                            .first_failed_at = BUS_NO_TIME};
  memcpy(message->envelope.message_id.bytes, &bits, 8);
  memcpy(message->envelope.message_id.bytes + 8, &more, 8);
  message->letter = letter_of(world, &message->envelope.message_id);
  message->letter->external = true;
  message->letter->type = type;
  bool encoded = bus_encode(type->schema, body, world->arena, &message->body);
  assert(encoded);
  return message;
}

static void set_stock(struct world *world, void *subject, uint64_t detail) {
  struct inventory_set_stock body = {.product_id = bus_str(product_ids[detail]),
                                     .on_hand = random_between(&world->random, 0, 20)};
  (void)subject;
  uint64_t bits = random_next(&world->random);
  memcpy(body.request_id.bytes, &bits, 8);
  broker_inject(world, QUEUE_INVENTORY, outsider(world, &inventory_set_stock_type, "edge", &body));
}

static void new_price(struct world *world, void *subject, uint64_t detail) {
  const struct inventory_put_product body = {.product_id = bus_str(product_ids[detail]),
                                             .name = BUS_STR("A thing"),
                                             .price = random_between(&world->random, 0, 5000),
                                             .currency = BUS_STR("EUR"),
                                             .on_hand = BUS_NO_INT64};
  (void)subject;
  broker_inject(world, QUEUE_INVENTORY, outsider(world, &inventory_put_product_type, "operator", &body));
}

enum own_step { OWN_STEP_MAKE, OWN_STEP_CONFIRM, OWN_STEP_RELEASE, OWN_STEPS };

/* Requests are put into their queue; a repeat is a message of its own. */
static void ask_for_own(struct world *world, void *subject, uint64_t step) {
  const struct client_own *own = subject;
  const struct own_name name = {own->make.reservation_id};
  static const struct bus_message_type *const types[OWN_STEPS] = {
      [OWN_STEP_MAKE] = &reservation_make_type,
      [OWN_STEP_CONFIRM] = &reservation_confirm_type,
      [OWN_STEP_RELEASE] = &reservation_release_type,
  };
  const void *body = step == OWN_STEP_MAKE ? (const void *)&own->make : &name;
  struct message *message = outsider(world, types[step], "edge", body);
  message->envelope.deadline = world->now + random_between(&world->random, 1, 60) * BUS_SECOND;
  if (random_chance(&world->random, PPM / 2))
    message->envelope.reply_to = BUS_STR("edge.reply.0");
  broker_inject(world, QUEUE_REQUESTS, message);
}

/* Ends are asked for around the time when it expires, and more than one of them. */
static void plan_own(struct world *world, struct client_own *own) {
  uint64_t bits = random_next(&world->random);
  int64_t begin = random_between(&world->random, 0, world->plan.faults_for);
  own->item = (struct stock_item){bus_str(product_ids[random_below(&world->random, CLIENT_PRODUCTS)]),
                                  random_between(&world->random, 1, 5), BUS_NO_INT64};
  own->make =
      (struct own_make){.items = &own->item, .item_count = 1, .expires_in = random_between(&world->random, 1, 60)};
  own->make.reservation_id.bytes[0] = 0x77;
  memcpy(own->make.reservation_id.bytes + 8, &bits, 8);
  world_after(world, begin, ask_for_own, own, OWN_STEP_MAKE);
  if (random_chance(&world->random, PPM / 4))
    world_after(world, begin + random_wait(&world->random, BUS_MINUTE), ask_for_own, own, OWN_STEP_MAKE);
  for (int64_t ends = random_between(&world->random, 0, 3); ends > 0; ends--) {
    int64_t end = begin + random_between(&world->random, 0, 2 * own->make.expires_in) * BUS_SECOND;
    world_after(world, end, ask_for_own, own,
                random_chance(&world->random, PPM / 2) ? OWN_STEP_CONFIRM : OWN_STEP_RELEASE);
  }
}

/* ---- an operator who refunds ---- */

static void send_refund(struct world *world, void *subject, uint64_t detail) {
  struct clients *clients = subject;
  broker_inject(world, QUEUE_PAYMENTS, outsider(world, &payment_refund_part_type, "edge", &clients->refunds[detail]));
}

/* A part of some order, or all that is left; at times more than it cost. The request may be repeated. */
static void refund(struct world *world, void *subject, uint64_t detail) {
  struct clients *clients = world->clients;
  struct payment_refund_part *part = &clients->refunds[clients->refund_count];
  uint64_t bits = random_next(&world->random);
  (void)subject, (void)detail;
  *part = (struct payment_refund_part){
      .order_id = clients->orders[random_below(&world->random, clients->order_count)].order_id,
      .amount = random_chance(&world->random, PPM / 4) ? BUS_NO_INT64 : random_between(&world->random, 1, 4000),
      .restock = random_chance(&world->random, PPM / 3)};
  memcpy(part->refund_id.bytes, &bits, 8);
  send_refund(world, clients, clients->refund_count);
  if (random_chance(&world->random, PPM / 2))
    world_after(world, random_wait(&world->random, 10 * BUS_SECOND), send_refund, clients, clients->refund_count);
  clients->refund_count++;
}

bool clients_asked_refund(const struct world *world, const struct bus_uuid *refund_id) {
  const struct clients *clients = world->clients;
  size_t i = 0;
  while (i < clients->refund_count && !bus_uuid_equal(&clients->refunds[i].refund_id, refund_id))
    i++;
  return i < clients->refund_count;
}

bool clients_is_set_stock(const struct bus_message_type *type) {
  return type == &inventory_set_stock_type;
}

enum stray {
  STRAY_RELEASED,
  STRAY_MISSING,
  STRAY_REJECTED,
  STRAY_RESERVED,
  STRAY_CAPTURED,
  STRAY_REFUNDED,
  STRAY_DECLINED,
  STRAY_FAILED,
  STRAYS,
};

/* An event about an order that nobody knows. */
static struct message *stray(struct world *world, const struct bus_uuid *order_id, int kind) {
  struct stock_item item = {BUS_STR("SKU-1"), 1, 1};
  const struct stock_event event = {*order_id};
  const struct stock_rejected rejected = {*order_id, STOCK_OUT_OF_STOCK, BUS_NO_STR};
  const struct stock_reserved reserved = {*order_id, &item, 1, 1, BUS_STR("EUR")};
  const struct payment_event paid = {
      .order_id = *order_id, .amount = 1, .currency = BUS_NO_STR, .left = BUS_NO_INT64, .attempt = BUS_NO_INT64};
  const struct payment_refusal refused = {*order_id, BUS_STR("nobody"), BUS_NO_INT64};
  const struct {
    const struct bus_message_type *type;
    const void *body;
  } strays[STRAYS] = {
      [STRAY_RELEASED] = {&stock_released_type, &event},     [STRAY_MISSING] = {&stock_missing_type, &rejected},
      [STRAY_REJECTED] = {&stock_rejected_type, &rejected},  [STRAY_RESERVED] = {&stock_reserved_type, &reserved},
      [STRAY_CAPTURED] = {&payment_captured_type, &paid},    [STRAY_REFUNDED] = {&payment_refunded_type, &paid},
      [STRAY_DECLINED] = {&payment_declined_type, &refused}, [STRAY_FAILED] = {&payment_failed_type, &refused},
  };
  return outsider(world, strays[kind].type, strays[kind].type->senders[0], strays[kind].body);
}

/* Once what is wrong with it is mended, order-svc may take it. */
static struct message *harmless(struct world *world, const struct bus_uuid *order_id) {
  const struct order_cancel cancel = {.order_id = *order_id, .customer_id = BUS_NO_STR, .reason = BUS_NO_STR};
  return outsider(world, &order_cancel_type, "edge", &cancel);
}

/* All that have none share their facts. */
static void lose_id(struct world *world, struct message *message) {
  message->envelope.message_id = (struct bus_uuid){{0}};
  message->letter = letter_of(world, &message->envelope.message_id);
  message->letter->external = message->letter->poison = true;
  message->letter->type = message->type;
}

/* Each is to be parked alone, whatever comes beside it. */
static void poison(struct world *world, void *subject, uint64_t kind) {
  static const struct bus_message_type tomorrow = BUS_EVENT("stock.released.v2", &stock_event_schema, "inventory-svc");
  struct bus_uuid order_id = {{0x11}};
  uint64_t bits = random_next(&world->random);
  bool may_be_mended = kind == POISON_CRASH || kind == POISON_KILL;
  (void)subject;
  memcpy(order_id.bytes + 8, &bits, 8);
  struct message *message = may_be_mended
                                ? harmless(world, &order_id)
                                : stray(world, &order_id, kind == POISON_STRAY ? (int)(bits % STRAYS) : STRAY_RELEASED);
  message->letter->poison = true;
  message->letter->order_id = order_id;
  message->letter->crashes = kind == POISON_CRASH;
  message->letter->kills = kind == POISON_KILL;
  if (kind == POISON_CUT)
    message->body.len /= 2;
  if (kind == POISON_SENDER)
    message->envelope.user_id = BUS_STR("payment-svc");
  if (kind == POISON_TYPE)
    message->envelope.type = bus_str(tomorrow.type);
  message->envelope.copied = kind == POISON_COPIED;
  if (kind == POISON_NO_BODY)
    message->body = BUS_NO_STR;
  if (kind == POISON_NO_ID)
    lose_id(world, message);
  broker_inject(world, QUEUE_ORDERS, message);
}

/* ---- the beginning ---- */

static void stock_catalogue(struct world *world) {
  for (size_t i = 0; i < CLIENT_PRODUCTS; i++) {
    int64_t on_hand = random_chance(&world->random, world->plan.stock_ppm) ? random_between(&world->random, 0, 4)
                                                                           : random_between(&world->random, 8, 30);
    if (world->plan.bad_cards > 0)
      on_hand = 1000; /* for all */
    const struct product product = {.id = bus_str(product_ids[i]),
                                    .name = BUS_STR("A thing"),
                                    .currency = BUS_STR("EUR"),
                                    .price = random_between(&world->random, 1, 5000),
                                    .on_hand = on_hand,
                                    .received = on_hand,
                                    .version = 1,
                                    .stock_version = 1};
    bus_memory_add(&world->databases[SERVICE_INVENTORY].tables[PRODUCTS], &product, world->arena);
  }
}

static void plan_some(struct world *world, int64_t count, event_run *run, uint64_t kinds) {
  for (int64_t i = 0; i < count; i++) {
    int64_t delay = random_between(&world->random, 0, world->plan.faults_for);
    world_after(world, delay, run, NULL, random_below(&world->random, kinds));
  }
}

void clients_init(struct world *world) {
  struct clients *clients = world_alloc(world, sizeof *clients);
  world->clients = clients;
  stock_catalogue(world);
  clients->order_count = (size_t)world->plan.orders;
  for (size_t i = 0; i < clients->order_count; i++) {
    clients->orders[i].number = (int)i;
    plan_customer(world, &clients->orders[i]);
  }
  for (int64_t i = 0; i < world->plan.own_reservations; i++)
    plan_own(world, &clients->own[i]);
  plan_some(world, world->plan.set_stocks, set_stock, CLIENT_PRODUCTS);
  plan_some(world, world->plan.new_prices, new_price, CLIENT_PRODUCTS);
  for (int64_t i = 0; i < world->plan.poison; i++) {
    uint64_t kind = random_below(&world->random, POISONS);
    int64_t delay = random_between(&world->random, 0, world->plan.faults_for);
    world_after(world, delay, poison, NULL, world->plan.poison_kind < 0 ? kind : (uint64_t)world->plan.poison_kind);
  }
  plan_some(world, world->plan.refunds, refund, 1);
}

const struct bus_uuid *check_order_id(const struct client_order *client) {
  return &client->order_id;
}
