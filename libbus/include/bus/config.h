/*
 * Configuration from one table per program: it drives parsing, --help, `.env.example` and the README's table. Values
 * come from the environment, and from the file that --env-file names (lines KEY=value, '#' comments, optional quotes;
 * the environment wins). A malformed value stops the start; the error has the variable's name, value and range. So does
 * an unknown variable of the file; the environment may hold variables of other programs. Secrets are never printed.
 * A secret NAME may stand in a file instead, such as a credential of systemd: the variable NAME_FILE names it. An empty
 * file counts as a secret that is not set. Users of a credential read the file again when they need it.
 * Reading and checking are pure over a lookup function; only bus_config_main touches the process.
 */
#pragma once

#include <bus/base.h>
#include <bus/error.h>

BUS_C_BEGIN

enum bus_option_kind {
  BUS_OPTION_STRING,     /* const char *; min and max count bytes */
  BUS_OPTION_CREDENTIAL, /* struct bus_credential; the same, for a secret that may change while the program runs */
  BUS_OPTION_INT,        /* int64_t in [min, max] */
  BUS_OPTION_BOOL,       /* bool: true/false/1/0/yes/no/on/off */
  BUS_OPTION_ENUM,       /* int: index into names */
};

/* A secret, and where to read it again. */
struct bus_credential {
  const char *text;
  const char *file; /* that NAME_FILE names; NULL: the text stands in NAME and never changes */
};

struct bus_option {
  const char *name; /* "PORT" */
  enum bus_option_kind kind;
  size_t offset;        /* in the program's own settings struct */
  const char *fallback; /* default as text; NULL: must be given */
  int64_t min, max;
  const char *const *names; /* ENUM */
  bool secret;
  const char *unit; /* "ms", "bytes", or NULL */
  const char *description;
};

/* Several tables make one program's configuration: libbus's and its own. */
struct bus_option_table {
  const struct bus_option *options;
  size_t count;
  void *settings; /* the struct that offsets count from */
};

/* Fills every settings struct, or names the first wrong variable. Strings are owned by the table's process-long copy.
 * lookup returns NULL for what is not set; an empty value counts as not set. */
bool bus_config_read(const struct bus_option_table *tables, size_t table_count,
                     const char *(*lookup)(void *context, const char *name), void *context,
                     struct bus_error *err) BUS_MUST_CHECK;
/* Frees the strings that bus_config_read made. */
void bus_config_done(const struct bus_option_table *tables, size_t table_count);

/* Behind the name of a secret: the variable that names its file. */
#define BUS_SECRET_FILE "_FILE"

/* `name` in `env` text (a whole .env file's contents), copied into value; false where it is not set. A malformed line
 * is found by bus_env_check, with its number. */
bool bus_env_find(struct bus_str env, const char *name, char *value, size_t size);
/* Checks the whole text. False: the error names the first malformed line by its number (BUS_E_CONFIG). */
bool bus_env_check(struct bus_str env, struct bus_error *err) BUS_MUST_CHECK;
/* Refuses a variable that is in none of the tables, is no NAME_FILE of a secret, and is not among `others`
 * (NULL-terminated, or NULL): names its line, the variable and the nearest known one, never the value. */
bool bus_env_check_names(struct bus_str env, const struct bus_option_table *tables, size_t table_count,
                         const char *const *others, struct bus_error *err) BUS_MUST_CHECK;

enum bus_config_format { BUS_CONFIG_HELP, BUS_CONFIG_ENV_EXAMPLE, BUS_CONFIG_MARKDOWN };
/* Writes the tables in that form by `write` (context first). */
void bus_config_print(const struct bus_option_table *tables, size_t table_count, enum bus_config_format format,
                      void (*write)(void *context, const char *text), void *context);

/* The content of a file that holds a secret, with a NUL and without the line end that editors add. Refused: a file that
 * has a NUL, does not fit into `size`, or that others than its owner and group may read or any but its owner
 * may write. */
bool bus_secret_file_read(const char *path, char *text, size_t size, struct bus_error *err) BUS_MUST_CHECK;

/* An extra flag that needs the settings: the program asks its own /health/ready (bus/probe.h) and ends. */
#define BUS_FLAG_HEALTH "--health"

/* Start of every program's main. Handles --help, --version, --print-env (.env.example), --print-markdown (README
 * table), --env-file FILE, and then reads the environment. An unknown argument or an invalid variable is printed on
 * stderr. extra: further flags without value that the program handles itself (NULL-terminated, or NULL), e.g.
 * "--print-saga". With such a flag, BUS_FLAG_HEALTH aside, the environment is not read and the settings stay unchanged,
 * because the program only prints and ends. Returns -1 to go on, else the exit status: 2 for every mistake. *ret_flag:
 * index of the extra flag given, or -1. version: the program's own, for --version; NULL: libbus's. */
int bus_config_main(int argc, char **argv, const char *program, const char *version, const char *summary,
                    const struct bus_option_table *tables, size_t table_count, const char *const *extra, int *ret_flag);

BUS_C_END
