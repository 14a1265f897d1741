/* The layers over rabbitmq-c, libpq and civetweb without memory. */
#include "torture.h"

#include <bus/http_server.h>
#include <bus/request.h>

#include <unistd.h>

#include "amqp_pair.h"
#include "args.h"
#include "pg.h"
#include "request_table.h"
#include "test.h"

#define ORDER "11223344-5566-5788-99aa-bbccddeeff01"

/* ---- AMQP ---- */

static bool decode_envelope(struct bus_arena *arena, const void *context) {
  amqp_basic_properties_t properties = {
      ._flags = AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_APP_ID_FLAG | AMQP_BASIC_USER_ID_FLAG |
                AMQP_BASIC_REPLY_TO_FLAG,
      .type = amqp_cstring_bytes("inventory.reserve.v1"),
      .message_id = amqp_cstring_bytes(ORDER),
      .app_id = amqp_cstring_bytes("order-svc"),
      .user_id = amqp_cstring_bytes("order-svc"),
      .reply_to = amqp_cstring_bytes("edge.reply.1"),
  };
  struct bus_envelope envelope, before;
  (void)context;
  memset(&envelope, 0xA5, sizeof envelope);
  before = envelope;
  bool done = envelope_decode(&properties, arena, &envelope);
  bus_refusals_over();
  if (!done)
    assert_memory_equal(&envelope, &before, sizeof envelope);
  return done;
}

struct seen {
  int deliveries;
};

static void on_delivery(void *context, const struct bus_delivery *delivery) {
  struct seen *seen = context;
  assert_true(bus_str_is(delivery->body, "{\"a\":1}") && bus_str_is(delivery->envelope.type, "a.b.v1"));
  seen->deliveries++;
}

#define DELIVER "\1\0\1\0\0\0\x1d\0\x3c\0\x3c\5bus-0\0\0\0\0\0\0\0\1\0\7bus.cmd\1k\xce"
#define HEADER "\2\0\1\0\0\0\x15\0\x3c\0\0\0\0\0\0\0\0\0\7\0\x20\6a.b.v1\xce"
#define BODY_FIRST "\3\0\1\0\0\0\3{\"a\xce"
#define BODY_REST "\3\0\1\0\0\0\4\":1}\xce"

static void say(int peer, const char *bytes, size_t size) {
  assert_int_equal(write(peer, bytes, size), size);
}

/* A message in two parts, so that the first lies apart in between. */
static bool pump(struct bus_arena *arena, const void *context) {
  static const struct bus_amqp_events events = {.delivery = on_delivery};
  struct seen seen = {0};
  struct bus_error err = {.code = BUS_OK};
  int peer;
  (void)context;
  bus_refusals_pause(true);
  struct bus_amqp *amqp = amqp_pair_new(arena, &peer);
  bus_refusals_pause(false);
  say(peer, DELIVER HEADER BODY_FIRST, sizeof(DELIVER HEADER BODY_FIRST) - 1);
  bool done = bus_amqp_pump(amqp, &events, &seen, &err);
  if (done)
    say(peer, BODY_REST, sizeof BODY_REST - 1);
  done = done && bus_amqp_pump(amqp, &events, &seen, &err);
  bus_refusals_over();
  assert_int_equal(seen.deliveries, done);
  assert_true(done || err.code == BUS_E_NOMEM || err.code == BUS_E_AMQP_CONNECTION);
  amqp->failure.code = BUS_E_AMQP_CONNECTION; /* there is nobody to say goodbye to */
  bus_amqp_free(amqp);
  close(peer);
  return done;
}

TEST(envelopes_and_deliveries)
{
  torture(decode_envelope, NULL);
  torture_ours(pump, NULL); /* librabbitmq 0.11 loses a page of its pool where the next allocation fails */
}

static bool table(struct bus_arena *arena, const void *context) {
  struct request_table table = {.room = 0};
  size_t added = 0;
  bool done = true;
  (void)arena;
  (void)context;
  for (uint8_t i = 1; i < 200; i++) {
    const struct bus_uuid id = {{i, 1}};
    bool more = request_table_add(&table, &id, &table);
    added += more;
    done = done && more;
  }
  bus_refusals_over();
  size_t found = 0;
  for (uint8_t i = 1; i < 200; i++)
    found += request_table_find(&table, &(struct bus_uuid){{i, 1}}) != NULL;
  assert_int_equal(found, added);
  assert_int_equal(table.count, added);
  request_table_done(&table);
  return done;
}

