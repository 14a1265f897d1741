/* bus/config.h, the process's part: arguments, --env-file, and the environment that wins. */
#include <bus/config.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_sample.h"
#include "test.h"

static const char *const extra[] = {"--print-saga", "--other", BUS_FLAG_HEALTH, NULL};
static int flag;
static char out[8192], err_text[8192];

static void redirect(FILE *stream, int fd, char *text, size_t size, int *saved, bool begin) {
  fflush(stream);
  if (begin) {
    FILE *file = tmpfile();
    assert_non_null(file);
    *saved = dup(fd);
    dup2(fileno(file), fd);
    fclose(file);
    return;
  }
  lseek(fd, 0, SEEK_SET);
  ssize_t len = read(fd, text, size - 1);
  text[len < 0 ? 0 : len] = '\0';
  dup2(*saved, fd);
  close(*saved);
}

/* Arguments end with NULL; gives the status, with what was printed in out and err_text. */
static int run(const char *const *arguments) {
  char *argv[8] = {(char[]){"program"}};
  char copies[7][256];
  int argc = 1, saved_out, saved_err;
  for (; arguments[argc - 1]; argc++) {
    snprintf(copies[argc - 1], sizeof copies[0], "%s", arguments[argc - 1]);
    argv[argc] = copies[argc - 1];
  }
  flag = 42;
  redirect(stdout, STDOUT_FILENO, out, sizeof out, &saved_out, true);
  redirect(stderr, STDERR_FILENO, err_text, sizeof err_text, &saved_err, true);
  int status = bus_config_main(argc, argv, "order-svc", "4.5.6", "Takes orders.", config_tables, 2, extra, &flag);
  redirect(stdout, STDOUT_FILENO, out, sizeof out, &saved_out, false);
  redirect(stderr, STDERR_FILENO, err_text, sizeof err_text, &saved_err, false);
  return status;
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void clear_environment(void) {
  static const char *const names[] = {"URL",     "URL_FILE", "NAME",  "NAME_FILE", "PORT",
                                      "TIMEOUT", "ON",       "LEVEL", "COLOR",     "COLOR_FILE"};
  for (size_t i = 0; i < BUS_COUNT(names); i++)
    unsetenv(names[i]);
}

/* A file with that text; its name stays until the next call. */
static const char *file_with(const char *text) {
  static char path[] = "/tmp/config-test-XXXXXX";
  memcpy(path + sizeof path - 7, "XXXXXX", 6);
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
  return path;
}

TEST(config_main_reads_the_environment)
{
  clear_environment();
  setenv("URL", "amqp://here", 1);
  setenv("PORT", "99", 1);
  assert_int_equal(run((const char *const[]){NULL}), -1);
  assert_int_equal(flag, -1);
  assert_string_equal(config_sample.url, "amqp://here");
  assert_true(config_sample.port == 99);
  bus_config_done(config_tables, 2);
}

TEST(config_main_prints_and_ends)
{
  clear_environment();
  assert_int_equal(RUN("--help"), 0);
  assert_non_null(strstr(out, "usage: order-svc [--env-file FILE] [--print-saga] [--other] [--health]\n"));
  assert_non_null(strstr(out, "Takes orders."));
  assert_non_null(strstr(out, "PORT"));
  assert_int_equal(RUN("--version"), 0);
  assert_string_equal(out, "order-svc 4.5.6\n");
  assert_int_equal(RUN("--print-env"), 0);
  assert_non_null(strstr(out, "PORT=8080\n"));
  assert_int_equal(RUN("--print-markdown"), 0);
  assert_non_null(strstr(out, "| `PORT` |"));
  assert_string_equal(err_text, "");
}

TEST(config_main_refuses_unknown_arguments)
{
  assert_int_equal(RUN("--prot"), 2);
  assert_string_equal(err_text, "order-svc: unknown argument (see --help): --prot\n");
  assert_int_equal(RUN("file"), 2);
  assert_int_equal(RUN("--env-file"), 2);
  assert_string_equal(err_text, "order-svc: --env-file needs a file\n");
  assert_int_equal(flag, 42); /* written only on success */
}

#ifdef ORDERBUS_FAILPOINTS
TEST(config_main_reads_failpoints_after_the_settings)
{
  clear_environment();
  setenv("URL", "amqp://here", 1);
  setenv("BUS_FAILPOINTS", "nowhere=crash", 1);
  assert_int_equal(run((const char *const[]){NULL}), 2);
  assert_non_null(strstr(err_text, "order-svc: BUS_FAILPOINTS: this program has no point nowhere"));
  unsetenv("BUS_FAILPOINTS");
  const char *const in_file[] = {"--env-file", file_with("URL=amqp://here\nBUS_FAILPOINTS=nowhere=crash\n"), NULL};
  assert_int_equal(run(in_file), 2);
  unlink(in_file[1]);
  assert_non_null(strstr(err_text, "BUS_FAILPOINTS: this program has no point nowhere"));
  assert_int_equal(RUN("--print-failpoints"), 0);
  assert_string_equal(out, ""); /* it has none */
}
#endif

TEST(config_main_names_the_wrong_variable)
{
  clear_environment();
  setenv("URL", "amqp://here", 1);
  setenv("PORT", "70000", 1);
  assert_int_equal(run((const char *const[]){NULL}), 2);
  assert_string_equal(err_text, "order-svc: PORT is \"70000\", but must be an integer from 1 to 65535\n");
}

/* Taken silently, it would leave the default in force. */
TEST(config_main_refuses_unknown_variables_of_the_file)
{
  char expected[256];
  clear_environment();
  setenv("PROT", "1", 1); /* inherited: not the program's alone */
  const char *path = file_with("URL=amqp://here\nPROT=99\n");
  assert_int_equal(RUN("--env-file", path), 2);
  snprintf(expected, sizeof expected, "order-svc: %s: line 2: unknown variable PROT; the nearest known one is PORT\n",
           path);
  assert_string_equal(err_text, expected);
  unlink(path);
  path = file_with("URL=amqp://here\nPORT=99\n");
  assert_int_equal(RUN("--env-file", path), -1);
  unlink(path);
  assert_true(config_sample.port == 99);
  bus_config_done(config_tables, 2);
  unsetenv("PROT");
}

TEST(config_main_extra_flag_needs_no_environment)
{
  clear_environment();
  assert_int_equal(RUN("--other"), -1);
  assert_int_equal(flag, 1);
  assert_int_equal(RUN("--print-saga"), -1);
  assert_int_equal(flag, 0);
}

TEST(config_main_reads_a_file_and_the_environment_wins)
{
  clear_environment();
  const char *path = file_with("# test\nURL='amqp://file'\nPORT=1234\nNAME=file\nLEVEL=warn\n");
  setenv("PORT", "4321", 1);
  setenv("NAME", "", 1); /* empty counts as not set */
  assert_int_equal(RUN("--env-file", path), -1);
  assert_string_equal(config_sample.url, "amqp://file");
  assert_true(config_sample.port == 4321);
  assert_string_equal(config_sample.name, "file");
  assert_int_equal(config_sample.level, 2);
  bus_config_done(config_tables, 2);
  char argument[64];
  snprintf(argument, sizeof argument, "--env-file=%s", path);
  assert_int_equal(RUN(argument), -1);
  bus_config_done(config_tables, 2);
  unlink(path);
}

TEST(config_main_refuses_bad_files)
{
  clear_environment();
  assert_int_equal(RUN("--env-file", "/nonexistent/file"), 2);
  assert_string_equal(err_text, "order-svc: /nonexistent/file: No such file or directory\n");
  const char *path = file_with("URL=12345\noops\n");
  assert_int_equal(RUN("--env-file", path), 2);
  assert_non_null(strstr(err_text, ": line 2: KEY=value is expected\n"));
  unlink(path);
  assert_int_equal(RUN("--env-file", "/tmp"), 2);
  assert_int_equal(RUN("--env-file", "/dev/zero"), 2);
  assert_non_null(strstr(err_text, "larger than"));
}

/* ---- secrets in files ---- */

TEST(S1_a_secret_is_read_from_the_file_that_its_variable_names)
{
  clear_environment();
  const char *path = file_with("amqp://in-file\n");
  setenv("URL_FILE", path, 1);
  assert_int_equal(run((const char *const[]){NULL}), -1);
  assert_string_equal(config_sample.url, "amqp://in-file");
  bus_config_done(config_tables, 2);
  unlink(path);
}

/* The file of variables names that of the secret, behind what else it says. */
static void read_secret_behind(const char *first) {
  char secret[64], text[128];
  clear_environment();
  snprintf(secret, sizeof secret, "%s", file_with("amqp://in-file"));
  snprintf(text, sizeof text, "%sURL_FILE=%s\n", first, secret);
  const char *path = file_with(text);
  assert_int_equal(RUN("--env-file", path), -1);
  assert_string_equal(config_sample.url, "amqp://in-file");
  bus_config_done(config_tables, 2);
  unlink(secret);
  unlink(path);
}

TEST(S1_the_file_of_variables_may_name_the_file_of_a_secret)
{ read_secret_behind(""); }

TEST(S1_an_empty_secret_gives_way_to_its_file)
{ read_secret_behind("URL=\n"); }

TEST(S1_only_a_secret_has_a_file)
{
  char expected[256];
  clear_environment();
  setenv("NAME_FILE", "/nonexistent", 1); /* inherited: not the program's */
  setenv("URL", "amqp://here", 1);
  assert_int_equal(run((const char *const[]){NULL}), -1);
  assert_string_equal(config_sample.name, "");
  bus_config_done(config_tables, 2);
  const char *path = file_with("NAME_FILE=/nonexistent\n");
  assert_int_equal(RUN("--env-file", path), 2);
  snprintf(expected, sizeof expected, "order-svc: %s: line 1: unknown variable NAME_FILE", path);
  assert_memory_equal(err_text, expected, strlen(expected));
  unlink(path);
}

TEST(S1_a_secret_and_its_file_are_not_both_set)
{
  clear_environment();
  setenv("URL", "amqp://here", 1);
  setenv("URL_FILE", "/nonexistent", 1);
  assert_int_equal(run((const char *const[]){NULL}), 2);
  assert_string_equal(err_text, "order-svc: URL and URL_FILE are both set: set one of them\n");
}

static void refuse_file(const char *text, size_t len, mode_t mode, const char *problem) {
  char path[] = "/tmp/config-test-XXXXXX", expected[256];
  clear_environment();
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, len), (ssize_t)len);
  assert_int_equal(fchmod(fd, mode), 0);
  close(fd);
  setenv("URL_FILE", path, 1);
  assert_int_equal(run((const char *const[]){NULL}), 2);
  snprintf(expected, sizeof expected, "order-svc: URL_FILE: %s %s\n", path, problem);
  assert_string_equal(err_text, expected);
  unlink(path);
}

