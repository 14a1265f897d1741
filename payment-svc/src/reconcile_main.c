/* payment-reconcile: prints where payments.ledger and the provider's records differ. Each is a file of lines
 * (reconcile.h), sorted by LC_ALL=C sort; psp-records makes the second. */
#include "reconcile.h"

#include <stdio.h>
#include <stdlib.h>

enum { EQUAL, DIFFERENT, FAILED };

struct source {
  const char *name;
  FILE *file;
  char *text;
  size_t room;
  int64_t lines;
  bool has_line;
  struct reconcile_line line;
};

static int usage(void) {
  (void)fputs("usage: payment-reconcile OURS THEIRS [SINCE UNTIL]\n"
              "Prints where two sorted files of movements differ, one difference a line.\n"
              "SINCE, UNTIL: Unix seconds; what is on one side alone counts only if it is in between.\n"
              "Exit status: 0 equal, 1 they differ, 2 could not be compared.\n",
              stderr); /* nowhere else to complain */
  return FAILED;
}

static void print_difference(void *context, const char *order, const char *text) {
  (void)context;
  printf("%s: %s\n", strcmp(order, RECONCILE_NO_ORDER) == 0 ? "no order" : order, text);
}

/* False: the file cannot be read, or is not what it must be. At its end has_line is false. */
static bool read_next(struct source *source) {
  struct reconcile_line before = source->line;
  bool had_line = source->has_line;
  ssize_t len = getline(&source->text, &source->room, source->file);
  source->has_line = len > 0;
  if (len <= 0)
    return !ferror(source->file);
  source->lines++;
  if (source->text[len - 1] == '\n')
    len--;
  const char *problem = NULL;
  if (!reconcile_line_parse((struct bus_str){source->text, (size_t)len}, &source->line))
    problem = "is not a movement";
  else if (had_line && strcmp(before.order, source->line.order) > 0)
    problem = "is not sorted (LC_ALL=C sort)";
  if (problem)
    (void)fprintf(stderr, "%s: line %lld %s\n", source->name, (long long)source->lines, problem);
  return problem == NULL;
}

static bool open_source(struct source *source) {
  source->file = fopen(source->name, "r");
  if (source->file == NULL)
    perror(source->name);
  return source->file && read_next(source);
}

static void close_source(struct source *source) {
  if (source->file)
    (void)fclose(source->file); /* it was only read */
  free(source->text);
}

/* The one whose order comes first; NULL: both are at their ends. */
static struct source *next_of(struct source *ours, struct source *theirs) {
  if (!ours->has_line || !theirs->has_line)
    return ours->has_line ? ours : theirs->has_line ? theirs : NULL;
  return strcmp(ours->line.order, theirs->line.order) <= 0 ? ours : theirs;
}

static bool merge(struct source *ours, struct source *theirs, struct reconcile *reconcile) {
  struct source *next;
  while ((next = next_of(ours, theirs)) != NULL) {
    reconcile_add(reconcile, &next->line, next == theirs);
    if (!read_next(next))
      return false;
  }
  reconcile_end(reconcile);
  return true;
}

static int compare(const char *our_name, const char *their_name, struct reconcile *reconcile) {
  struct source ours = {.name = our_name}, theirs = {.name = their_name};
  bool done = open_source(&ours) && open_source(&theirs) && merge(&ours, &theirs, reconcile);
  close_source(&ours);
  close_source(&theirs);
  if (!done || fflush(stdout) != 0)
    return FAILED;
  (void)fprintf(stderr, "%zu orders, %zu differences, %zu under way\n", reconcile->orders, reconcile->differences,
                reconcile->open); /* a summary: stdout has it all */
  return reconcile->differences > 0 ? DIFFERENT : EQUAL;
}

int main(int argc, char **argv) {
  struct reconcile reconcile = {.until = INT64_MAX, .report = print_difference};
  if (argc != 3 && argc != 5)
    return usage();
  if (argc == 5) {
    char *since_end, *until_end;
    reconcile.since = strtoll(argv[3], &since_end, 10);
    reconcile.until = strtoll(argv[4], &until_end, 10);
    if (*since_end || *until_end)
      return usage();
  }
  return compare(argv[1], argv[2], &reconcile);
}