static bool window(struct bus_arena *arena, const void *context) {
  struct request_window window = {.room = 0};
  const struct window_entry entry = {.bytes = 10};
  (void)arena;
  (void)context;
  request_window_reset(&window);
  uint64_t seq = 1;
  while (seq <= 2000 && request_window_push(&window, seq, &entry))
    seq++;
  bus_refusals_over();
  assert_int_equal(window.next, seq);
  assert_int_equal(window.bytes, 10 * (seq - 1));
  request_window_done(&window);
  return seq > 2000;
}

TEST(requests_under_way)
{
  torture(table, NULL);
  torture(window, NULL);
}

/* ---- Postgres ---- */

static bool build_args(struct bus_arena *arena, const void *context) {
  static const struct bus_statement statement = {"SELECT 1", "uitUITZ"};
  static const struct bus_uuid id = {{1}};
  struct bus_args *args = pg_args_new(arena, &statement);
  (void)context;
  if (args == NULL) {
    bus_refusals_over();
    return false;
  }
  bus_args_uuid(args, &id);
  bus_args_int64(args, 5);
  bus_args_text(args, BUS_STR("text"));
  for (int row = 0; row < 300; row++) {
    bus_args_uuid(args, &id);
    bus_args_int64(args, row);
    bus_args_text(args, row % 2 ? BUS_NO_STR : BUS_STR("a row's text"));
    bus_args_time(args, BUS_SECOND);
  }
  bool done = pg_args_finish(args);
  bus_refusals_over();
  assert_true(done || args->failed);
  assert_false(args->misused);
  return done;
}

static bool check_url(struct bus_arena *arena, const void *context) {
  struct bus_error err = {.code = BUS_OK};
  (void)arena;
  bool done = pg_url_check(context, &err);
  bus_refusals_over();
  assert_true(done || err.code == BUS_E_NOMEM);
  assert_null(strstr(err.text, "secret"));
  return done;
}

static bool begin_to_connect(struct bus_arena *arena, const void *context) {
  static const struct bus_statement statements[] = {{"SELECT $1::bigint", "i"}};
  const struct pg_settings settings = {.url = context, .application_name = "alloc", .registries = {{statements, 1}}};
  struct pg *pg = NULL;
  struct bus_error err = {.code = BUS_OK};
  bool done = pg_new(&settings, &pg, &err);
  if (done) {
    bus_args_int64(pg_add_own(pg_begin_trip(pg, arena), 0), 1);
    done = !pg_send_trip(pg, &err) && err.code == BUS_E_DB_CONNECTION; /* it is not connected yet, or refused */
  }
  bus_refusals_over();
  if (pg)
    pg_free(pg);
  assert_true(done || err.code == BUS_E_NOMEM || err.code == BUS_E_DB_CONNECTION);
  return done;
}

TEST(parameters_and_urls)
{
  torture(build_args, NULL);
  torture(check_url, "postgres://user:secret@127.0.0.1:15432/orders?sslmode=disable");
}

TEST(connecting_to_postgres)
{ torture_ours(begin_to_connect, "postgres://user:secret@127.0.0.1:1/none"); }

/* ---- HTTP ---- */

static void handle(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  bus_http_reply(exchange, 200, "text/plain", BUS_STR("x"));
}

static bool serve(struct bus_arena *arena, const void *context) {
  static const struct bus_http_route routes[] = {{.method = "GET", .path = "/", .handler = handle}};
  const struct bus_http_settings settings = {.bind = "127.0.0.1", .threads = 1, .metrics_name = context};
  struct bus_http_server *server = NULL;
  struct bus_error err = {.code = BUS_OK};
  (void)arena;
  bool done = bus_http_server_start(&settings, routes, 1, NULL, &server, &err);
  bus_refusals_over();
  assert_int_equal(done, server != NULL);
  assert_true(done || err.code != BUS_OK);
  bus_http_server_stop(server);
  return done;
}

TEST(an_http_server_starts_or_says_why)
{ torture_ours(serve, "alloc"); }
