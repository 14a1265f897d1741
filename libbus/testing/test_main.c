/* Runs the registered cases: all of them, or the one that the first argument names. */
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MAX_CASES = 512 };

static struct CMUnitTest cases[MAX_CASES];
static size_t case_count;

void test_register(const char *name, void (*run)(void **state)) {
  if (case_count < MAX_CASES)
    cases[case_count++] = (struct CMUnitTest){.name = name, .test_func = run};
}

int main(int argc, char **argv) {
  if (argc < 2)
    return _cmocka_run_group_tests(argv[0], cases, case_count, NULL, NULL);
  for (size_t i = 0; i < case_count; i++)
    if (strcmp(cases[i].name, argv[1]) == 0)
      return _cmocka_run_group_tests(argv[1], &cases[i], 1, NULL, NULL);
  fprintf(stderr, "%s: no case %s\n", argv[0], argv[1]);
  return 2;
}
