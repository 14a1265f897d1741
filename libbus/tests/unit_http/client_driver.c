/* poll(2) around prepare and dispatch. */
#include "client_driver.h"

#include <bus/clock.h>

#include <poll.h>
#include <stdio.h>

#include "test.h"

enum { FDS_MAX = 128 };

void driven_done(void *context, const struct bus_http_result *result) {
  struct driven *driven = context;
  driven->done++;
  driven->outcome = result->outcome;
  driven->status = result->status;
  driven->retry_after_s = result->retry_after_s;
  driven->duration = result->duration;
  driven->body_len = result->body.len < sizeof driven->body - 1 ? result->body.len : sizeof driven->body - 1;
  if (driven->body_len > 0)
    memcpy(driven->body, result->body.data, driven->body_len);
  driven->body[driven->body_len] = '\0';
  snprintf(driven->error, sizeof driven->error, "%s", result->error ? result->error : "");
}

void drive(struct bus_http_client *client, size_t room, int timeout_ms) {
  struct bus_poll_source source = bus_http_client_source(client);
  struct pollfd fds[FDS_MAX];
  int64_t deadline = bus_monotonic() + timeout_ms * BUS_MILLISECOND;
  assert_true(room <= FDS_MAX);
  while (bus_http_client_pending(client) > 0 && bus_monotonic() < deadline) {
    int wait_ms = -1;
    size_t count = source.prepare(source.context, fds, room, &wait_ms);
    assert_true(count <= room);
    assert_true(wait_ms >= 0 || count > 0);
    if (wait_ms < 0 || wait_ms > timeout_ms)
      wait_ms = timeout_ms;
    assert_true(poll(fds, (nfds_t)count, wait_ms) >= 0);
    source.dispatch(source.context, fds, count);
  }
}

struct bus_http_client *driven_client(struct bus_http_client_settings settings) {
  struct bus_http_client *client = NULL;
  struct bus_error err;
  settings.allow_plain = true;
  if (!bus_http_client_new(&settings, &client, &err))
    fail_msg("%s", err.text);
  return client;
}

struct bus_http_client *driven_client_quick(void) {
  return driven_client((struct bus_http_client_settings){
      .connect_timeout_ms = 500, .read_timeout_ms = 400, .total_timeout_ms = 1500, .max_response = 65536});
}

void driven_start(struct bus_http_client *client, const char *method, const char *url, const char *body,
                  struct driven *driven) {
  static const char *const headers[] = {"Content-Type: application/json", "Idempotency-Key: charge-1", NULL};
  const struct bus_http_call call = {.method = method, .url = url, .body = bus_str(body), .headers = headers};
  struct bus_error err;
  *driven = (struct driven){0};
  if (!bus_http_client_start(client, &call, driven_done, driven, &err))
    fail_msg("%s", err.text);
  assert_int_equal(driven->done, 0);
}

const char *driven_url(int port, const char *path) {
  static char url[256];
  snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
  return url;
}
