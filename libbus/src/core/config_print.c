/* One table, three forms: --help, .env.example and the README's table. Defaults of secrets are never shown. */
#include <bus/config.h>

#include <stdio.h>

#include "config_option.h"

struct printer {
  void (*write)(void *context, const char *text);
  void *context;
};

static void say(const struct printer *p, const char *text) {
  p->write(p->context, text);
}

/* NULL: must be given. */
static const char *shown_default(const struct bus_option *option) {
  return option->secret && option->fallback ? "(secret)" : option->fallback;
}

static void print_help(const struct printer *p, const struct bus_option *option) {
  char range[BUS_OPTION_RANGE_TEXT], name[64];
  bus_option_range(option, range);
  snprintf(name, sizeof name, "  %-30s ", option->name);
  say(p, name);
  say(p, option->description);
  say(p, ": ");
  say(p, range);
  const char *fallback = shown_default(option);
  say(p, fallback == NULL ? "; must be set" : fallback[0] ? "; default " : "; default empty");
  say(p, fallback ? fallback : "");
  say(p, "\n");
}

static void print_env(const struct printer *p, const struct bus_option *option) {
  char range[BUS_OPTION_RANGE_TEXT];
  bus_option_range(option, range);
  say(p, "# ");
  say(p, option->description);
  say(p, ": ");
  say(p, range);
  say(p, option->fallback ? "\n" : "; must be set\n");
  say(p, option->name);
  say(p, "=");
  say(p, option->fallback && !option->secret ? option->fallback : "");
  say(p, "\n\n");
}

/* A bar would end the table's cell. */
static void say_cell(const struct printer *p, const char *text) {
  char one[2] = "";
  for (; *text; text++) {
    one[0] = *text;
    say(p, *text == '|' ? "\\|" : one);
  }
}

static void print_markdown(const struct printer *p, const struct bus_option *option) {
  char range[BUS_OPTION_RANGE_TEXT];
  bus_option_range(option, range);
  const char *fallback = shown_default(option);
  bool code = fallback && fallback[0] && !option->secret;
  say(p, "| `");
  say(p, option->name);
  say(p, "` | ");
  say_cell(p, option->description);
  say(p, " | ");
  say_cell(p, range);
  say(p, code ? " | `" : " | ");
  say_cell(p, fallback == NULL ? "must be set" : fallback[0] ? fallback : "empty");
  say(p, code ? "` |\n" : " |\n");
}

void bus_config_print(const struct bus_option_table *tables, size_t table_count, enum bus_config_format format,
                      void (*write)(void *context, const char *text), void *context) {
  static void (*const print[])(const struct printer *, const struct bus_option *) = {
      [BUS_CONFIG_HELP] = print_help, [BUS_CONFIG_ENV_EXAMPLE] = print_env, [BUS_CONFIG_MARKDOWN] = print_markdown};
  struct printer printer = {write, context};
  if (format == BUS_CONFIG_MARKDOWN)
    say(&printer, "| variable | what | value | default |\n|---|---|---|---|\n");
  for (size_t i = 0; i < table_count; i++)
    for (size_t j = 0; j < tables[i].count; j++)
      print[format](&printer, &tables[i].options[j]);
}
