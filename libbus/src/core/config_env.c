/* The text of a .env file: KEY=value lines, comments, optional quotes. No expansion, no escapes. */
#include <bus/config.h>

#include "ascii.h"
#include "edit_distance.h"

enum { LINE_MAX_BYTES = 4095 };
#define BLANKS " \t\r"

static bool is_blank(struct bus_str line) {
  struct bus_str text = ascii_trim(line, BLANKS);
  return text.len == 0 || text.data[0] == '#';
}

static bool is_name_char(char c, bool first) {
  return c == '_' || (ascii_is_alphanumeric(c) && !(first && ascii_is_digit(c)));
}

/* NULL: the line is well formed. Text between quotes is literal; '#' begins a comment only at the beginning of a
 * line. */
static const char *split(struct bus_str line, struct bus_str *ret_name, struct bus_str *ret_value) {
  struct bus_str text = ascii_trim(line, BLANKS);
  size_t len = 0;
  while (len < text.len && is_name_char(text.data[len], len == 0))
    len++;
  if (len == 0 || len == text.len || text.data[len] != '=')
    return "KEY=value is expected";
  struct bus_str value = ascii_trim((struct bus_str){text.data + len + 1, text.len - len - 1}, BLANKS);
  if (value.len > 0 && (value.data[0] == '"' || value.data[0] == '\'')) {
    const char *end = memchr(value.data + 1, value.data[0], value.len - 1);
    if (end == NULL)
      return "a quote does not end";
    if (end != value.data + value.len - 1)
      return "text behind the closing quote";
    value = (struct bus_str){value.data + 1, value.len - 2};
  }
  *ret_name = (struct bus_str){text.data, len};
  *ret_value = value;
  return NULL;
}

/* If several lines set one name, the last one counts, as in a shell. */
bool bus_env_find(struct bus_str env, const char *name, char *value, size_t size) {
  struct bus_str found_name, text, found = BUS_NO_STR;
  while (env.len > 0) {
    struct bus_str line = bus_str_cut(&env, '\n');
    if (!is_blank(line) && split(line, &found_name, &text) == NULL && bus_str_is(found_name, name))
      found = text;
  }
  if (found.data == NULL || found.len >= size)
    return false;
  memcpy(value, found.data, found.len);
  value[found.len] = '\0';
  return true;
}

bool bus_env_check(struct bus_str env, struct bus_error *err) {
  struct bus_str name, value;
  for (int number = 1; env.len > 0; number++) {
    struct bus_str line = bus_str_cut(&env, '\n');
    if (line.len > LINE_MAX_BYTES || (line.len > 0 && memchr(line.data, '\0', line.len)))
      return bus_fail(err, BUS_E_CONFIG, "line %d: longer than %d bytes or with NUL", number, LINE_MAX_BYTES);
    const char *problem = is_blank(line) ? NULL : split(line, &name, &value);
    if (problem)
      return bus_fail(err, BUS_E_CONFIG, "line %d: %s", number, problem);
  }
  return true;
}

/* ---- variables that a program does not know ---- */

struct search {
  struct bus_str name;
  const char *nearest;
  size_t distance;
};

static void compare(struct search *search, const char *known) {
  bool is_it = bus_str_is(search->name, known);
  size_t distance = is_it ? 0 : bus_edit_distance(search->name, bus_str(known)) + 1;
  if (search->nearest && distance >= search->distance)
    return;
  search->nearest = known;
  search->distance = distance;
}

static bool names_file_of(struct bus_str name, const struct bus_option *option) {
  size_t len = strlen(option->name);
  return option->secret && name.len > len && memcmp(name.data, option->name, len) == 0 &&
         bus_str_is((struct bus_str){name.data + len, name.len - len}, BUS_SECRET_FILE);
}

static void compare_option(struct search *search, const struct bus_option *option) {
  compare(search, option->name);
  if (names_file_of(search->name, option))
    search->distance = 0;
}

/* distance 0: it is that one. */
static struct search find_nearest(struct bus_str name, const struct bus_option_table *tables, size_t table_count,
                                  const char *const *others) {
  struct search search = {.name = name};
  for (size_t i = 0; i < table_count; i++)
    for (size_t j = 0; j < tables[i].count; j++)
      compare_option(&search, &tables[i].options[j]);
  for (; others && *others; others++)
    compare(&search, *others);
  return search;
}

bool bus_env_check_names(struct bus_str env, const struct bus_option_table *tables, size_t table_count,
                         const char *const *others, struct bus_error *err) {
  struct bus_str name, value;
  for (int number = 1; env.len > 0; number++) {
    struct bus_str line = bus_str_cut(&env, '\n');
    if (is_blank(line) || split(line, &name, &value) != NULL)
      continue;
    struct search search = find_nearest(name, tables, table_count, others);
    if (search.distance == 0 && search.nearest)
      continue;
    return bus_fail(err, BUS_E_CONFIG, "line %d: unknown variable %.*s; the nearest known one is %s", number,
                    (int)(name.len < BUS_EDIT_MAX ? name.len : BUS_EDIT_MAX), name.data,
                    search.nearest ? search.nearest : "none");
  }
  return true;
}
