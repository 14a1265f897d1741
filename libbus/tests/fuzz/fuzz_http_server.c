/* Bytes on a real connection to a real server: each request that reached a handler must be the one that a strict second
 * reader finds there, body and all, and in that order. So nothing can be smuggled between two readings. */
#include "fuzz.h"

#include <bus/form.h>
#include <bus/http_server.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "strict_head.h"

enum { SEEN_MAX = 64, TEXT_MAX = 2100, BODY_LIMIT = 4096, SENT_MAX = 60000 };

struct request {
  char method[20], path[TEXT_MAX], body[BODY_LIMIT + 1];
  size_t body_len;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct request seen[SEEN_MAX];
static size_t seen_count;
static int port;

static void copy(char *to, size_t size, struct bus_str text) {
  FUZZ_CHECK(text.len < size);
  if (text.len > 0)
    memcpy(to, text.data, text.len);
  to[text.len] = '\0';
}

static void answer(struct bus_http_exchange *exchange) {
  struct bus_str value, query = bus_http_query(exchange);
  struct bus_arena *arena = bus_http_arena(exchange);
  if (!bus_form_find(query, "a", arena, &value))
    bus_http_problem(exchange, 400, "malformed query");
  else if (bus_form_unknown(query, (const char *const[]){"a", "b", NULL}, arena).data)
    bus_http_problem(exchange, 400, "unknown parameter");
  else {
    bus_http_add_header(exchange, "X-Echo", value);
    bus_http_add_header(exchange, "X-Header", bus_http_header(exchange, "x-y"));
    bus_http_reply(exchange, 200, "application/octet-stream", bus_http_body(exchange));
  }
}

static void handle(void *context, struct bus_http_exchange *exchange) {
  (void)context;
  struct bus_str body = bus_http_body(exchange), segment = bus_http_path_segment(exchange, 0);
  pthread_mutex_lock(&lock);
  FUZZ_CHECK(seen_count < SEEN_MAX);
  struct request *request = &seen[seen_count++];
  copy(request->method, sizeof request->method, bus_str(bus_http_method(exchange)));
  copy(request->path, sizeof request->path, segment.data ? segment : BUS_STR(""));
  copy(request->body, sizeof request->body, body);
  request->body_len = body.len;
  pthread_mutex_unlock(&lock);
  FUZZ_CHECK(bus_trace_is_set(bus_http_trace(exchange)) && body.data[body.len] == '\0');
  answer(exchange);
}

static const struct bus_http_route routes[] = {
    {.method = "GET", .path = "/{path}", .handler = handle},
    {.method = "POST", .path = "/{path}", .handler = handle, .body_limit = BODY_LIMIT, .media_type = "text/plain"},
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  const struct bus_http_settings settings = {
      .bind = "127.0.0.1", .threads = 2, .body_deadline_ms = 1000, .idle_ms = 1000, .metrics_name = "fuzz"};
  struct bus_http_server *server;
  struct bus_error err;
  FUZZ_CHECK(bus_http_server_start(&settings, routes, BUS_COUNT(routes), NULL, &server, &err));
  port = bus_http_server_port(server); /* it serves until the process ends */
  return 0;
}

/* libFuzzer's timer may interrupt a connect, which then goes on by itself. */
static bool connected(int fd, const struct sockaddr_in *to) {
  if (connect(fd, (const struct sockaddr *)to, sizeof *to) == 0)
    return true;
  if (errno != EINTR)
    return false;
  struct pollfd ready = {.fd = fd, .events = POLLOUT};
  while (poll(&ready, 1, -1) < 0 && errno == EINTR)
    continue;
  int error;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

/* From another loopback address each time: one address would run out of ports. */
static int dial(void) {
  static uint32_t number;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  number = (number + 1) % 0xFFFF00;
  const struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7F000002 + number)};
  const struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  FUZZ_CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&from, sizeof from) == 0);
  FUZZ_CHECK(connected(fd, &to));
  return fd;
}

/* The first bytes of what came back. A connection that was reset has answered nothing that could be looked at. */
static size_t converse(struct bus_str bytes, char *answers, size_t size) {
  int fd = dial();
  size_t len = 0;
  for (size_t sent = 0; sent < bytes.len;) {
    ssize_t count = send(fd, bytes.data + sent, bytes.len - sent, MSG_NOSIGNAL);
    if (count <= 0 && errno != EINTR) /* libFuzzer's timer */
      break;
    sent += count > 0 ? (size_t)count : 0;
  }
  (void)shutdown(fd, SHUT_WR); /* fails where the server was quicker */
  for (ssize_t got = 1; got > 0 || (got < 0 && errno == EINTR);) {
    char unwanted[4096];
    bool kept = len < size;
    got = kept ? recv(fd, answers + len, size - len, 0) : recv(fd, unwanted, sizeof unwanted, 0);
    len += kept && got > 0 ? (size_t)got : 0;
  }
  close(fd);
  return len;
}

/* The last request of its connection. */
static void compare_chunks(const struct request *request, const struct strict_head *head, struct bus_str *bytes) {
  static char body[BODY_LIMIT];
  size_t len, taken;
  struct bus_str wire = {bytes->data + head->size, bytes->len - head->size};
  FUZZ_CHECK(strict_chunks_read(wire, body, sizeof body, &len, &taken));
  FUZZ_CHECK(taken <= 2 * BODY_LIMIT && len == request->body_len && memcmp(body, request->body, len) == 0);
  *bytes = (struct bus_str){bytes->data, 0};
}

static void compare(const struct request *request, struct bus_str *bytes) {
  struct strict_head head;
  FUZZ_CHECK(strict_head_read(*bytes, &head) && !head.bare_end);
  FUZZ_CHECK(bus_str_is(head.method, request->method));
  FUZZ_CHECK(head.path.len > 1 && bus_str_is((struct bus_str){head.path.data + 1, head.path.len - 1}, request->path));
  if (head.is_chunked) {
    compare_chunks(request, &head, bytes);
    return;
  }
  FUZZ_CHECK(head.content_length == request->body_len && head.size + head.content_length <= bytes->len);
  FUZZ_CHECK(memcmp(bytes->data + head.size, request->body, request->body_len) == 0);
  size_t taken = head.size + request->body_len;
  *bytes = (struct bus_str){bytes->data + taken, bytes->len - taken};
}

/* No line of an answer's head was made by the client. */
static void check_answers(const char *answers, size_t len, size_t handled) {
  FUZZ_CHECK(len >= 9 || (len == 0 && handled == 0));
  FUZZ_CHECK(len == 0 || memcmp(answers, "HTTP/1.", 7) == 0);
  const char *end = len > 0 ? memmem(answers, len, "\r\n\r\n", 4) : NULL;
  FUZZ_CHECK(len == 0 || end != NULL);
  for (const char *c = answers; end && c < end; c++)
    FUZZ_CHECK(*c != '\0' && (*c != '\n' || (c > answers && c[-1] == '\r')) && (*c != '\r' || c[1] == '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char answers[32768];
  struct bus_str bytes = fuzz_input(data, size < SENT_MAX ? size : SENT_MAX);
  size_t len = converse(bytes, answers, sizeof answers);
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < seen_count; i++)
    compare(&seen[i], &bytes);
  check_answers(answers, len, seen_count);
  seen_count = 0;
  pthread_mutex_unlock(&lock);
  return 0;
}
