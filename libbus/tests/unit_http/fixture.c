/* Handlers that show what reached them. */
#include "fixture.h"

#include <bus/form.h>

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "test.h"

static atomic_int handled;

int fixture_handled(void) {
  return atomic_load(&handled);
}

static void echo(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  atomic_fetch_add(&handled, 1);
  bus_http_reply(exchange, 200, "application/octet-stream", bus_http_body(exchange));
}

static const char *shown(struct bus_str text) {
  return text.data ? text.data : "(absent)";
}

/* "GET a=1 b=(absent) x-y=z" */
static void show(void *context, struct bus_http_exchange *exchange) {
  struct bus_str a, b, header = bus_http_header(exchange, "X-Y"), query = bus_http_query(exchange);
  struct bus_arena *arena = bus_http_arena(exchange);
  (void)context;
  atomic_fetch_add(&handled, 1);
  if (!bus_form_find(query, "a", arena, &a) || !bus_form_find(query, "b", arena, &b)) {
    bus_http_problem(exchange, 400, "malformed query");
    return;
  }
  struct bus_str unknown = bus_form_unknown(query, (const char *const[]){"a", "b", NULL}, arena);
  struct bus_str text = bus_arena_printf(arena, "%s a=%s b=%s x-y=%.*s unknown=%.*s", bus_http_method(exchange),
                                         shown(a), shown(b), (int)header.len, header.data ? header.data : "",
                                         (int)unknown.len, unknown.data ? unknown.data : "");
  bus_http_reply(exchange, 200, "text/plain", text);
}

static void item(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  atomic_fetch_add(&handled, 1);
  assert_null(bus_http_path_segment(exchange, 1).data);
  bus_http_reply(exchange, 200, "text/plain", bus_http_path_segment(exchange, 0));
}

static void trace(void *context, struct bus_http_exchange *exchange) {
  char text[BUS_TRACEPARENT_TEXT];
  (void)context;
  bus_trace_format(bus_http_trace(exchange), text);
  bus_http_reply(exchange, 200, "text/plain", bus_str(text));
}

static void document(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  bus_http_reply_document(exchange, "text/plain", BUS_STR("text"), BUS_STR("v1"));
}

static void headers(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  bus_http_add_header(exchange, "Location", BUS_STR("/item/7"));
  bus_http_add_header(exchange, "X-Split", BUS_STR("a\r\nSet-Cookie: evil"));
  bus_http_add_header(exchange, "X-Absent", BUS_NO_STR);
  bus_http_reply(exchange, 201, "text/plain", BUS_STR("made"));
  bus_http_reply(exchange, 500, "text/plain", BUS_STR("a second answer is ignored"));
}

static void problems(void *context, struct bus_http_exchange *exchange) {
  struct bus_problems list = {0};
  (void)context;
  bus_problem_add(&list, "items[2].quantity", "must be an integer from %d to %d", 1, 1000);
  bus_problem_add(&list, "name", "is \"required\"");
  bus_http_problems(exchange, &list);
}

static void no_memory(void *context, struct bus_http_exchange *exchange) {
  struct bus_problems list = {0};
  (void)context;
  bus_problem_add_no_memory(&list);
  bus_http_problems(exchange, &list);
}

static void silent(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  (void)exchange;
}

static void nothing(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  bus_http_reply(exchange, 204, NULL, BUS_NO_STR);
}

static void tagged(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  if (bus_http_tag(exchange, BUS_STR("7")))
    bus_http_reply(exchange, 304, NULL, BUS_NO_STR);
  else
    bus_http_reply(exchange, 200, "text/plain", BUS_STR("tagged"));
}

static void slow(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  atomic_fetch_add(&handled, 1);
  usleep(400 * 1000);
  bus_http_reply(exchange, 200, "text/plain", BUS_STR("slow"));
}

static void large(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  char *text = bus_arena_alloc(bus_http_arena(exchange), 200000);
  assert_non_null(text);
  memset(text, 'x', 200000);
  bus_http_reply(exchange, 200, "text/plain", (struct bus_str){text, 200000});
}

static void stream(void *context, struct bus_http_exchange *exchange) {
  static char piece[3000];
  (void)context;
  memset(piece, 'p', sizeof piece);
  if (!bus_http_stream_start(exchange, 200, "text/plain") || !bus_http_stream_write(exchange, BUS_STR("first,")) ||
      !bus_http_stream_write(exchange, BUS_STR("")) ||
      !bus_http_stream_write(exchange, (struct bus_str){piece, sizeof piece}))
    return;
  bus_http_stream_write(exchange, BUS_STR(",last"));
}

static void noted(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  bus_http_note(exchange, "first", BUS_STR("1"));
  bus_http_note(exchange, "absent", BUS_NO_STR);
  bus_http_note(exchange, "second", BUS_STR("a\"b\n"));
  bus_http_note(exchange, "third", BUS_STR("3"));
  bus_http_note(exchange, "fourth", BUS_STR("4"));
  bus_http_note(exchange, "fifth", BUS_STR("5"));
  bus_http_reply(exchange, 200, "text/plain", BUS_STR("noted"));
}

static void hang(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  if (bus_http_wait_gone(exchange, 20000))
    atomic_fetch_add(&handled, 1);
  bus_http_reply(exchange, 200, "text/plain", BUS_STR("woken"));
}

/* A client that is let wait, where there is a place. */
static void hold(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  bool held = bus_http_hold(exchange);
  atomic_fetch_add(&handled, 1);
  if (held)
    (void)bus_http_wait_gone(exchange, 20000);
  bus_http_reply(exchange, 200, "text/plain", held ? BUS_STR("held") : BUS_STR("at once"));
}