TEST(S1_a_file_that_is_no_secret_is_refused)
{
  static const char zeros[5000];
  refuse_file("amqp://here", 11, 0444, "has the mode 0444: only its owner and group may read it (0400 or 0440)");
  refuse_file("amqp://here", 11, 0460, "has the mode 0460: only its owner and group may read it (0400 or 0440)");
  refuse_file("amqp\0//", 7, 0400, "has a NUL");
  refuse_file(zeros, sizeof zeros, 0400, "is longer than 4095 bytes");
  clear_environment();
  setenv("URL_FILE", "/nonexistent/file", 1);
  assert_int_equal(run((const char *const[]){NULL}), 2);
  assert_string_equal(err_text, "order-svc: URL_FILE: /nonexistent/file: No such file or directory\n");
}

TEST(S1_an_empty_file_counts_as_not_set)
{
  for (size_t i = 0; i < 2; i++) {
    clear_environment();
    const char *path = file_with(i == 0 ? "" : "\n");
    setenv("URL_FILE", path, 1);
    assert_int_equal(run((const char *const[]){NULL}), 2);
    assert_non_null(strstr(err_text, "order-svc: URL is not set"));
    setenv("URL", "amqp://here", 1);
    setenv("COLOR_FILE", path, 1);
    unsetenv("URL_FILE");
    assert_int_equal(run((const char *const[]){NULL}), -1);
    assert_string_equal(config_other.color.text, "hunter2");
    bus_config_done(config_tables, 2);
    unlink(path);
  }
}

TEST(S1_a_group_may_read_a_secret_and_its_value_is_checked_and_not_shown)
{
  clear_environment();
  const char *path = file_with("abc");
  assert_int_equal(chmod(path, 0440), 0);
  setenv("URL_FILE", path, 1);
  assert_int_equal(run((const char *const[]){NULL}), 2);
  assert_string_equal(err_text, "order-svc: URL must be text of 5 to 60 bytes, or in the file that URL_FILE names (its "
                                "value is secret)\n");
  unlink(path);
}

TEST(config_main_reads_the_settings_for_a_health_check)
{
  clear_environment();
  setenv("URL", "amqp://here", 1);
  setenv("PORT", "99", 1);
  assert_int_equal(RUN("--health"), -1);
  assert_int_equal(flag, 2);
  assert_true(config_sample.port == 99);
  bus_config_done(config_tables, 2);
  setenv("PORT", "none", 1);
  assert_int_equal(RUN("--health"), 2);
}
