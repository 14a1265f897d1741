/* Starts and stops civetweb, with an option for everything that must not stay at its default. */
#include "parts.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../tls/tls.h"

enum { HEAD_TIMEOUT_MS = 3000 /* also the longest wait for one byte of a body */ };

/* civetweb says only that it failed; binding once more shows why. */
static int bind_errno(const struct bus_http_settings *settings) {
  char host[64], port[12];
  size_t len = strlen(settings->bind);
  bool bracketed = len >= 2 && settings->bind[0] == '[';
  snprintf(host, sizeof host, "%.*s", (int)(bracketed ? len - 2 : len), settings->bind + (bracketed ? 1 : 0));
  snprintf(port, sizeof port, "%d", settings->port);
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *list;
  if (getaddrinfo(host, port, &hints, &list) != 0)
    return EINVAL;
  int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  errno = 0;
  if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      bind(fd, list->ai_addr, list->ai_addrlen) == 0)
    (void)listen(fd, 1); /* errno is the result */
  int failed = errno;
  if (fd >= 0)
    close(fd);
  freeaddrinfo(list);
  return failed;
}

static bool explain(const struct bus_http_settings *settings, struct bus_error *err) {
  int failed = bind_errno(settings);
  if (failed == 0)
    return bus_fail(err, BUS_E_SYSTEM, "no HTTP server on %s:%d with %d threads", settings->bind, settings->port,
                    settings->threads);
  return bus_fail(err, BUS_E_CONFIG, "cannot listen on %s:%d: %s; set BIND or PORT to another address", settings->bind,
                  settings->port, strerror(failed));
}

static struct mg_context *start_civetweb(struct bus_http_server *server) {
  const struct bus_http_settings *settings = &server->settings;
  int64_t head_ms = settings->body_deadline_ms < HEAD_TIMEOUT_MS ? settings->body_deadline_ms : HEAD_TIMEOUT_MS;
  char listen_on[96], threads[12], read_buffer[12], idle_ms[24], timeout_ms[24];
  snprintf(listen_on, sizeof listen_on, "%s:%d%s", settings->bind, settings->port, settings->tls ? "s" : "");
  snprintf(threads, sizeof threads, "%d", settings->threads);
  snprintf(read_buffer, sizeof read_buffer, "%d", HTTP_READ_BUFFER);
  snprintf(idle_ms, sizeof idle_ms, "%lld", (long long)settings->idle_ms);
  snprintf(timeout_ms, sizeof timeout_ms, "%lld", (long long)head_ms);
  const char *const pairs[][2] = {
      {"listening_ports", listen_on},
      {"num_threads", threads},
      {"tcp_nodelay", "1"},
      {"max_request_size", read_buffer},
      {"connection_queue", "1"},  /* others wait in the kernel, where they can be counted */
      {"listen_backlog", "4096"}, /* the kernel takes net.core.somaxconn where that is less */
      {"enable_keep_alive", "yes"},
      {"keep_alive_timeout_ms", idle_ms},
      {"request_timeout_ms", timeout_ms},
      {"decode_url", "no"},
      {"decode_query_string", "no"},
      {"access_control_allow_origin", ""},
      {"access_control_allow_methods", ""},
      {"access_control_allow_headers", ""},
      {"enable_directory_listing", "no"},
      {"enable_auth_domain_check", "no"},
      {"cgi_pattern", ""},
      {"ssi_pattern", ""},
  };
  const char *options[2 * BUS_COUNT(pairs) + 1] = {NULL};
  memcpy(options, pairs, sizeof pairs);
  const struct mg_callbacks callbacks = http_callbacks(server);
  return mg_start(&callbacks, server, options);
}

static void init_library(void) {
  mg_init_library(MG_FEATURES_DEFAULT);
}

/* Servers are started one after the other. */
static bool prepare_tls(struct bus_error *err) {
  static bool ready;
  if (!ready && !tls_open_names(err))
    return false;
  ready = ready || (mg_init_library(MG_FEATURES_TLS) & MG_FEATURES_TLS) != 0;
  return ready || bus_fail(err, BUS_E_CONFIG, "TLS: civetweb does not find all that it needs in OpenSSL");
}

bool http_engine_start(struct bus_http_server *server, struct bus_error *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  struct mg_server_port port;
  pthread_once(&once, init_library);
  if (server->settings.tls && !prepare_tls(err))
    return false;
  server->engine.civetweb = start_civetweb(server);
  if (server->engine.civetweb == NULL)
    return explain(&server->settings, err);
  server->port = mg_get_server_ports(server->engine.civetweb, 1, &port) == 1 ? port.port : server->settings.port;
  return true;
}

void http_engine_stop(const struct http_engine *engine) {
  mg_stop(engine->civetweb);
}
