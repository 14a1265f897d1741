/* Start of every program's main: its arguments, the file of --env-file, and the environment. */
#include <bus/config.h>
#include <bus/failpoint.h>
#include <bus/log.h>
#include <bus/process.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config_secret.h"

enum { EXIT_USAGE = 2, ENV_FILE_MAX = 64 * 1024, ENV_VALUE_MAX = 4096, COMPLAINT_SIZE = 4096 };

struct program {
  const char *name, *version, *summary;
  const struct bus_option_table *tables;
  size_t table_count;
  const char *const *extra;
};

struct environment {
  char *file; /* contents of the file, or NULL */
  size_t file_len;
  char value[ENV_VALUE_MAX]; /* what the last lookup found in the file */
  struct config_secrets secrets;
};

static void print_out(void *context, const char *text) {
  fputs(text, context);
}

static void print_usage(const struct program *program) {
  printf("usage: %s [--env-file FILE]", program->name);
  for (size_t i = 0; program->extra && program->extra[i]; i++)
    printf(" [%s]", program->extra[i]);
  printf("\n       %s --help | --version | --print-env | --print-markdown\n\n%s\n\nEnvironment:\n", program->name,
         program->summary);
}

static int complain(const struct program *program, const char *problem, const char *what) {
  char text[COMPLAINT_SIZE];
  int len = snprintf(text, sizeof text, "%s: %s%s%s\n", program->name, problem, what ? " " : "", what ? what : "");
  bus_log_last_text((struct bus_str){text, len < (int)sizeof text ? (size_t)len : sizeof text - 1});
  return EXIT_USAGE;
}

/* False: the argument asks for no text. */
static bool print_what_is_asked(const struct program *program, const char *argument) {
  static const char *const forms[] = {[BUS_CONFIG_HELP] = "--help",
                                      [BUS_CONFIG_ENV_EXAMPLE] = "--print-env",
                                      [BUS_CONFIG_MARKDOWN] = "--print-markdown"};
  for (size_t i = 0; i < BUS_COUNT(forms); i++) {
    if (strcmp(argument, forms[i]) != 0)
      continue;
    if (i == BUS_CONFIG_HELP)
      print_usage(program);
    bus_config_print(program->tables, program->table_count, (enum bus_config_format)i, print_out, stdout);
    return true;
  }
#ifdef ORDERBUS_FAILPOINTS
  if (strcmp(argument, "--print-failpoints") == 0) {
    bus_failpoints_print(stdout, print_out);
    return true;
  }
#endif
  if (strcmp(argument, "--version") != 0)
    return false;
  printf("%s %s\n", program->name, program->version);
  return true;
}

static int find_extra(const struct program *program, const char *argument) {
  for (int i = 0; program->extra && program->extra[i]; i++)
    if (strcmp(program->extra[i], argument) == 0)
      return i;
  return -1;
}

/* -1: all understood. */
static int read_arguments(const struct program *program, int argc, char **argv, const char **ret_file, int *ret_flag) {
  for (int i = 1; i < argc; i++) {
    int flag = find_extra(program, argv[i]);
    if (print_what_is_asked(program, argv[i]))
      return EXIT_SUCCESS;
    if (flag >= 0)
      *ret_flag = flag;
    else if (strncmp(argv[i], "--env-file=", strlen("--env-file=")) == 0)
      *ret_file = argv[i] + strlen("--env-file=");
    else if (strcmp(argv[i], "--env-file") != 0)
      return complain(program, "unknown argument (see --help):", argv[i]);
    else if (i + 1 < argc)
      *ret_file = argv[++i];
    else
      return complain(program, "--env-file needs a file", NULL);
  }
  return -1;
}

static bool check_file(const struct program *program, const struct environment *environment, struct bus_error *err) {
  const struct bus_str file = {environment->file, environment->file_len};
  return bus_env_check(file, err) &&
         bus_env_check_names(file, program->tables, program->table_count, bus_failpoint_variables, err);
}

static bool slurp(const struct program *program, const char *path, struct environment *environment,
                  struct bus_error *err) {
  FILE *file = fopen(path, "re");
  if (file == NULL)
    return bus_fail(err, BUS_E_CONFIG, "%s: %s", path, strerror(errno));
  environment->file = malloc(ENV_FILE_MAX + 1);
  if (environment->file)
    environment->file_len = fread(environment->file, 1, ENV_FILE_MAX + 1, file);
  bool failed = environment->file == NULL || ferror(file);
  fclose(file);
  if (failed)
    return bus_fail(err, BUS_E_CONFIG, "%s: cannot be read", path);
  if (environment->file_len > ENV_FILE_MAX)
    return bus_fail(err, BUS_E_CONFIG, "%s: larger than %d bytes", path, ENV_FILE_MAX);
  return check_file(program, environment, err) || bus_error_wrap(err, "%s", path);
}

/* The environment wins over the file; an empty variable counts as not set. */
static const char *lookup_variable(void *context, const char *name) {
  struct environment *environment = context;
  const char *value = getenv(name);
  if (value && value[0])
    return value;
  struct bus_str file = {environment->file, environment->file_len};
  bool found = environment->file && bus_env_find(file, name, environment->value, sizeof environment->value);
  return found && environment->value[0] ? environment->value : NULL;
}

static const char *lookup(void *context, const char *name) {
  struct environment *environment = context;
  const char *value = lookup_variable(environment, name);
  return value ? value : config_secrets_find(&environment->secrets, name);
}

/* Secrets were in there. */
static void forget(struct environment *environment) {
  if (environment->file)
    explicit_bzero(environment->file, environment->file_len);
  free(environment->file);
  explicit_bzero(environment->value, sizeof environment->value);
  config_secrets_done(&environment->secrets);
}

static bool read_environment(const struct program *program, const char *path, struct bus_error *err) {
  struct environment environment = {0};
  bool done = (path == NULL || slurp(program, path, &environment, err)) &&
              config_secrets_read(program->tables, program->table_count, lookup_variable, &environment,
                                  &environment.secrets, err) &&
              bus_config_read(program->tables, program->table_count, lookup, &environment, err);
  if (done && !bus_failpoints_read(lookup, &environment, err)) {
    bus_config_done(program->tables, program->table_count);
    done = false;
  }
  forget(&environment);
  return done;
}

static bool needs_settings(const struct program *program, int flag) {
  return flag < 0 || strcmp(program->extra[flag], BUS_FLAG_HEALTH) == 0;
}

int bus_config_main(int argc, char **argv, const char *program, const char *version, const char *summary,
                    const struct bus_option_table *tables, size_t table_count, const char *const *extra,
                    int *ret_flag) {
  struct program self = {program, version ? version : ORDERBUS_VERSION, summary, tables, table_count, extra};
  const char *path = NULL;
  struct bus_error err;
  bus_process_standard_files();
  int flag = -1, status = read_arguments(&self, argc, argv, &path, &flag);
  if (status >= 0)
    return status;
  if (needs_settings(&self, flag) && !read_environment(&self, path, &err))
    return complain(&self, err.text, NULL);
  if (ret_flag)
    *ret_flag = flag;
  return -1;
}
