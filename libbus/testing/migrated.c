/* Databases for tests: copies of a template that the first test migrates. */
#include "migrated.h"

#include <bus/hash.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <test.h>
#include <unistd.h>

enum { DIGEST = 32, FILE_MAX = 256 * 1024, PATH_SIZE = 512, URL_SIZE = 512 };

static const char *server(void) {
  const char *url = getenv("TEST_DATABASE_URL");
  if (!url || !*url)
    test_skip("TEST_DATABASE_URL is not set");
  return url;
}

/* The same server and login, another database: what stands between the host's '/' and '?' is replaced. */
static void url_of(const char *database, const char *scheme, char *text, size_t size) {
  const char *url = server(), *rest = strstr(url, "://");
  assert_non_null(rest);
  const char *path = strchr(rest + 3, '/'), *query = strchr(rest, '?');
  int host = (int)(path ? path - rest : query ? query - rest : (long)strlen(rest));
  int length = snprintf(text, size, "%s%.*s/%s%s", scheme, host, rest, database, query ? query : "");
  assert_true(length > 0 && (size_t)length < size);
}

static PGconn *log_in(const char *url) {
  PGconn *connection = PQconnectdb(url);
  if (PQstatus(connection) != CONNECTION_OK)
    fail_msg("%s", PQerrorMessage(connection));
  return connection;
}

/* → how many rows. */
__attribute__((format(printf, 2, 3))) static int run(PGconn *connection, const char *format, ...) {
  char sql[1024];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(sql, sizeof sql, format, args);
  va_end(args);
  assert_in_range(length, 1, sizeof sql - 1);
  PGresult *result = PQexec(connection, sql);
  if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
    fail_msg("%s: %s", sql, PQerrorMessage(connection));
  int rows = PQntuples(result);
  PQclear(result);
  return rows;
}

/* ---- the template ---- */

static void become_sqitch(const char *project, char *url) {
  static char program[] = "sqitch", verb[] = "deploy", option[] = "--target", quiet[] = "--quiet";
  char *const words[] = {program, verb, quiet, option, url, NULL};
  if (chdir(project) == 0 && setenv("SQITCH_FULLNAME", "orderbus", 1) == 0 &&
      setenv("SQITCH_EMAIL", "orderbus@localhost", 1) == 0)
    (void)execvp(program, words); /* comes back only when it failed */
  _exit(127);
}

static void migrate(const char *database, const char *project) {
  char url[URL_SIZE];
  int status;
  url_of(database, "db:pg", url, sizeof url);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    become_sqitch(project, url);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

/* digest becomes that of itself and what the file holds. */
static void add_file(uint8_t digest[DIGEST], const char *path) {
  static char bytes[DIGEST + FILE_MAX];
  FILE *file = fopen(path, "re");
  assert_non_null(file);
  memcpy(bytes, digest, DIGEST);
  size_t size = fread(bytes + DIGEST, 1, FILE_MAX, file);
  assert_in_range(size, 1, FILE_MAX - 1);
  fclose(file);
  bus_sha256((struct bus_str){bytes, DIGEST + size}, digest);
}

/* Names the template after what it was made of: a server for tests may outlive a change of the migrations. */
static void name_template(const char *project, char *name, size_t size) {
  uint8_t digest[DIGEST] = {0};
  char pattern[PATH_SIZE];
  glob_t found;
  (void)snprintf(pattern, sizeof pattern, "%s/deploy/*.sql", project);
  assert_int_equal(glob(pattern, 0, NULL, &found), 0);
  for (size_t i = 0; i < found.gl_pathc; i++)
    add_file(digest, found.gl_pathv[i]);
  globfree(&found);
  (void)snprintf(pattern, sizeof pattern, "%s/sqitch.plan", project);
  add_file(digest, pattern);
  (void)snprintf(name, size, "migrated_%02x%02x%02x%02x%02x%02x", digest[0], digest[1], digest[2], digest[3], digest[4],
                 digest[5]);
}

static void make_role(PGconn *admin, const char *name, const char *suffix) {
  run(admin, "DO $$ BEGIN CREATE ROLE %s%s LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$",
      name, suffix);
}

/* The first test makes it, others wait for that. It is marked as a template when it is complete. */
static void make_template(PGconn *admin, const char *name, const char *project, const char *role) {
  run(admin, "SELECT pg_advisory_lock(hashtext('%s'))", name);
  if (run(admin, "SELECT 1 FROM pg_database WHERE datname = '%s' AND datistemplate", name) == 0) {
    make_role(admin, role, "");
    make_role(admin, strrchr(project, '/') + 1, "_operator"); /* in projects that have none it has no rights */
    run(admin, "DROP DATABASE IF EXISTS %s", name);
    run(admin, "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8'", name);
    migrate(name, project);
    run(admin, "ALTER DATABASE %s WITH IS_TEMPLATE true ALLOW_CONNECTIONS false", name);
  }
  run(admin, "SELECT pg_advisory_unlock(hashtext('%s'))", name);
}

/* ---- a database ---- */

void migrated_open(struct migrated *database, const char *project, const char *role) {
  static unsigned serial;
  char url[URL_SIZE], template[64];
  PGconn *admin = log_in(server());
  name_template(project, template, sizeof template);
  make_template(admin, template, project, role);
  (void)snprintf(database->name, sizeof database->name, "migrated_%d_%u", (int)getpid(), serial++);
  run(admin, "CREATE DATABASE %s TEMPLATE %s", database->name, template);
  PQfinish(admin);
  migrated_url(database, url, sizeof url);
  database->admin = log_in(url);
  /* From here on whoever logs in to this database works with the runtime role's rights. */
  run(database->admin, "ALTER ROLE CURRENT_USER IN DATABASE %s SET role = '%s'", database->name, role);
}

void migrated_close(struct migrated *database) {
  PQfinish(database->admin);
  PGconn *admin = log_in(server());
  run(admin, "DROP DATABASE %s WITH (FORCE)", database->name);
  PQfinish(admin);
}

void migrated_url(const struct migrated *database, char *text, size_t size) {
  url_of(database->name, "postgresql", text, size);
}

void migrated_do(const struct migrated *database, const char *sql) {
  run(database->admin, "%s", sql);
}
