/* Fuzzes text from operators, files and tools: .env files, variables, URLs of servers, the broker's list of bindings.
 * The first byte chooses. An error text never holds a secret. */
#include "fuzz.h"

#include <bus/amqp.h>

#include "config_sample.h"
#include "pg.h"
#include "topology_sample.h"
#include "topology_text.h"

#define SECRET "Hunter2secret"

static bool is_one_line(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < 0x20 || *text == 0x7F)
      return false;
  return true;
}

static void env_file(struct bus_str text) {
  static const char *const names[] = {"URL", "NAME", "PORT", "TIMEOUT", "ON", "LEVEL", "COLOR"};
  struct bus_error err;
  char value[128];
  bool right = bus_env_check(text, &err);
  FUZZ_CHECK(right || (err.code == BUS_E_CONFIG && is_one_line(err.text)));
  bool known = bus_env_check_names(text, config_tables, 2, NULL, &err);
  FUZZ_CHECK(known || (err.code == BUS_E_CONFIG && is_one_line(err.text)));
  for (size_t i = 0; i < BUS_COUNT(names); i++)
    if (bus_env_find(text, names[i], value, sizeof value))
      FUZZ_CHECK(strlen(value) < sizeof value && (!right || strchr(value, '\n') == NULL));
}

struct lookup {
  struct bus_str env;
  char values[7][128];
  size_t used;
};

static const char *look_up(void *context, const char *name) {
  struct lookup *lookup = context;
  char *value = lookup->values[lookup->used++ % 7];
  return bus_env_find(lookup->env, name, value, sizeof lookup->values[0]) ? value : NULL;
}

static void check_settings(void) {
  FUZZ_CHECK(config_sample.url && strlen(config_sample.url) >= 5 && strlen(config_sample.url) <= 60);
  FUZZ_CHECK(config_sample.name && strlen(config_sample.name) <= 10);
  FUZZ_CHECK(config_sample.port >= 1 && config_sample.port <= 65535);
  FUZZ_CHECK(config_sample.timeout >= -10 && config_sample.timeout <= 10);
  FUZZ_CHECK(config_sample.level >= 0 && config_sample.level <= 2);
  FUZZ_CHECK(config_other.color.text && strlen(config_other.color.text) >= 1 && strlen(config_other.color.text) <= 20);
}

/* URL and COLOR are the secret ones of the sample. */
static void settings(struct bus_str text) {
  struct lookup lookup = {.env = text, .used = 0};
  struct bus_error err;
  char secret[128];
  if (bus_config_read(config_tables, 2, look_up, &lookup, &err)) {
    check_settings();
    bus_config_done(config_tables, 2);
    return;
  }
  FUZZ_CHECK(err.code == BUS_E_CONFIG);
  FUZZ_CHECK(!config_sample.url && !config_sample.name && !config_other.color.text);
  if (bus_env_find(text, "URL", secret, sizeof secret) && strncmp(err.text, "URL ", 4) == 0 && strlen(secret) > 60)
    FUZZ_CHECK(strstr(err.text, secret) == NULL);
}

/* The password stands where the input has its first 0xFF. */
static void url(struct bus_str text, bool (*check)(const char *url, struct bus_error *err)) {
  struct bus_str before = fuzz_part(&text);
  struct bus_error err;
  char *head = fuzz_text(before), *tail = fuzz_text(text);
  size_t size = strlen(head) + strlen(tail) + sizeof SECRET;
  char *whole = malloc(size);
  FUZZ_CHECK(whole != NULL);
  (void)snprintf(whole, size, "%s%s%s", head, SECRET, tail); /* fits */
  if (!check(whole, &err))
    FUZZ_CHECK(err.code == BUS_E_CONFIG && strstr(err.text, SECRET) == NULL);
  free(head);
  free(tail);
  free(whole);
}

static void broker_url(struct bus_str text) {
  url(text, bus_amqp_url_check);
}

static void database_url(struct bus_str text) {
  url(text, pg_url_check);
}

static void on_foreign(void *context, struct bus_str line) {
  const struct bus_str *list = context;
  FUZZ_CHECK(line.len > 0 && memchr(line.data, '\n', line.len) == NULL);
  FUZZ_CHECK(line.data >= list->data && line.data + line.len <= list->data + list->len);
}

static bool is_listed(void *context, const struct bus_declaration *declaration) {
  const char *list = context;
  bool listed = declaration->kind == BUS_DECLARE_BINDING && bus_topology_lists_binding(list, declaration);
  FUZZ_CHECK(!listed || list[0] != '\0');
  return true;
}

static void bindings(struct bus_str text) {
  char *list = fuzz_text(text);
  struct bus_str view = {list, text.len};
  (void)bus_topology_each(&topology_sample, is_listed, list); /* never stops early */
  bus_topology_each_foreign_binding(list, &topology_sample, on_foreign, &view);
  free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const modes[])(struct bus_str) = {env_file, settings, broker_url, database_url, bindings};
  struct bus_str rest = fuzz_input(data, size);
  uint8_t mode = fuzz_byte(&rest);
  char *exact = fuzz_exact(rest);
  modes[mode % BUS_COUNT(modes)]((struct bus_str){exact, rest.len});
  free(exact);
  return 0;
}
