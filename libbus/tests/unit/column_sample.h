/* A table with a column of each kind, for the tests of column tables. */
#pragma once

#include <bus/column.h>
#include <bus/effects.h>

struct part {
  struct bus_str name;
  int64_t count, price; /* price: BUS_NO_INT64 until it is known */
};

enum sample_state { SAMPLE_NEW, SAMPLE_OLD };

struct sample {
  struct bus_uuid id;
  enum sample_state state;
  int level;
  int64_t number, maybe;
  struct bus_str text, data;
  char word[8];
  bus_time at;
  bool flag;
  struct part *parts;
  size_t part_count;
  struct bus_cause cause;
};

extern const struct bus_table sample_table, label_table;

struct label {
  struct bus_str name;
  int64_t number;
};
