/* Reading a program's configuration: every value is checked before the first one is stored. */
#include <bus/config.h>

#include <stdio.h>
#include <stdlib.h>

#include "config_option.h"

enum { SHOWN_VALUE_MAX = 40, NAME_SIZE = 128 };

struct source {
  const char *(*lookup)(void *context, const char *name);
  void *context;
};

/* NULL: neither given nor with a default. */
static const char *text_of(const struct bus_option *option, const struct source *source) {
  const char *text = source->lookup(source->context, option->name);
  return text && text[0] ? text : option->fallback;
}

static bool refuse_value(const struct bus_option *option, const char *text, struct bus_error *err) {
  char range[BUS_OPTION_RANGE_TEXT];
  bus_option_range(option, range);
  if (text == NULL)
    return bus_fail(err, BUS_E_CONFIG, "%s is not set and has no default: it must be %s (%s)", option->name, range,
                    option->description);
  if (option->secret)
    return bus_fail(err, BUS_E_CONFIG, "%s must be %s (its value is secret)", option->name, range);
  return bus_fail(err, BUS_E_CONFIG, "%s is \"%.*s\", but must be %s", option->name, SHOWN_VALUE_MAX, text, range);
}

static bool read_option(const struct bus_option *option, const struct source *source, struct bus_option_value *ret,
                        struct bus_error *err) {
  const char *text = text_of(option, source);
  if (text && bus_option_parse(option, text, ret))
    return true;
  (void)refuse_value(option, text, err); /* says why, and never succeeds */
  return false;
}

static void forget_string(void *slot, bool secret) {
  char *text;
  memcpy(&text, slot, sizeof text);
  if (text && secret)
    explicit_bzero(text, strlen(text));
  free(text);
  memset(slot, 0, sizeof text);
}

static void forget_credential(struct bus_credential *credential) {
  forget_string(&credential->text, true);
  forget_string(&credential->file, false);
}

static bool store_string(const char *text, void *slot) {
  char *copy = strdup(text);
  if (copy)
    memcpy(slot, &copy, sizeof copy);
  return copy != NULL;
}

/* A file that could not be kept leaves nothing. */
static bool store_credential(const struct bus_option *option, const char *text, const struct source *source,
                             struct bus_credential *ret) {
  char variable[NAME_SIZE];
  (void)snprintf(variable, sizeof variable, "%s" BUS_SECRET_FILE, option->name);
  const char *file = source->lookup(source->context, variable);
  *ret = (struct bus_credential){strdup(text), file ? strdup(file) : NULL};
  if (ret->text && (!file || ret->file))
    return true;
  forget_credential(ret);
  return false;
}

static bool store(const struct bus_option *option, const struct bus_option_value *value, const struct source *source,
                  void *settings) {
  void *slot = (char *)settings + option->offset;
  switch (option->kind) {
  case BUS_OPTION_STRING:
    return store_string(value->text, slot);
  case BUS_OPTION_CREDENTIAL:
    return store_credential(option, value->text, source, slot);
  case BUS_OPTION_INT:
    *(int64_t *)slot = value->number;
    break;
  case BUS_OPTION_BOOL:
    *(bool *)slot = value->number != 0;
    break;
  case BUS_OPTION_ENUM:
    *(int *)slot = (int)value->number;
    break;
  }
  return true;
}

static bool check_table(const struct bus_option_table *table, const struct source *source, struct bus_error *err) {
  struct bus_option_value value = {0};
  for (size_t i = 0; i < table->count; i++)
    if (!read_option(&table->options[i], source, &value, err))
      return false;
  return true;
}

static void forget_table(const struct bus_option_table *table, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const struct bus_option *option = &table->options[i];
    void *slot = (char *)table->settings + option->offset;
    if (option->kind == BUS_OPTION_STRING)
      forget_string(slot, option->secret);
    else if (option->kind == BUS_OPTION_CREDENTIAL)
      forget_credential(slot);
  }
}

/* If one value cannot be stored, those before it are freed: a table is stored as a whole or not at all. */
static bool store_table(const struct bus_option_table *table, const struct source *source, struct bus_error *err) {
  struct bus_option_value value = {0};
  for (size_t i = 0; i < table->count; i++) {
    const struct bus_option *option = &table->options[i];
    if (read_option(option, source, &value, err) && store(option, &value, source, table->settings))
      continue;
    forget_table(table, i);
    return bus_fail(err, BUS_E_NOMEM, "%s: out of memory", option->name);
  }
  return true;
}

bool bus_config_read(const struct bus_option_table *tables, size_t table_count,
                     const char *(*lookup)(void *context, const char *name), void *context, struct bus_error *err) {
  struct source source = {lookup, context};
  for (size_t i = 0; i < table_count; i++)
    if (!check_table(&tables[i], &source, err))
      return false;
  for (size_t i = 0; i < table_count; i++) {
    if (store_table(&tables[i], &source, err))
      continue;
    bus_config_done(tables, i);
    return false;
  }
  return true;
}

void bus_config_done(const struct bus_option_table *tables, size_t table_count) {
  for (size_t i = 0; i < table_count; i++)
    forget_table(&tables[i], tables[i].count);
}
