/* The problems of a document: their list, and its one-line text. */
#include <stdio.h>

#include "field_value.h"

void bus_problem_add_args(struct bus_problems *problems, const char *path, const char *format, va_list args) {
  size_t n = problems->count++;
  if (n >= BUS_PROBLEMS_MAX)
    return;
  struct bus_problem *problem = &problems->items[n];
  problem->value[0] = '\0';
  snprintf(problem->path, sizeof problem->path, "%s", path);
  vsnprintf(problem->text, sizeof problem->text, format, args); /* NOLINT(clang-analyzer-valist.Uninitialized) */
}

void bus_problem_add(struct bus_problems *problems, const char *path, const char *format, ...) {
  if (problems == NULL)
    return;
  va_list args;
  va_start(args, format);
  bus_problem_add_args(problems, path, format, args);
  va_end(args);
}

static const char no_memory[] = "out of memory";

void bus_problem_add_no_memory(struct bus_problems *problems) {
  if (problems && !bus_problems_no_memory(problems))
    bus_problem_add(problems, "", "%s", no_memory);
}

bool bus_problems_no_memory(const struct bus_problems *problems) {
  for (size_t i = 0; i < problems->count && i < BUS_PROBLEMS_MAX; i++)
    if (problems->items[i].path[0] == '\0' && strcmp(problems->items[i].text, no_memory) == 0)
      return true;
  return false;
}

/* As much of it as there is room for. */
static void append_problem(char *text, size_t size, const char *more) {
  size_t len = strlen(text);
  snprintf(text + len, size - len, "%s", more);
}

void bus_problems_text(const struct bus_problems *problems, char *text, size_t size) {
  if (size == 0)
    return;
  text[0] = '\0';
  for (size_t i = 0; i < problems->count && i < BUS_PROBLEMS_MAX; i++) {
    const struct bus_problem *problem = &problems->items[i];
    append_problem(text, size, i > 0 ? "; " : "");
    append_problem(text, size, problem->path);
    append_problem(text, size, problem->path[0] ? " " : "");
    append_problem(text, size, problem->text);
  }
  if (problems->count > BUS_PROBLEMS_MAX) {
    char more[48];
    snprintf(more, sizeof more, "; and %zu more", problems->count - BUS_PROBLEMS_MAX);
    append_problem(text, size, more);
  }
}
