/* libcurl's multi interface as a source of a worker's poll set: curl names its sockets and deadline, the worker polls,
 * and dispatch reports the events to curl. */
#include "client_internal.h"

#include <bus/clock.h>
#include <bus/failpoint.h>

#include <poll.h>
#include <pthread.h>

#include "../core/heap.h"

enum { NO_ROOM_POLL_MS = 10, WATCHED_FIRST = 8, FINISH_FDS = 16 };

struct bus_http_client {
  struct bus_http_client_settings settings;
  CURLM *multi;
  struct pollfd *watched;
  size_t watched_count, watched_room; /* room: in bytes */
  int64_t curl_deadline;              /* monotonic; -1: none */
  struct http_call *calls;
  size_t pending;
  struct bus_uuid_source ids; /* with a tracer: of spans */
};

/* ---- what curl waits for ---- */
static struct pollfd *find_watched(struct bus_http_client *client, int fd) {
  for (size_t i = 0; i < client->watched_count; i++)
    if (client->watched[i].fd == fd)
      return &client->watched[i];
  return NULL;
}

static struct pollfd *add_watched(struct bus_http_client *client, int fd) {
  size_t needed = (client->watched_count + 1) * sizeof(struct pollfd);
  struct pollfd *watched = heap_grow(client->watched, needed, WATCHED_FIRST * sizeof *watched, &client->watched_room);
  if (watched == NULL)
    return NULL;
  client->watched = watched;
  struct pollfd *entry = &watched[client->watched_count++];
  *entry = (struct pollfd){.fd = fd};
  return entry;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context) {
  struct bus_http_client *client = context;
  (void)easy;
  (void)socket_context;
  if (what == CURL_POLL_IN) /* the request has gone out */
    BUS_CUT_POINT("http-client.sent", fd);
  struct pollfd *entry = find_watched(client, fd);
  if (what == CURL_POLL_REMOVE) {
    if (entry)
      *entry = client->watched[--client->watched_count];
    return 0;
  }
  if (entry == NULL && (entry = add_watched(client, fd)) == NULL)
    return -1;
  entry->events = (short)(((what & CURL_POLL_IN) ? POLLIN : 0) | ((what & CURL_POLL_OUT) ? POLLOUT : 0));
  return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context) {
  struct bus_http_client *client = context;
  (void)multi;
  client->curl_deadline = timeout_ms < 0 ? -1 : bus_monotonic() + timeout_ms * BUS_MILLISECOND;
  return 0;
}

/* ---- calls ---- */
static void add_call(struct bus_http_client *client, struct http_call *call) {
  call->next = client->calls;
  call->link = &client->calls;
  if (call->next)
    call->next->link = &call->next;
  client->calls = call;
  client->pending++;
}

/* Removes the call from curl first: curl may still use it until then, and only afterwards it can be freed. */
static void remove_call(struct bus_http_client *client, struct http_call *call) {
  curl_multi_remove_handle(client->multi, call->easy);
  *call->link = call->next;
  if (call->next)
    call->next->link = call->link;
  client->pending--;
}

static void finish(struct bus_http_client *client, struct http_call *call, CURLcode code) {
  struct bus_http_result result = http_call_result(call, code);
  remove_call(client, call);
  http_call_end_span(call, client->settings.tracer, &result);
  call->done(call->context, &result);
  http_call_free(call);
}

static void finish_done(struct bus_http_client *client) {
  struct CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
    CURLcode code = message->data.result; /* the message dies with remove_call */
    struct http_call *call = NULL;
    if (message->msg == CURLMSG_DONE && curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK)
      finish(client, call, code);
  }
}

/* The read timeout runs from the last byte, once the request is on its way; until then connect and total do. */
static int64_t read_deadline(const struct bus_http_client *client, const struct http_call *call) {
  curl_off_t begun = 0;
  if (curl_easy_getinfo(call->easy, CURLINFO_PRETRANSFER_TIME_T, &begun) != CURLE_OK || begun == 0)
    return INT64_MAX;
  int64_t since = call->started + begun;
  if (since < call->last_byte)
    since = call->last_byte;
  return since + client->settings.read_timeout_ms * BUS_MILLISECOND;
}

static void finish_silent(struct bus_http_client *client) {
  int64_t now = bus_monotonic();
  for (struct http_call *call = client->calls, *next; call; call = next) {
    next = call->next;
    if (now < read_deadline(client, call))
      continue;
    static const char text[] = "no byte came within the read timeout";
    memcpy(call->error, text, sizeof text);
    finish(client, call, CURLE_OPERATION_TIMEDOUT);
    next = client->calls; /* the callback may have changed the list: from its start again */
  }
}

/* ---- the poll source ---- */
static void lower_timeout(int *timeout_ms, int64_t deadline) {
  int64_t left_ms = (deadline - bus_monotonic() + BUS_MILLISECOND - 1) / BUS_MILLISECOND;
  int wanted = left_ms < 0 ? 0 : left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
  if (*timeout_ms < 0 || wanted < *timeout_ms)
    *timeout_ms = wanted;
}

