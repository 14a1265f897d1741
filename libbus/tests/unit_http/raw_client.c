/* Plain blocking sockets with a deadline on every read. */
#include "raw_client.h"

#include <bus/clock.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

int raw_try_connect(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_true(fd >= 0);
  if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  close(fd);
  return -1;
}

int raw_connect(int port) {
  int fd = raw_try_connect(port);
  assert_true(fd >= 0);
  return fd;
}

void raw_send(int fd, const char *text, size_t len) {
  while (len > 0) {
    ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
    if (sent <= 0)
      return; /* the server closed: what it said is still there to be read */
    text += sent;
    len -= (size_t)sent;
  }
}

/* False at the end, by close or by time. */
static bool read_some(int fd, int64_t deadline, struct raw_answer *answer) {
  int64_t left_ms = (deadline - bus_monotonic()) / BUS_MILLISECOND;
  struct pollfd entry = {.fd = fd, .events = POLLIN};
  if (left_ms <= 0 || poll(&entry, 1, (int)left_ms) <= 0)
    return false;
  assert_true(answer->len + 1 < sizeof answer->text);
  ssize_t got = recv(fd, answer->text + answer->len, sizeof answer->text - 1 - answer->len, 0);
  if (got <= 0) {
    answer->closed = true;
    return false;
  }
  answer->len += (size_t)got;
  answer->text[answer->len] = '\0';
  return true;
}

static void start(struct raw_answer *answer) {
  answer->len = 0;
  answer->text[0] = '\0';
  answer->closed = false;
}

void raw_read_to_end(int fd, int timeout_ms, struct raw_answer *ret) {
  int64_t started = bus_monotonic();
  start(ret);
  while (read_some(fd, started + timeout_ms * BUS_MILLISECOND, ret))
    continue;
  ret->duration = bus_monotonic() - started;
}

static bool is_complete(const struct raw_answer *answer, bool head_only) {
  const char *end = strstr(answer->text, "\r\n\r\n");
  if (end == NULL || head_only)
    return end != NULL;
  const char *length = strcasestr(answer->text, "\r\nContent-Length:");
  size_t wanted = length && length < end ? strtoul(length + strlen("\r\nContent-Length:"), NULL, 10) : 0;
  return answer->len >= (size_t)(end + 4 - answer->text) + wanted;
}

void raw_read_one(int fd, int timeout_ms, bool head_only, struct raw_answer *ret) {
  int64_t started = bus_monotonic();
  start(ret);
  while (!is_complete(ret, head_only) && read_some(fd, started + timeout_ms * BUS_MILLISECOND, ret))
    continue;
  ret->duration = bus_monotonic() - started;
}

const struct raw_answer *raw_talk(int port, const char *request, int timeout_ms) {
  static struct raw_answer answer;
  int fd = raw_connect(port);
  raw_send(fd, request, strlen(request));
  raw_read_to_end(fd, timeout_ms, &answer);
  close(fd);
  return &answer;
}

int raw_status(const struct raw_answer *answer) {
  return strncmp(answer->text, "HTTP/1.1 ", 9) == 0 ? (int)strtol(answer->text + 9, NULL, 10) : 0;
}

size_t raw_count(const struct raw_answer *answer) {
  size_t count = 0;
  for (const char *c = answer->text; (c = strstr(c, "HTTP/1.1 ")) != NULL; c++)
    count++;
  return count;
}

bool raw_has_line(const struct raw_answer *answer, const char *line) {
  size_t len = strlen(line);
  for (const char *c = answer->text; (c = strstr(c, "\r\n")) != NULL;) {
    c += 2;
    if (strncmp(c, line, len) == 0 && strncmp(c + len, "\r\n", 2) == 0)
      return true;
  }
  return false;
}

const char *raw_body(const struct raw_answer *answer) {
  const char *end = strstr(answer->text, "\r\n\r\n");
  return end ? end + 4 : "";
}
