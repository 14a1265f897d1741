/* RabbitMQ's management API, over a plain socket: virtual hosts, users, permissions. */
#include "amqp_fixture.h"
#include "topology_text.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 1 << 20, VHOSTS_MAX = 64 };

struct target {
  char login[256], host[128], port[16];
};

static struct target target_of_environment(void) {
  struct target target;
  const char *url = getenv("TEST_MGMT_URL");
  if (url == NULL || url[0] == '\0')
    skip_test("TEST_MGMT_URL is not set");
  if (sscanf(url, "http://%255[^@]@%127[^:]:%15[0-9]", target.login, target.host, target.port) != 3)
    fail_msg("TEST_MGMT_URL is not http://user:password@host:port");
  return target;
}

static void base64(const char *text, char *ret) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t len = strlen(text);
  for (size_t i = 0; i < len; i += 3) {
    uint32_t bits = 0;
    for (size_t j = 0; j < 3; j++)
      bits = bits << 8 | (i + j < len ? (unsigned char)text[i + j] : 0U);
    for (size_t j = 0; j < 4; j++)
      *ret++ = i + j > len ? '=' : letters[bits >> (18 - 6 * j) & 63];
  }
  *ret = '\0';
}

static int connect_to(const struct target *target) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  if (getaddrinfo(target->host, target->port, &hints, &found) != 0)
    fail_msg("no address for %s", target->host);
  int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0)
    fail_msg("no connection to the management API");
  freeaddrinfo(found);
  return fd;
}

static void send_request(int fd, const struct target *target, const char *method, const char *path, const char *body) {
  char login[512];
  base64(target->login, login);
  assert_true(dprintf(fd,
                      "%s /api/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\nConnection: close\r\n"
                      "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                      method, path, target->host, login, strlen(body), body) > 0);
}

int manage(const char *method, const char *path, const char *body, char *answer, size_t size) {
  static char text[ANSWER_MAX];
  struct target target = target_of_environment();
  size_t len = 0;
  ssize_t got;
  int fd = connect_to(&target);
  send_request(fd, &target, method, path, body ? body : "");
  while (len < sizeof text - 1 && (got = recv(fd, text + len, sizeof text - 1 - len, 0)) > 0)
    len += (size_t)got;
  text[len] = '\0';
  close(fd);
  if (strncmp(text, "HTTP/1.1 ", 9) != 0)
    fail_msg("no HTTP answer to %s %s", method, path);
  int status = (int)strtol(text + 9, NULL, 10);
  const char *begin = strstr(text, "\r\n\r\n");
  if (answer)
    (void)snprintf(answer, size, "%s", begin ? begin + 4 : "");
  return status;
}

/* ---- virtual hosts ---- */

static char vhosts[VHOSTS_MAX][64];
static size_t vhost_count;

static void delete_vhosts(void) {
  char path[128];
  while (vhost_count > 0) {
    (void)snprintf(path, sizeof path, "vhosts/%s", vhosts[--vhost_count]);
    (void)manage("DELETE", path, NULL, NULL, 0); /* what is left over does not matter to the next test */
  }
}

static void let_administrator_in(const char *vhost) {
  struct target target = target_of_environment();
  char path[512];
  *strchr(target.login, ':') = '\0';
  (void)snprintf(path, sizeof path, "permissions/%s/%s", vhost, target.login);
  assert_in_range(manage("PUT", path, "{\"configure\":\".*\",\"write\":\".*\",\"read\":\".*\"}", NULL, 0), 200, 204);
}

/* TEST_AMQP_URL with another user, password and virtual host. */
static const char *make_url(const char *login, const char *vhost) {
  static char urls[VHOSTS_MAX][512];
  static unsigned count;
  char *url = urls[count++ % VHOSTS_MAX];
  const char *at = strchr(test_url(), '@');
  size_t host = strcspn(at + 1, "/");
  if (login == NULL)
    (void)snprintf(url, 512, "%.*s/%s", (int)(at + 1 + host - test_url()), test_url(), vhost);
  else
    (void)snprintf(url, 512, "amqp://%s@%.*s/%s", login, (int)host, at + 1, vhost);
  return url;
}

const char *fresh_vhost(char *name, size_t size) {
  char path[128];
  assert_true(vhost_count < VHOSTS_MAX);
  (void)test_url();
  char *kept = vhosts[vhost_count];
  (void)snprintf(kept, sizeof vhosts[0], "%s", fresh_name("test"));
  (void)snprintf(path, sizeof path, "vhosts/%s", kept);
  assert_in_range(manage("PUT", path, "{}", NULL, 0), 200, 204);
  if (vhost_count++ == 0)
    atexit(delete_vhosts);
  let_administrator_in(kept);
  (void)snprintf(name, size, "%s", kept);
  return make_url(NULL, kept);
}

/* ---- users ---- */

const char *url_of(const char *user, const char *vhost) {
  char login[160];
  (void)snprintf(login, sizeof login, "%s:test-%s", user, user);
  return make_url(login, vhost);
}

void make_user(const char *user) {
  char path[128], body[128];
  (void)snprintf(path, sizeof path, "users/%s", user);
  (void)snprintf(body, sizeof body, "{\"password\":\"test-%s\",\"tags\":\"\"}", user);
  assert_in_range(manage("PUT", path, body, NULL, 0), 200, 204);
}

void import_permissions(const struct bus_topology *topology, const char *vhost) {
  char *json = NULL;
  size_t size = 0;
  for (size_t i = 0; i < topology->part_count; i++)
    make_user(topology->parts[i]->user.name);
  FILE *out = open_memstream(&json, &size);
  topology_print_definitions(out, topology, vhost, INT64_C(1) << 30);
  (void)fclose(out);
  int status = manage("POST", "definitions", json, NULL, 0);
  free(json);
  assert_in_range(status, 200, 204);
}