static size_t prepare(void *context, struct pollfd *fds, size_t room, int *timeout_ms) {
  struct bus_http_client *client = context;
  size_t count = client->watched_count < room ? client->watched_count : room;
  for (size_t i = 0; i < count; i++)
    fds[i] = client->watched[i];
  if (count < client->watched_count)
    lower_timeout(timeout_ms, bus_monotonic() + NO_ROOM_POLL_MS * BUS_MILLISECOND);
  if (client->curl_deadline >= 0)
    lower_timeout(timeout_ms, client->curl_deadline);
  for (const struct http_call *call = client->calls; call; call = call->next) {
    int64_t deadline = read_deadline(client, call);
    if (deadline != INT64_MAX)
      lower_timeout(timeout_ms, deadline);
  }
  return count;
}

static int action_of(short revents) {
  return ((revents & POLLIN) ? CURL_CSELECT_IN : 0) | ((revents & POLLOUT) ? CURL_CSELECT_OUT : 0) |
         ((revents & (POLLERR | POLLHUP | POLLNVAL)) ? CURL_CSELECT_ERR : 0);
}

static void drive_all(struct bus_http_client *client) {
  int running;
  for (size_t i = client->watched_count; i > 0; i--) /* backwards: a removed one is replaced by the last */
    if (i <= client->watched_count)
      curl_multi_socket_action(client->multi, client->watched[i - 1].fd, 0, &running);
}

static void dispatch(void *context, const struct pollfd *fds, size_t count) {
  struct bus_http_client *client = context;
  int running;
  if (count < client->watched_count)
    drive_all(client);
  for (size_t i = 0; i < count; i++)
    if (fds[i].revents != 0)
      curl_multi_socket_action(client->multi, fds[i].fd, action_of(fds[i].revents), &running);
  if (client->curl_deadline >= 0 && client->curl_deadline <= bus_monotonic()) {
    client->curl_deadline = -1;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  finish_done(client);
  finish_silent(client);
}

struct bus_poll_source bus_http_client_source(struct bus_http_client *client) {
  return (struct bus_poll_source){.context = client, .prepare = prepare, .dispatch = dispatch};
}

/* ---- the client ---- */
static void init_library(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void set_defaults(struct bus_http_client_settings *settings) {
  settings->connect_timeout_ms = settings->connect_timeout_ms > 0 ? settings->connect_timeout_ms : 2000;
  settings->read_timeout_ms = settings->read_timeout_ms > 0 ? settings->read_timeout_ms : 5000;
  settings->total_timeout_ms = settings->total_timeout_ms > 0 ? settings->total_timeout_ms : 7000;
  settings->max_connections = settings->max_connections > 0 ? settings->max_connections : 32;
  settings->max_response = settings->max_response > 0 ? settings->max_response : 65536;
}

static bool multi_init(struct bus_http_client *client) {
  CURLM *multi = client->multi = curl_multi_init();
  long connections = client->settings.max_connections;
  return multi != NULL && curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections) == CURLM_OK;
}

static void seed_ids(struct bus_http_client *client) {
  uint64_t seed[4];
  bus_random_seed(seed);
  bus_uuid_source_init(&client->ids, seed);
}

bool bus_http_client_new(const struct bus_http_client_settings *settings, struct bus_http_client **ret,
                         struct bus_error *err) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (!http_curl_open(err))
    return false;
  pthread_once(&once, init_library);
  struct bus_http_client *client = calloc(1, sizeof *client);
  if (client == NULL)
    return bus_fail(err, BUS_E_NOMEM, "HTTP client");
  client->settings = *settings;
  set_defaults(&client->settings);
  client->curl_deadline = -1;
  if (settings->tracer)
    seed_ids(client);
  if (!multi_init(client)) {
    bus_http_client_free(client);
    return bus_fail(err, BUS_E_NOMEM, "HTTP client");
  }
  *ret = client;
  return true;
}

void bus_http_client_free(struct bus_http_client *client) {
  if (client == NULL)
    return;
  while (client->calls) {
    struct http_call *call = client->calls;
    remove_call(client, call);
    http_call_free(call);
  }
  curl_multi_cleanup(client->multi);
  free(client->watched);
  free(client);
}

bool bus_http_client_start(struct bus_http_client *client, const struct bus_http_call *spec, http_call_done *done,
                           void *context, struct bus_error *err) {
  struct http_call *call = http_call_new(&client->settings, spec, &client->ids, err);
  if (call == NULL)
    return false;
  call->done = done;
  call->context = context;
  if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
    http_call_free(call);
    return bus_fail(err, BUS_E_NOMEM, "HTTP call to %s", spec->url);
  }
  add_call(client, call);
  return true;
}

size_t bus_http_client_pending(const struct bus_http_client *client) {
  return client->pending;
}

void bus_http_client_finish(struct bus_http_client *client) {
  struct bus_poll_source source = bus_http_client_source(client);
  while (client->pending > 0) {
    struct pollfd fds[FINISH_FDS];
    int timeout = (int)client->settings.total_timeout_ms;
    size_t count = source.prepare(source.context, fds, FINISH_FDS, &timeout);
    (void)poll(fds, count, timeout);
    source.dispatch(source.context, fds, count);
  }
}
