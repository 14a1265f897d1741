/* order-audit: reads orders with their logs from stdin, one JSON object a line, and prints where a row is not the fold
 * of its log:  psql -qAtc 'SELECT line FROM orders.audit_lines' … | order-audit */
#include "order_audit.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_LIMIT = 64 << 20 };

static void print_difference(void *context, const char *order_id, const char *text) {
  const size_t *line = context;
  printf("line %zu: %s: %s\n", *line, order_id[0] ? order_id : "no order", text);
}

static int usage(void) {
  (void)fputs("usage: order-audit < LINES\n"
              "Reads lines of the view orders.audit_lines and prints where a row is not the fold of its log.\n"
              "Exit status: 0 none differs, 1 some differ, 2 could not be read.\n",
              stderr); /* nowhere else to complain */
  return 2;
}

static int audit_stdin(struct bus_arena *arena) {
  char *text = NULL;
  size_t room = 0, line = 0, differences = 0;
  ssize_t len;
  while ((len = getline(&text, &room, stdin)) > 0) {
    line++;
    if (text[len - 1] == '\n')
      len--;
    differences += order_audit_line((struct bus_str){text, (size_t)len}, arena, print_difference, &line);
    bus_arena_reset(arena);
  }
  free(text);
  if (ferror(stdin) || fflush(stdout) != 0)
    return 2;
  (void)fprintf(stderr, "%zu orders, %zu differences\n", line, differences); /* for whoever looks; stdout has it all */
  return differences > 0 ? 1 : 0;
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1)
    return usage();
  struct bus_arena *arena = bus_arena_new(ARENA_LIMIT);
  int status = arena ? audit_stdin(arena) : 2;
  bus_arena_free(arena);
  return status;
}
