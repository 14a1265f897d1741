/* Secrets of a configuration that stand in files. Private to libbus. */
#pragma once

#include <bus/config.h>

struct config_secrets {
  size_t count;
  struct config_secret {
    const char *name; /* of the option */
    char *text;
  } * found;
};

/* Reads the file of each secret whose NAME_FILE is set; refuses a secret whose NAME is set, too. */
bool config_secrets_read(const struct bus_option_table *tables, size_t table_count,
                         const char *(*lookup)(void *context, const char *name), void *context,
                         struct config_secrets *ret, struct bus_error *err) BUS_MUST_CHECK;
/* NULL: no file holds it. */
const char *config_secrets_find(const struct config_secrets *secrets, const char *name);
void config_secrets_done(struct config_secrets *secrets);
