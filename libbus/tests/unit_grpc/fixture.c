/* Methods of the test's server. */
#include "fixture.h"

#include <stdatomic.h>

#include "../../src/grpc/frame.h"
#include "test.h"

static atomic_int handled;
static atomic_bool saw_gone;

int fixture_handled(void) {
  return atomic_load(&handled);
}

bool fixture_saw_gone(void) {
  return atomic_load(&saw_gone);
}

static void echo(void *context, struct bus_grpc_call *call) {
  static const struct bus_grpc_status ok;
  (void)context;
  atomic_fetch_add(&handled, 1);
  (void)bus_grpc_send(call, bus_grpc_message(call));
  bus_grpc_finish(call, &ok);
}

/* The value of the header x-y, and the peer. */
static void show(void *context, struct bus_grpc_call *call) {
  static const struct bus_grpc_status ok;
  size_t count;
  char text[128] = "";
  const struct bus_grpc_header *headers = bus_grpc_headers(call, &count);
  (void)context;
  for (size_t i = 0; i < count; i++)
    if (bus_str_is(headers[i].name, "x-y"))
      (void)snprintf(text, sizeof text, "%.*s from %s", (int)headers[i].value.len, headers[i].value.data,
                     bus_grpc_peer(call));
  (void)bus_grpc_send(call, bus_str(text));
  bus_grpc_finish(call, &ok);
}

static void fail_it(void *context, struct bus_grpc_call *call) {
  (void)context;
  bus_grpc_finish(call, &(struct bus_grpc_status){BUS_GRPC_NOT_FOUND, BUS_STR("100% gone\n"), BUS_STR("foo")});
  bus_grpc_finish(call, &(struct bus_grpc_status){.code = BUS_GRPC_OK}); /* too late */
}

static void forget(void *context, struct bus_grpc_call *call) {
  (void)context;
  (void)call;
}

/* Until the call is gone. */
static void wait(void *context, struct bus_grpc_call *call) {
  static const struct bus_grpc_status ok;
  (void)context;
  while (bus_grpc_wait(call, -1, 1000) != BUS_GRPC_GONE)
    continue;
  atomic_store(&saw_gone, true);
  bus_grpc_finish(call, &ok);
}

static void slow(void *context, struct bus_grpc_call *call) {
  (void)bus_grpc_wait(call, -1, 700);
  echo(context, call);
}

static void stream(void *context, struct bus_grpc_call *call) {
  static const struct bus_grpc_status ok;
  (void)context;
  for (int i = 0; i < 3; i++) {
    (void)bus_grpc_send(call, bus_str((const char *const[]){"one", "two", "three"}[i]));
    (void)bus_grpc_wait(call, -1, 20);
  }
  bus_grpc_finish(call, &ok);
}

/* As fast as it can: it changes the call while its former messages are on their way. */
static void chatter(void *context, struct bus_grpc_call *call) {
  static const struct bus_grpc_status ok;
  (void)context;
  for (int i = 0; i < FIXTURE_CHATTER; i++)
    (void)bus_grpc_send(call, BUS_STR(""));
  bus_grpc_finish(call, &ok);
}

static enum bus_grpc_code each(void *context, struct bus_str message, struct bus_arena *arena, struct bus_str *ret) {
  (void)context;
  *ret = bus_arena_printf(arena, "<%s>", message.data);
  return bus_str_is(message, "bad") ? BUS_GRPC_OUT_OF_RANGE : BUS_GRPC_OK;
}

static const struct bus_grpc_method methods[] = {
    {.path = "/t.T/Echo", .handler = echo},       {.path = "/t.T/Show", .handler = show},
    {.path = "/t.T/Fail", .handler = fail_it},    {.path = "/t.T/Forget", .handler = forget},
    {.path = "/t.T/Wait", .handler = wait},       {.path = "/t.T/Slow", .handler = slow},
    {.path = "/t.T/Stream", .handler = stream},   {.path = "/t.T/Each", .each = each},
    {.path = "/t.T/Chatter", .handler = chatter},
};

struct bus_grpc_settings fixture_settings(void) {
  return (struct bus_grpc_settings){.bind = "127.0.0.1",
                                    .threads = 8,
                                    .message_max = 1000,
                                    .connections = 16,
                                    .address_connections = 0,
                                    .message_ms = 2000,
                                    .idle_ms = 60000};
}

struct bus_grpc_server *fixture_start(const struct bus_grpc_settings *settings) {
  struct bus_grpc_server *server;
  struct bus_error err;
  if (!bus_grpc_server_start(settings, methods, BUS_COUNT(methods), NULL, &server, &err))
    fail_msg("%s", err.text);
  return server;
}

struct bus_str fixture_framed(const char *message) {
  static char bytes[4096];
  size_t len = strlen(message);
  grpc_prefix_write((uint8_t *)bytes, (uint32_t)len);
  memcpy(bytes + GRPC_PREFIX, message, len);
  return (struct bus_str){bytes, GRPC_PREFIX + len};
}

const struct client_answer *fixture_call(struct client *client, const char *path, const char *message) {
  return client_wait(client, client_send(client, &(struct client_call){.path = path, .body = fixture_framed(message)}),
                     5000);
}
