/* The README's table of states is the program's. */
#include <payment_table.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>

struct text {
  char *data;
  size_t len;
};

static void append(void *context, const char *more) {
  struct text *text = context;
  size_t len = strlen(more);
  text->data = realloc(text->data, text->len + len + 1);
  memcpy(text->data + text->len, more, len + 1);
  text->len += len;
}

static struct text readme(void) {
  struct text text = {NULL, 0};
  char buffer[4096];
  FILE *file = fopen(README, "r");
  assert_non_null(file);
  while (fgets(buffer, sizeof buffer, file))
    append(&text, buffer);
  (void)fclose(file); /* only read */
  return text;
}

static void assert_holds(struct text *part, const char *how) {
  struct text all = readme();
  if (!all.data || !part->data || !strstr(all.data, part->data))
    fail_msg("README.md differs from what %s prints:\n%s", how, part->data ? part->data : "nothing");
  free(all.data);
  free(part->data);
}

TEST(readme_has_the_table_of_states)
{
  struct text table = {NULL, 0};
  payment_table_print(append, &table);
  append(&table, "\n"); /* the end of a table: a part of it is not enough */
  assert_holds(&table, "--print-states");
}
