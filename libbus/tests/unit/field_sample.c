/* The sample schemas' tables. */
#include "field_sample.h"

static const struct bus_field item_fields[] = {
    BUS_FIELD_STRING(struct sample_item, product_id, BUS_TOKEN, 1, 64, BUS_REQUIRED, "what"),
    BUS_FIELD_INT64(struct sample_item, quantity, 1, 1000, BUS_REQUIRED, "how many"),
};
static const struct bus_schema item_schema = BUS_SCHEMA("item", struct sample_item, item_fields);

static const struct bus_field address_fields[] = {
    BUS_FIELD_STRING(struct sample_address, city, BUS_TEXT, 1, 40, BUS_REQUIRED, "where"),
    BUS_FIELD_STRING(struct sample_address, note, BUS_PLAIN, 0, 10, BUS_OPTIONAL, "how to find it"),
};
static const struct bus_schema address_schema = BUS_SCHEMA("address", struct sample_address, address_fields);

static const char *const states[] = {"NEW", "PAID", "DONE", NULL};

#define SAMPLE_FIELDS(key_presence, presence)                                                                          \
  {                                                                                                                    \
    BUS_FIELD_STRING(struct sample, key, BUS_VISIBLE, 1, 8, key_presence, "key"),                                      \
        BUS_FIELD_STRING(struct sample, name, BUS_TEXT, 0, 12, presence, "name"),                                      \
        BUS_FIELD_INT64(struct sample, total, 1, BUS_JSON_INT_MAX, presence, "total"),                                 \
        BUS_FIELD_INT64(struct sample, limit, INT64_MIN, INT64_MAX, presence, "limit"),                                \
        BUS_FIELD_BOOL(struct sample, urgent, presence, "urgent"),                                                     \
        BUS_FIELD_ENUM(struct sample, state, states, presence, "state"),                                               \
        BUS_FIELD_UUID(struct sample, order_id, presence, "order"),                                                    \
        BUS_FIELD_TIME(struct sample, at, presence, "when"),                                                           \
        BUS_FIELD_OBJECT(struct sample, address, struct sample_address, &address_schema, presence, "where"),           \
        BUS_FIELD_ARRAY(struct sample, items, item_count, struct sample_item, &item_schema, 0, 3, presence, "what"),   \
        BUS_FIELD_JSON(struct sample, data, 64, presence, "anything"),                                                 \
  }

static const struct bus_field sample_fields[] = SAMPLE_FIELDS(BUS_REQUIRED, BUS_OPTIONAL);
const struct bus_schema sample_schema = BUS_SCHEMA("sample", struct sample, sample_fields);

static const struct bus_field strict_fields[] = SAMPLE_FIELDS(BUS_REQUIRED, BUS_REQUIRED);
const struct bus_schema strict_schema = BUS_SCHEMA("strict", struct sample, strict_fields);
