/* README.md has the table that the program prints. */
#include "inventory_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <test.h>

static char printed[4096];

static void collect(void *context, const char *text) {
  (void)context;
  assert_true(strlen(printed) + strlen(text) < sizeof printed);
  memcpy(printed + strlen(printed), text, strlen(text) + 1);
}

static char *read_readme(void) {
  FILE *file = fopen(README, "r");
  assert_non_null(file);
  char *text = calloc(1, 65536);
  assert_non_null(text);
  assert_true(fread(text, 1, 65535, file) > 0);
  fclose(file);
  return text;
}

TEST(the_readme_shows_this_table)
{
  reservation_print_table(collect, NULL);
  collect(NULL, "\n"); /* the end of a table: a part of it is not enough */
  char *readme = read_readme();
  bool found = strstr(readme, printed) != NULL;
  if (!found)
    print_message("%s", printed);
  free(readme);
  assert_true(found);
}
