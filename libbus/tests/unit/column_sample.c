/* A table with a column of each kind. */
#include "column_sample.h"

static const char *const names[] = {"new", "old", NULL};

static const struct bus_column part_columns[] = {
    BUS_COLUMN_TEXT(struct part, name, 1, 8, BUS_FIXED | BUS_VIEW),
    BUS_COLUMN_INT64(struct part, count, 1, 9, BUS_FIXED | BUS_VIEW),
    BUS_COLUMN_INT64(struct part, price, 0, 99, BUS_CHANGING | BUS_NULL),
};
static const struct bus_table part_table = BUS_COLUMN_TABLE("a part", struct part, part_columns);

static const struct bus_column sample_columns[] = {
    BUS_COLUMN_UUID(struct sample, id, BUS_KEY | BUS_VIEW),
    BUS_COLUMN_NAME(struct sample, state, enum sample_state, names, BUS_CHANGING | BUS_VIEW),
    BUS_COLUMN_NUMBER(struct sample, level, int, 3, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_LIST(struct sample, parts, part_count, struct part, &part_table, 5, BUS_FIXED | BUS_CHANGING | BUS_VIEW),
    BUS_COLUMN_INT64(struct sample, number, 0, 10, BUS_FIXED),
    BUS_COLUMN_INT64(struct sample, maybe, 0, 10, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TEXT(struct sample, text, 1, 10, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_JSON(struct sample, data, BUS_FIXED),
    BUS_COLUMN_CHARS(struct sample, word, 1, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_TIME(struct sample, at, BUS_CHANGING | BUS_NULL),
    BUS_COLUMN_BOOL(struct sample, flag, BUS_CHANGING),
    BUS_COLUMNS_CAUSE(struct sample, cause, BUS_FIXED),
    BUS_COLUMN_NOW("updated_at"),
};

static bool is_valid(const void *row) {
  return ((const struct sample *)row)->number != 7;
}
const struct bus_table sample_table = {.name = "toy.samples",
                                       .size = sizeof(struct sample),
                                       .columns = sample_columns,
                                       .column_count = BUS_COUNT(sample_columns),
                                       .is_valid = is_valid};

static const struct bus_column label_columns[] = {
    BUS_COLUMN_TEXT(struct label, name, 1, 8, BUS_KEY),
    BUS_COLUMN_INT64(struct label, number, 0, 10, BUS_CHANGING),
};
const struct bus_table label_table = BUS_COLUMN_TABLE("toy.labels", struct label, label_columns);
