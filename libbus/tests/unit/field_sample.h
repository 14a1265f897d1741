/* A schema with every kind of field, for the tests of decoding and encoding. */
#pragma once

#include <bus/field.h>

struct sample_item {
  struct bus_str product_id;
  int64_t quantity;
};

struct sample_address {
  struct bus_str city;
  struct bus_str note;
};

enum sample_state { SAMPLE_NEW, SAMPLE_PAID, SAMPLE_DONE };

struct sample {
  struct bus_str key, name;
  int64_t total, limit;
  bool urgent;
  int state;
  struct bus_uuid order_id;
  bus_time at;
  struct sample_address *address;
  struct sample_item *items;
  size_t item_count;
  struct bus_str data;
};

/* Only the key is required. */
extern const struct bus_schema sample_schema;
/* All is required. */
extern const struct bus_schema strict_schema;
