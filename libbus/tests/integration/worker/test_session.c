/* Tests session settings: defaults of roles and databases do not weaken them, and poolers are used or refused. */
#include "toy.h"

#include <bus/clock.h>
#include <test.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each row that a worker writes notes the settings of its session. */
static void note_settings(struct toy *toy) {
  toy_execute(toy, "CREATE TABLE toy.seen (name text, setting text)");
  toy_on_write(toy, "toy.counters", "true", "INSERT INTO toy.seen SELECT s.name, s.setting FROM pg_settings s");
}

static void assert_seen(struct toy *toy, const char *name, const char *setting) {
  char sql[256];
  (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM toy.seen WHERE name = '%s' AND setting = '%s'", name, setting);
  if (toy_number(toy, sql) != 1)
    fail_msg("%s is not %s", name, setting);
}

/* The default, and what a session has under it. */
struct expectation {
  const char *name, *fallback, *seen;
};

static void expect(struct toy *toy, const struct expectation *expectations, size_t count, unsigned number) {
  struct toy_run run;
  char sql[256];
  for (size_t i = 0; i < count; i++) {
    (void)snprintf(sql, sizeof sql, "ALTER DATABASE %s SET %s = '%s'", toy->database, expectations[i].name,
                   expectations[i].fallback);
    toy_execute(toy, sql);
  }
  toy_execute(toy, "DELETE FROM toy.seen");
  toy_start(toy, &run);
  (void)toy_publish(toy, number, 1);
  toy_flush(toy);
  toy_await(toy, SUM, number, 15);
  toy_stop(&run);
  for (size_t i = 0; i < count; i++)
    assert_seen(toy, expectations[i].name, expectations[i].seen);
}

TEST(a_role_that_does_not_wait_for_the_disk_loses_no_commit)
{
  static const struct expectation raised[][1] = {{{"synchronous_commit", "off", "on"}},
                                                 {{"synchronous_commit", "local", "on"}},
                                                 {{"synchronous_commit", "remote_write", "on"}},
                                                 {{"synchronous_commit", "remote_apply", "remote_apply"}}};
  struct toy toy;
  toy_setup(&toy);
  note_settings(&toy);
  for (unsigned i = 0; i < BUS_COUNT(raised); i++)
    expect(&toy, raised[i], 1, i + 1);
  toy_teardown(&toy);
}

TEST(defaults_of_the_database_do_not_weaken_a_session)
{
  static const struct expectation defaults[] = {
      {"default_transaction_isolation", "serializable", "read committed"},
      {"default_transaction_deferrable", "on", "off"},
      {"search_path", "toy", "pg_catalog,public"},
      {"TimeZone", "Asia/Tokyo", "UTC"},
      {"statement_timeout", "0", "10000"},
      {"lock_timeout", "60s", "3000"},
      {"idle_in_transaction_session_timeout", "2s", "2000"},
      {"plan_cache_mode", "force_custom_plan", "force_generic_plan"},
      {"enable_seqscan", "on", "off"},
  };
  struct toy toy;
  toy_setup(&toy);
  note_settings(&toy);
  expect(&toy, defaults, BUS_COUNT(defaults), 1);
  assert_seen(&toy, "transaction_isolation", "read committed");
  assert_seen(&toy, "transaction_read_only", "off");
  toy_teardown(&toy);
}

/* ---- PgBouncer ---- */

struct pooler {
  char folder[64], url[512];
  int port;
  pid_t pid;
};

static int free_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
  (void)close(fd);
  return ntohs(address.sin_port);
}

