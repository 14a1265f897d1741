/* One table, three forms: --help, .env.example and the README's table. Defaults of secrets are never shown. */
#include <bus/config.h>

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "config_option.h"

enum { TEXT_SIZE = 1024 };

struct printer {
  void (*write)(void *context, const char *text);
  void *context;
};

BUS_PRINTF(2, 3)
static void say(const struct printer *p, const char *format, ...) {
  char text[TEXT_SIZE];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  assert(len < TEXT_SIZE); /* tables hold no longer texts */
  (void)len;
  p->write(p->context, text);
}

/* NULL: must be given. */
static const char *shown_default(const struct bus_option *option) {
  return option->secret && option->fallback ? "(secret)" : option->fallback;
}

static void print_help(const struct printer *p, const struct bus_option *option) {
  const char *fallback = shown_default(option);
  char range[BUS_OPTION_RANGE_TEXT];
  bus_option_range(option, range);
  say(p, "  %-30s %s: %s%s%s\n", option->name, option->description, range,
      fallback == NULL ? "; must be set"
      : fallback[0]    ? "; default "
                       : "; default empty",
      fallback ? fallback : "");
}

static void print_env(const struct printer *p, const struct bus_option *option) {
  char range[BUS_OPTION_RANGE_TEXT];
  bus_option_range(option, range);
  say(p, "# %s: %s%s\n%s=%s\n\n", option->description, range, option->fallback ? "" : "; must be set", option->name,
      option->fallback && !option->secret ? option->fallback : "");
}

/* A bar would end the table's cell. */
static void say_cell(const struct printer *p, const char *text) {
  for (; *text; text++)
    say(p, "%s%c", *text == '|' ? "\\" : "", *text);
}

static void print_markdown(const struct printer *p, const struct bus_option *option) {
  char range[BUS_OPTION_RANGE_TEXT];
  bus_option_range(option, range);
  const char *fallback = shown_default(option);
  bool code = fallback && fallback[0] && !option->secret;
  say(p, "| `%s` | ", option->name);
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
