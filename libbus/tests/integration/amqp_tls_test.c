/* TLS to a broker: who is trusted, who is not, and that a connection works through it. Security row Q3. */
#include "amqp_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/bus-tls-XXXXXX";

static void remove_folder(void) {
  char command[64];
  (void)snprintf(command, sizeof command, "rm -rf %s", folder);
  run_shell(command);
}

/* A CA, another one, and a server certificate of the first for "localhost" alone. */
static const char *certificates(void) {
  static bool made;
  char script[2048];
  if (made)
    return folder;
  assert_non_null(mkdtemp(folder));
  (void)atexit(remove_folder); /* else it is left over */
  (void)snprintf(script, sizeof script,
                 "cd %s && exec >log 2>&1 && for ca in ca other; do openssl req -x509 -newkey ec -pkeyopt "
                 "ec_paramgen_curve:prime256v1 -nodes -keyout "
                 "$ca.key -out $ca.pem -days 2 -subj /CN=$ca || exit 1; done && openssl req -newkey ec -pkeyopt "
                 "ec_paramgen_curve:prime256v1 -nodes "
                 "-keyout server.key -out server.csr -subj /CN=localhost && echo subjectAltName=DNS:localhost >ext && "
                 "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out "
                 "server.pem",
                 folder);
  run_shell(script);
  made = true;
  return folder;
}

static const char *in_folder(const char *name) {
  static char paths[4][128];
  static unsigned count;
  char *path = paths[count++ % 4];
  (void)snprintf(path, sizeof paths[0], "%s/%s", certificates(), name);
  return path;
}

struct server {
  pid_t pid;
  int port;
};

static void run_proxy(const char *target, bool old, int out) {
  dup2(out, STDOUT_FILENO);
  execl("/usr/bin/python3", "python3", "-W", "ignore", AMQP_TLS_PROXY, "--cert", in_folder("server.pem"), "--key",
        in_folder("server.key"), "--server", target, old ? "--old" : NULL, NULL);
  _exit(127);
}

static struct server start(bool old) {
  struct server server = {.port = 0};
  char target[128], text[32] = "";
  int ends[2] = {-1, -1};
  const char *at = strchr(test_url(), '@') + 1;
  (void)snprintf(target, sizeof target, "%.*s", (int)strcspn(at, "/"), at);
  (void)certificates();
  assert_int_equal(pipe(ends), 0);
  server.pid = fork();
  if (server.pid == 0)
    run_proxy(target, old, ends[1]);
  close(ends[1]);
  assert_true(read(ends[0], text, sizeof text - 1) > 0);
  close(ends[0]);
  server.port = (int)strtol(text, NULL, 10);
  assert_true(server.port > 0);
  return server;
}

static void stop(struct server *server) {
  (void)kill(server->pid, SIGKILL);
  (void)waitpid(server->pid, NULL, 0);
}

static bool open_tls(const struct server *server, const char *host, const char *ca_file, struct bus_amqp **ret,
                     struct bus_error *err) {
  char url[512];
  const char *login = strstr(test_url(), "://") + 3, *at = strchr(login, '@');
  const char *vhost = at + strcspn(at, "/");
  (void)snprintf(url, sizeof url, "amqps://%.*s@%s:%d%s", (int)(at - login), login, host, server->port, vhost);
  struct bus_amqp_settings settings = {.url = url, .name = "tls", .ca_file = ca_file, .open_timeout_ms = 5000};
  return bus_amqp_open(&settings, ret, err);
}

TEST(tls_Q3_works_with_the_right_ca)
{
  struct server server = start(false);
  struct link *link = calloc(1, sizeof *link);
  const char *queue = fresh_name("tls");
  link->arena = bus_arena_new(8 << 20);
  if (!open_tls(&server, "localhost", in_folder("ca.pem"), &link->amqp, &link->err))
    fail_msg("%s", link->err.text);
  bus_amqp_set_arena(link->amqp, link->arena);
  declare_bound_queue(link, BUS_EXCHANGE_EVENT, queue);
  assert_true(bus_amqp_confirm(link->amqp, &link->err));
  link_consume(link, queue, 0, 500);
  for (int i = 0; i < 300; i++)
    link_publish(link, BUS_EXCHANGE_EVENT, queue, true, NULL);
  link_await(link, SEEN_DELIVERY, 300, 10000);
  link_close(link);
  stop(&server);
}

static void refused(const char *host, const char *ca_file, bool old) {
  struct server server = start(old);
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  assert_false(open_tls(&server, host, ca_file, &amqp, &err));
  assert_null(amqp);
  if (strstr(err.text, "certificate or TLS version") == NULL)
    fail_msg("refused for another reason: %s", err.text);
  stop(&server);
}

TEST(tls_Q3_wrong_ca_is_refused)
{ refused("localhost", in_folder("other.pem"), false); }

TEST(tls_Q3_ca_of_the_system_does_not_know_ours)
{ refused("localhost", NULL, false); }

TEST(tls_Q3_wrong_host_is_refused)
{ refused("127.0.0.1", in_folder("ca.pem"), false); }

TEST(tls_Q3_below_1_2_is_refused)
{ refused("localhost", in_folder("ca.pem"), true); }

TEST(tls_Q3_missing_ca_file_is_a_matter_of_configuration)
{
  struct server server = {.port = 1};
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  (void)test_url();
  assert_false(open_tls(&server, "localhost", "/no/such/file.pem", &amqp, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  assert_non_null(strstr(err.text, "/no/such/file.pem"));
}
