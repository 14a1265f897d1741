/* Where civetweb calls: each request becomes an exchange, and what civetweb refuses by itself is refused in our words.
 */
#include "internal.h"

#include <bus/clock.h>

#include <civetweb.h>

static struct bus_str path_of(const struct mg_request_info *info) {
  const char *target = info->request_uri ? info->request_uri : "";
  return (struct bus_str){target, strcspn(target, "?")};
}

static struct bus_http_exchange make_exchange(struct mg_connection *connection, struct http_scratch *scratch) {
  const struct mg_request_info *info = mg_get_request_info(connection);
  return (struct bus_http_exchange){.server = mg_get_user_context_data(connection),
                                    .connection = connection,
                                    .info = info,
                                    .scratch = scratch,
                                    .method = info->request_method ? info->request_method : "",
                                    .version = info->http_version ? info->http_version : "1.1",
                                    .path = path_of(info),
                                    .query = bus_str(info->query_string),
                                    .content_length = -1};
}

static int run(struct bus_http_server *server, struct mg_connection *connection) {
  int64_t started = bus_monotonic();
  struct http_scratch *scratch = http_scratch_take(&server->pool);
  if (scratch == NULL) {
    http_reply_bare(connection, 503);
    http_access_bare(server, 503);
    return 503;
  }
  struct bus_http_exchange exchange = make_exchange(connection, scratch);
  exchange.added_end = &exchange.added;
  int status = http_exchange_run(&exchange);
  http_places_release(&exchange);
  http_access_done(&exchange, status, bus_monotonic() - started);
  http_scratch_give(&server->pool, scratch);
  return status;
}

static int begin_request(struct mg_connection *connection) {
  return run(mg_get_user_context_data(connection), connection);
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

/* What civetweb read of the request line, where it got that far. */
static bool is_method_refused(const struct bus_http_exchange *exchange) {
  const char *unused;
  static const struct bus_http_header_view host = {{"host", 4}, {"localhost", 9}};
  return exchange->info->request_method && exchange->info->request_uri && exchange->info->http_version &&
         !is_known_method(exchange->method) &&
         bus_http_gate(exchange->method, exchange->path, exchange->version, &host, 1, &unused) == 0;
}

static int http_error(struct mg_connection *connection, int status, const char *message) {
  (void)message;
  struct bus_http_server *server = mg_get_user_context_data(connection);
  struct http_scratch *scratch = http_scratch_take(&server->pool);
  if (scratch == NULL) {
    http_reply_bare(connection, 503);
    http_access_bare(server, 503);
    return 0;
  }
  struct bus_http_exchange exchange = make_exchange(connection, scratch);
  exchange.added_end = &exchange.added;
  if (status == 411) /* its word for a Content-Length that is none */
    status = 400;
  if (status == 413)
    status = 431;
  if (status == 400 && is_method_refused(&exchange))
    status = 405;
  exchange.version = "1.1";
  http_exchange_refuse(&exchange, status, "malformed request");
  http_access_done(&exchange, exchange.status, 0);
  http_scratch_give(&server->pool, scratch);
  return 0;
}

static struct bus_http_server *server_of(const struct mg_connection *connection) {
  return mg_get_user_data(mg_get_context(connection));
}

static int init_connection(const struct mg_connection *connection, void **ret_data) {
  http_places_open(&server_of(connection)->places);
  *ret_data = NULL; /* places.c's note */
  return 0;
}

static void connection_close(const struct mg_connection *connection) {
  http_places_forget(&server_of(connection)->places, connection);
}

static void *init_thread(const struct mg_context *civetweb, int type) {
  (void)civetweb;
  (void)type;
  return http_stack_lowest();
}

static void connection_closed(const struct mg_connection *connection) {
  http_places_closed(&server_of(connection)->places);
  http_stack_trim(mg_get_thread_pointer(connection));
}

static int log_message(const struct mg_connection *connection, const char *message) {
  (void)connection;
  (void)message;
  return 1; /* civetweb's own words are about clients that went away */
}

const struct mg_callbacks http_callbacks = {
    .begin_request = begin_request,
    .http_error = http_error,
    .init_connection = init_connection,
    .init_thread = init_thread,
    .connection_close = connection_close,
    .connection_closed = connection_closed,
    .log_message = log_message,
};
