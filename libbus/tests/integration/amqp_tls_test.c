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

/* A CA and another one, a server certificate of the first for "localhost" alone, and client certificates of both. */
static const char *certificates(void) {
  static bool made;
  char script[2048];
  if (made)
    return folder;
  assert_non_null(mkdtemp(folder));
  (void)atexit(remove_folder); /* else it is left over */
  (void)snprintf(
      script, sizeof script,
      "cd %s && exec >log 2>&1 && for ca in ca other; do openssl req -x509 -newkey ec -pkeyopt "
      "ec_paramgen_curve:prime256v1 -nodes -keyout "
      "$ca.key -out $ca.pem -days 2 -subj /CN=$ca || exit 1; done && openssl req -newkey ec -pkeyopt "
      "ec_paramgen_curve:prime256v1 -nodes "
      "-keyout server.key -out server.csr -subj /CN=localhost && echo subjectAltName=DNS:localhost >ext && "
      "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out "
      "server.pem && for ca in ca other; do openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
      "-keyout "
      "$ca-client.key -out client.csr -subj /CN=client && openssl x509 -req -in client.csr -CA $ca.pem -CAkey "
      "$ca.key -CAcreateserial -days 2 -out $ca-client.pem || exit 1; done",
      folder);
  run_shell(script);
  made = true;
  return folder;
}

static const char *in_folder(const char *name) {
  static char paths[8][128];
  static unsigned count;
  char *path = paths[count++ % 8];
  (void)snprintf(path, sizeof paths[0], "%s/%s", certificates(), name);
  return path;
}

struct server {
  pid_t pid;
  int port;
};

enum wants { NO_CERTIFICATE, OLD_TLS, A_CERTIFICATE };

static void run_proxy(const char *target, enum wants wants, int out) {
  const char *option = wants == OLD_TLS ? "--old" : wants == A_CERTIFICATE ? "--client-ca" : NULL;
  dup2(out, STDOUT_FILENO);
  execl("/usr/bin/python3", "python3", "-W", "ignore", AMQP_TLS_PROXY, "--cert", in_folder("server.pem"), "--key",
        in_folder("server.key"), "--server", target, option, wants == A_CERTIFICATE ? in_folder("ca.pem") : NULL, NULL);
  _exit(127);
}

static struct server start(enum wants wants) {
  struct server server = {.port = 0};
  char target[128], text[32] = "";
  int ends[2] = {-1, -1};
  const char *at = strchr(test_url(), '@') + 1;
  (void)snprintf(target, sizeof target, "%.*s", (int)strcspn(at, "/"), at);
  (void)certificates();
  assert_int_equal(pipe(ends), 0);
  server.pid = fork();
  if (server.pid == 0)
    run_proxy(target, wants, ends[1]);
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

static bool open_tls(const struct server *server, const char *host, struct bus_tls_files files, struct bus_amqp **ret,
                     struct bus_error *err) {
  char url[512];
  const char *login = strstr(test_url(), "://") + 3, *at = strchr(login, '@');
  const char *vhost = at + strcspn(at, "/");
  (void)snprintf(url, sizeof url, "amqps://%.*s@%s:%d%s", (int)(at - login), login, host, server->port, vhost);
  struct bus_amqp_settings settings = {.url = url, .name = "tls", .tls = files, .open_timeout_ms = 5000};
  return bus_amqp_open(&settings, ret, err);
}

static struct bus_tls_files trusting(const char *ca) {
  return (struct bus_tls_files){.ca = ca ? in_folder(ca) : NULL};
}

/* The client certificate that this CA has signed. */
static struct bus_tls_files certified_by(const char *ca) {
  char cert[32], key[32];
  (void)snprintf(cert, sizeof cert, "%s-client.pem", ca);
  (void)snprintf(key, sizeof key, "%s-client.key", ca);
  return (struct bus_tls_files){.ca = in_folder("ca.pem"), .cert = in_folder(cert), .key = in_folder(key)};
}

static void works(enum wants wants, struct bus_tls_files files) {
  struct server server = start(wants);
  struct link *link = calloc(1, sizeof *link);
  const char *queue = fresh_name("tls");
  link->arena = bus_arena_new(8 << 20);
  if (!open_tls(&server, "localhost", files, &link->amqp, &link->err))
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

TEST(tls_Q3_works_with_the_right_ca)
{ works(NO_CERTIFICATE, trusting("ca.pem")); }

TEST(tls_Q3_works_with_a_client_certificate)
{ works(A_CERTIFICATE, certified_by("ca")); }

static void refused(const char *host, struct bus_tls_files files, enum wants wants, const char *cause) {
  struct server server = start(wants);
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  assert_false(open_tls(&server, host, files, &amqp, &err));
  assert_null(amqp);
  assert_int_equal(err.code, BUS_E_AMQP_CONNECTION);
  if (strstr(err.text, cause) == NULL)
    fail_msg("refused for another reason: %s", err.text);
  stop(&server);
}

#define HANDSHAKE "certificate or TLS version"

TEST(tls_Q3_wrong_ca_is_refused)
{ refused("localhost", trusting("other.pem"), NO_CERTIFICATE, HANDSHAKE); }

TEST(tls_Q3_ca_of_the_system_does_not_know_ours)
{ refused("localhost", trusting(NULL), NO_CERTIFICATE, HANDSHAKE); }

TEST(tls_Q3_wrong_host_is_refused)
{ refused("127.0.0.1", trusting("ca.pem"), NO_CERTIFICATE, HANDSHAKE); }

TEST(tls_Q3_below_1_2_is_refused)
{ refused("localhost", trusting("ca.pem"), OLD_TLS, HANDSHAKE); }

/* With TLS 1.3 the server checks it after the client's part of the handshake: the refusal ends the login. */
TEST(tls_Q3_no_client_certificate_is_refused)
{ refused("localhost", trusting("ca.pem"), A_CERTIFICATE, "log in as "); }

TEST(tls_Q3_client_certificate_of_another_ca_is_refused)
{ refused("localhost", certified_by("other"), A_CERTIFICATE, "log in as "); }

static void misconfigured(struct bus_tls_files files, const char *named) {
  const struct server server = {.port = 1};
  struct bus_amqp *amqp = NULL;
  struct bus_error err;
  (void)test_url();
  assert_false(open_tls(&server, "localhost", files, &amqp, &err));
  assert_int_equal(err.code, BUS_E_CONFIG);
  if (strstr(err.text, named) == NULL)
    fail_msg("the error does not name %s: %s", named, err.text);
}

TEST(tls_Q3_missing_ca_file_is_a_matter_of_configuration)
{ misconfigured((struct bus_tls_files){.ca = "/no/such/file.pem"}, "/no/such/file.pem"); }

TEST(tls_Q3_missing_client_certificate_is_a_matter_of_configuration)
{
  struct bus_tls_files files = certified_by("ca");
  files.cert = "/no/such/cert.pem";
  misconfigured(files, "/no/such/cert.pem");
}

TEST(tls_Q3_foreign_private_key_is_a_matter_of_configuration)
{
  struct bus_tls_files files = certified_by("ca");
  files.key = in_folder("other-client.key");
  misconfigured(files, "other-client.key");
}

TEST(tls_Q3_certificate_without_its_key_is_a_matter_of_configuration)
{
  struct bus_tls_files files = certified_by("ca");
  files.key = "";
  misconfigured(files, "RABBITMQ_KEY_FILE");
}
