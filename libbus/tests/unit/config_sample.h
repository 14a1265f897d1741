/* Two option tables with every kind, for the tests of configuration. */
#pragma once

#include <bus/config.h>

struct config_sample {
  const char *url, *name;
  int64_t port, timeout;
  bool on;
  int level;
};

struct config_other {
  struct bus_credential color;
};

extern struct config_sample config_sample;
extern struct config_other config_other;
extern const struct bus_option_table config_tables[2];
