/* Asks the URL in its argument once, and prints how that went. */
#include <bus/http_client.h>

#include <poll.h>
#include <stdio.h>

static void show(void *context, const struct bus_http_result *result) {
  (void)context;
  static const char *const names[] = {"answered", "not sent", "unknown"};
  puts(names[result->outcome]);
}

int main(int argc, char **argv) {
  const struct bus_http_client_settings settings = {.connect_timeout_ms = 2000,
                                                    .read_timeout_ms = 2000,
                                                    .total_timeout_ms = 3000,
                                                    .max_connections = 1,
                                                    .max_response = 65536,
                                                    .user_agent = "consumer",
                                                    .allow_plain = true};
  const struct bus_http_call call = {.method = "GET", .url = argc > 1 ? argv[1] : ""};
  struct bus_http_client *client = NULL;
  struct bus_error err = {.code = BUS_OK};
  if (!bus_http_client_new(&settings, &client, &err) || !bus_http_client_start(client, &call, show, NULL, &err))
    return fprintf(stderr, "%s\n", err.text), 1;
  struct bus_poll_source source = bus_http_client_source(client);
  while (bus_http_client_pending(client) > 0) {
    struct pollfd fds[8];
    int timeout = 1000;
    size_t count = source.prepare(source.context, fds, 8, &timeout);
    (void)poll(fds, count, timeout);
    source.dispatch(source.context, fds, count);
  }
  bus_http_client_free(client);
  return 0;
}