enum { FLOOD_PIECE = 16384, FLOOD_PIECES = 4096 };

static void flood(void *context, struct bus_http_exchange *exchange) {
  static char piece[FLOOD_PIECE];
  (void)context;
  bool open = bus_http_stream_start(exchange, 200, "text/plain");
  for (int i = 0; open && i < FLOOD_PIECES; i++)
    open = bus_http_stream_write(exchange, (struct bus_str){piece, sizeof piece});
}

/* More than any socket's buffer takes. */
static void huge(void *context, struct bus_http_exchange *exchange) {
  static char text[FLOOD_PIECE * FLOOD_PIECES / 2];
  (void)context;
  bus_http_reply(exchange, 200, "text/plain", (struct bus_str){text, sizeof text});
}

/* ---- a row with an input ---- */
struct decoded {
  struct bus_uuid id;
  int64_t limit;
  struct bus_str idempotency_key, text, hash;
};
static const struct bus_field decoded_path[] = {BUS_FIELD_UUID(struct decoded, id, BUS_REQUIRED, "the thing")};
static const struct bus_field decoded_query[] = {
    BUS_FIELD_INT64(struct decoded, limit, 1, 100, BUS_OPTIONAL, "how many", .fallback = "20")};
static const struct bus_field decoded_body[] = {
    BUS_FIELD_STRING(struct decoded, idempotency_key, BUS_VISIBLE, 1, 8, BUS_OPTIONAL, "key"),
    BUS_FIELD_STRING(struct decoded, text, BUS_TEXT, 1, 8, BUS_REQUIRED, "text"),
};
static const struct bus_http_input decoded_input = {.size = sizeof(struct decoded),
                                                    .path = BUS_TABLE(struct decoded, decoded_path),
                                                    .no_such = "no such thing",
                                                    .query = BUS_TABLE(struct decoded, decoded_query),
                                                    .body = BUS_TABLE(struct decoded, decoded_body),
                                                    .key = &decoded_body[0],
                                                    .hash = offsetof(struct decoded, hash)};

/* "limit=20 key=k text=t hash=64 DATA" */
static void decoded(void *context, struct bus_http_exchange *exchange) {
  const struct decoded *request = bus_http_request(exchange);
  (void)context;
  atomic_fetch_add(&handled, 1);
  bus_http_reply(exchange, 200, "text/plain",
                 bus_arena_printf(bus_http_arena(exchange), "limit=%d key=%s text=%s hash=%zu %s", (int)request->limit,
                                  request->idempotency_key.data, request->text.data, request->hash.len,
                                  (const char *)bus_http_route(exchange)->data));
}

static const struct bus_http_route routes[] = {
    {.method = "POST",
     .path = "/decoded/{id}",
     .input = &decoded_input,
     .handler = decoded,
     .data = "DATA",
     .body_limit = 1024},
    {.method = "POST", .path = "/echo", .handler = echo, .body_limit = 65536},
    {.method = "POST",
     .path = "/form",
     .handler = echo,
     .body_limit = 1024,
     .media_type = "application/x-www-form-urlencoded"},
    {.method = "POST", .path = "/bodiless", .handler = echo},
    {.method = "GET", .path = "/show", .handler = show},
    {.method = "GET", .path = "/probe", .handler = show, .is_probe = true, .any_host = true},
    {.method = "GET", .path = "/noted", .handler = noted},
    {.method = "GET", .path = "/item/{id}", .handler = item},
    {.method = "GET", .path = "/document", .handler = document},
    {.method = "GET", .path = "/trace", .handler = trace},
    {.method = "GET", .path = "/headers", .handler = headers},
    {.method = "GET", .path = "/problems", .handler = problems},
    {.method = "GET", .path = "/no-memory", .handler = no_memory},
    {.method = "GET", .path = "/silent", .handler = silent},
    {.method = "DELETE", .path = "/item/{id}", .handler = nothing},
    {.method = "GET", .path = "/tagged", .handler = tagged},
    {.method = "PUT", .path = "/conditional", .handler = nothing, .conditional = true},
    {.method = "GET", .path = "/slow", .handler = slow},
    {.method = "GET", .path = "/large", .handler = large},
    {.method = "GET", .path = "/stream", .handler = stream},
    {.method = "GET", .path = "/hang", .handler = hang},
    {.method = "GET", .path = "/hold", .handler = hold},
    {.method = "GET", .path = "/flood", .handler = flood},
    {.method = "GET", .path = "/huge", .handler = huge},
};

struct fixture fixture_start(struct bus_http_settings settings) {
  struct fixture fixture = {0};
  struct bus_error err;
  settings.bind = "127.0.0.1";
  settings.port = 0;
  if (settings.threads == 0)
    settings.threads = 8;
  if (!bus_http_server_start(&settings, routes, BUS_COUNT(routes), NULL, &fixture.server, &err))
    fail_msg("%s", err.text);
  fixture.port = bus_http_server_port(fixture.server);
  return fixture;
}

void fixture_stop(struct fixture *fixture) {
  bus_http_server_stop(fixture->server);
}

void assert_refused(int port, const char *request, int status) {
  int before = fixture_handled();
  const struct raw_answer *answer = raw_talk(port, request, 8000);
  if (raw_status(answer) != status || raw_count(answer) != 1 || !answer->closed || fixture_handled() != before)
    fail_msg("wanted one %d and a close for\n%s\nbut got (%s)\n%s", status, request, answer->closed ? "closed" : "open",
             answer->text);
  assert_true(raw_has_line(answer, "Connection: close"));
  assert_true(raw_has_line(answer, "Content-Type: application/problem+json"));
}
