/* Runs one of an operator's programs against the test's broker, and keeps what it says. */
#pragma once

#include <sys/types.h>

enum { OUTPUT_MAX = 1 << 16 };

struct output {
  int status;            /* -1: it did not end by itself */
  char text[OUTPUT_MAX]; /* both streams */
};

/* words: its arguments, from its name on, NULL-terminated. url: goes into its environment; NULL: none. */
void run_program(struct output *ret, const char *path, const char *const *words, const char *url, const char *input);
/* Reads from fd all that the child writes into the pipe, and closes fd. */
void collect_output(struct output *ret, pid_t child, int fd);
void assert_says(const struct output *output, const char *text);