static void write_file(const struct pooler *pooler, const char *name, const char *text) {
  char path[128];
  (void)snprintf(path, sizeof path, "%s/%s", pooler->folder, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(chmod(path, 0644), 0);
}

/* postgresql://user:password@host:port/…, as ./dev servers gives it. */
static void split(const char *url, char user[64], char password[64], char port[8]) {
  assert_int_equal(sscanf(url, "%*[^:]://%63[^:]:%63[^@]@%*[^:]:%7[0-9]", user, password, port), 3);
}

static void await_pooler(const struct pooler *pooler) {
  for (int64_t until = bus_monotonic() + 20 * BUS_SECOND; PQping(pooler->url) != PQPING_OK; toy_sleep_ms(50))
    if (bus_monotonic() > until)
      fail_msg("pgbouncer does not answer on port %d", pooler->port);
}

/* From 1.21 on it carries prepared statements from one server session to another, unless it is told not to. */
static bool carries_statements(void) {
  char text[64] = "";
  int ends[2];
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  pid_t child = fork();
  if (child == 0) {
    (void)dup2(ends[1], STDOUT_FILENO);
    (void)execl("/usr/sbin/pgbouncer", "pgbouncer", "--version", (char *)NULL);
    _exit(127);
  }
  (void)close(ends[1]);
  assert_true(read(ends[0], text, sizeof text - 1) > 0); /* "PgBouncer 1.24.1", in one write */
  (void)close(ends[0]);
  assert_int_equal(waitpid(child, NULL, 0), child);
  char *at = strchr(text, ' ');
  assert_non_null(at);
  long major = strtol(at, &at, 10);
  return major > 1 || strtol(at + 1, NULL, 10) >= 21;
}

static void pooler_start(struct toy *toy, struct pooler *pooler, const char *mode, const char *more) {
  char user[64], password[64], port[8], text[1024], path[128];
  split(toy->database_url, user, password, port);
  (void)snprintf(pooler->folder, sizeof pooler->folder, "/tmp/pooler-XXXXXX");
  assert_non_null(mkdtemp(pooler->folder));
  assert_int_equal(chmod(pooler->folder, 0755), 0);
  pooler->port = free_port();
  (void)snprintf(text, sizeof text, "\"%s\" \"%s\"\n", user, password);
  write_file(pooler, "users.txt", text);
  (void)snprintf(text, sizeof text,
                 "[databases]\n* = host=127.0.0.1 port=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\n"
                 "unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = %s/users.txt\npool_mode = %s\n"
                 "%s",
                 port, pooler->port, pooler->folder, mode, more);
  write_file(pooler, "pgbouncer.ini", text);
  (void)snprintf(path, sizeof path, "%s/pgbouncer.ini", pooler->folder);
  (void)snprintf(pooler->url, sizeof pooler->url, "postgresql://%s:%s@127.0.0.1:%d/%s", user, password, pooler->port,
                 toy->database);
  pooler->pid = fork();
  if (pooler->pid == 0) {
    const struct passwd *other = geteuid() == 0 ? getpwnam("postgres") : NULL; /* it refuses to run as root */
    if (other && (setgid(other->pw_gid) != 0 || setuid(other->pw_uid) != 0))
      _exit(126);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* also where the test fails */
    (void)!freopen("/dev/null", "w", stderr);
    (void)execl("/usr/sbin/pgbouncer", "pgbouncer", "-q", path, (char *)NULL);
    _exit(127);
  }
  await_pooler(pooler);
  toy->settings.database_url = pooler->url;
}

static void pooler_stop(struct pooler *pooler) {
  char path[128];
  (void)kill(pooler->pid, SIGKILL);
  (void)waitpid(pooler->pid, NULL, 0);
  (void)snprintf(path, sizeof path, "%s/users.txt", pooler->folder);
  (void)unlink(path);
  (void)snprintf(path, sizeof path, "%s/pgbouncer.ini", pooler->folder);
  (void)unlink(path);
  (void)rmdir(pooler->folder);
}

static void works_behind_a_pooler(const char *mode, const char *more) {
  static const struct expectation defaults[] = {{"synchronous_commit", "off", "on"}, {"enable_seqscan", "on", "off"}};
  struct toy toy;
  struct pooler pooler;
  toy_setup(&toy);
  note_settings(&toy);
  pooler_start(&toy, &pooler, mode, more);
  expect(&toy, defaults, BUS_COUNT(defaults), 1);
  toy_await(&toy, OUTBOX, 0, 10);
  pooler_stop(&pooler);
  toy_teardown(&toy);
}

TEST(pgbouncer_in_session_mode_works)
{ works_behind_a_pooler("session", ""); }

TEST(pgbouncer_in_transaction_mode_works_from_1_21_on)
{
  if (!carries_statements())
    skip();
  works_behind_a_pooler("transaction", "default_pool_size = 2\nmax_prepared_statements = 200\n");
}

TEST(pgbouncer_in_transaction_mode_is_refused_with_the_cause)
{
  struct toy toy;
  struct pooler pooler;
  struct toy_run run;
  toy_setup(&toy);
  pooler_start(&toy, &pooler, "transaction", carries_statements() ? "max_prepared_statements = 0\n" : "");
  toy_start(&toy, &run);
  assert_int_equal(pthread_join(run.thread, NULL), 0);
  assert_false(run.good);
  assert_int_equal(run.err.code, BUS_E_CONFIG);
  if (!strstr(run.err.text, "pool_mode to session") || strstr(run.err.text, "migration"))
    fail_msg("%s", run.err.text);
  bus_worker_free(run.worker);
  pooler_stop(&pooler);
  toy_teardown(&toy);
}

/* Only a missing table means a missing migration; everything else may be mended while the service waits. */
TEST(a_schema_that_may_not_be_read_is_no_missing_migration)
{
  struct toy toy;
  struct toy_run run;
  char url[512], user[64], password[64], port[8], sql[256];
  toy_setup(&toy);
  split(toy.database_url, user, password, port);
  (void)snprintf(sql, sizeof sql, "CREATE ROLE %s_service LOGIN SUPERUSER PASSWORD 'x'", toy.database);
  toy_execute(&toy, sql);
  (void)snprintf(sql, sizeof sql, "ALTER ROLE %s_service NOSUPERUSER", toy.database);
  toy_execute(&toy, sql);
  (void)snprintf(url, sizeof url, "postgresql://%s_service:x@127.0.0.1:%s/%s", toy.database, port, toy.database);
  toy.settings.database_url = url;
  toy_start(&toy, &run);
  for (int i = 0; i < 300 && toy_metric("bus_reconnects_total{link=\"database\"} ") < 2; i++)
    toy_sleep_ms(50);
  assert_true(toy_metric("bus_reconnects_total{link=\"database\"} ") >= 2);
  (void)snprintf(sql, sizeof sql, "ALTER ROLE %s_service SUPERUSER", toy.database);
  toy_execute(&toy, sql);
  (void)toy_publish(&toy, 1, 1);
  toy_flush(&toy);
  toy_await(&toy, SUM, 1, 15);
  toy_stop(&run);
  (void)snprintf(sql, sizeof sql, "DROP ROLE %s_service", toy.database);
  toy_execute(&toy, sql);
  toy_teardown(&toy);
}
