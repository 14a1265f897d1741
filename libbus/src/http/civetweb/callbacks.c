/* civetweb's callbacks: each request becomes an exchange, and the server answers requests that civetweb itself
 * refuses. */
#include "parts.h"

#include <bus/clock.h>

#include "../../tls/tls.h"

static struct bus_str path_of(const struct mg_request_info *info) {
  const char *target = info->request_uri ? info->request_uri : "";
  return (struct bus_str){target, strcspn(target, "?")};
}

/* False: there is no memory for it, and 503 was answered. */
static bool exchange_begin(struct mg_connection *connection, struct bus_http_exchange *exchange) {
  const struct mg_request_info *info = mg_get_request_info(connection);
  struct bus_http_server *server = mg_get_user_context_data(connection);
  *exchange = (struct bus_http_exchange){.server = server,
                                         .connection = {.civetweb = connection, .info = info},
                                         .listener = server->settings.metrics_name,
                                         .scratch = http_scratch_take(&server->pool),
                                         .method = info->request_method ? info->request_method : "",
                                         .version = info->http_version ? info->http_version : "1.1",
                                         .path = path_of(info),
                                         .query = bus_str(info->query_string),
                                         .content_length = -1};
  exchange->added_end = &exchange->added;
  http_peer_begin(exchange);
  if (exchange->scratch)
    return true;
  http_reply_bare(exchange, 503);
  http_access_bare(server, 503);
  return false;
}

static void exchange_end(struct bus_http_exchange *exchange, int status, int64_t duration) {
  http_slow_end(exchange);
  http_exchange_end(exchange, status, duration);
}

static int begin_request(struct mg_connection *connection) {
  struct bus_http_exchange exchange;
  int64_t started = bus_monotonic();
  if (!exchange_begin(connection, &exchange))
    return 503;
  int status = http_exchange_run(&exchange);
  exchange_end(&exchange, status, bus_monotonic() - started);
  return status;
}

/* The methods that civetweb lets through to begin_request. */
static bool is_known_method(const char *method) {
  static const char *const known[] = {"GET",   "POST",     "PUT",   "DELETE", "HEAD",   "OPTIONS",   "CONNECT",
                                      "PATCH", "PROPFIND", "MKCOL", "LOCK",   "UNLOCK", "PROPPATCH", "REPORT"};
  for (size_t i = 0; i < BUS_COUNT(known); i++)
    if (strcmp(known[i], method) == 0)
      return true;
  return false;
}

/* Is the method all that was wrong with the request line, where civetweb read that far? */
static bool is_method_refused(const struct bus_http_exchange *exchange) {
  const char *unused;
  static const struct bus_http_header_view host = {{"host", 4}, {"localhost", 9}};
  const struct mg_request_info *info = exchange->connection.info;
  return info->request_method && info->request_uri && info->http_version && !is_known_method(exchange->method) &&
         bus_http_gate(exchange->method, exchange->path, exchange->version, &host, 1, &unused) == 0;
}

/* civetweb refuses an unknown method before any other callback: it gets the 404 or 405 that a known one would. */
static int status_of_method(struct bus_http_exchange *exchange) {
  const struct bus_http_server *server = exchange->server;
  switch (http_match(server->routes, server->route_count, exchange->method, exchange->path, &exchange->match)) {
  case HTTP_NO_PATH:
    return 404;
  case HTTP_NO_METHOD:
    return 405;
  default:
    return 400;
  }
}

static int http_error(struct mg_connection *connection, int status, const char *message) {
  struct bus_http_exchange exchange;
  (void)message;
  if (!exchange_begin(connection, &exchange))
    return 0;
  if (status == 411) /* its word for a Content-Length that is none */
    status = 400;
  if (status == 413)
    status = 431;
  if (status == 400 && is_method_refused(&exchange))
    status = status_of_method(&exchange);
  exchange.version = "1.1";
  (void)http_exchange_refuse(&exchange, status, "malformed request");
  exchange_end(&exchange, exchange.status, 0);
  return 0;
}

static struct bus_http_server *server_of(const struct mg_connection *connection) {
  return mg_get_user_data(mg_get_context(connection));
}

/* The connection of this thread. With TLS it has its seat before civetweb knows: from the handshake on. */
static _Thread_local struct {
  bool is_open;
  struct http_seat *seat;
} mine;

static void open_connection(const struct mg_connection *connection) {
  struct bus_http_server *server = server_of(connection);
  http_places_open(&server->places);
  mine.is_open = true;
  mine.seat = http_places_await(server, http_sockets_of(connection));
}

static void begin_handshake(void *connection, void *session) {
  if (mine.is_open) /* TLS 1.3 has messages behind the handshake that look like another one */
    return;
  open_connection(connection);
  if (mine.seat)
    mine.seat->session = session;
}

static int init_connection(const struct mg_connection *connection, void **ret_data) {
  if (mine.is_open)
    http_places_await_request(server_of(connection), mine.seat);
  else
    open_connection(connection);
  *ret_data = mine.seat;
  return 0;
}

static void connection_close(const struct mg_connection *connection) {
  http_places_forget(&server_of(connection)->places, mine.seat);
  mine.seat = NULL;
}

/* civetweb asks for the context at its start, and at its end what to do with it. */
static int use_context(void **context, void *server) {
  struct bus_tls *tls = ((struct bus_http_server *)server)->settings.tls;
  *context = tls_context(tls);
  tls_on_handshake(tls, begin_handshake);
  return 1;
}

static void *init_thread(const struct mg_context *civetweb, int type) {
  (void)civetweb;
  (void)type;
  return http_stack_lowest();
}

static void connection_closed(const struct mg_connection *connection) {
  if (mine.is_open) /* else its handshake could not begin */
    http_places_closed(&server_of(connection)->places);
  mine.is_open = false;
  http_stack_trim(mg_get_thread_pointer(connection));
}

static int log_message(const struct mg_connection *connection, const char *message) {
  (void)connection;
  (void)message;
  return 1; /* civetweb's own words are about clients that went away */
}

struct mg_callbacks http_callbacks(const struct bus_http_server *server) {
  return (struct mg_callbacks){
      .begin_request = begin_request,
      .http_error = http_error,
      .init_connection = init_connection,
      .init_thread = init_thread,
      .connection_close = connection_close,
      .connection_closed = connection_closed,
      .log_message = log_message,
      .external_ssl_ctx = server->settings.tls ? use_context : NULL,
  };
}
