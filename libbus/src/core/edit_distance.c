/* The distance of two names, row by row over all prefixes (optimal string alignment). */
#include "edit_distance.h"

static char fold(char c) {
  return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_same(struct bus_str a, size_t i, struct bus_str b, size_t j) {
  return fold(a.data[i - 1]) == fold(b.data[j - 1]);
}

static size_t least(size_t x, size_t y) {
  return x < y ? x : y;
}

static struct bus_str cut(struct bus_str text) {
  return (struct bus_str){text.data, least(text.len, BUS_EDIT_MAX)};
}

/* One row: the distances of a's first i bytes to every prefix of b. `before` is the row of i - 1, `long_before` of
 * i - 2. */
static void next_row(struct bus_str a, size_t i, struct bus_str b, const size_t *long_before, const size_t *before,
                     size_t *row) {
  row[0] = i;
  for (size_t j = 1; j <= b.len; j++) {
    row[j] = least(least(before[j], row[j - 1]) + 1, before[j - 1] + !is_same(a, i, b, j));
    if (i > 1 && j > 1 && is_same(a, i, b, j - 1) && is_same(a, i - 1, b, j))
      row[j] = least(row[j], long_before[j - 2] + 1);
  }
}

size_t bus_edit_distance(struct bus_str a, struct bus_str b) {
  size_t rows[3][BUS_EDIT_MAX + 1];
  a = cut(a);
  b = cut(b);
  for (size_t j = 0; j <= b.len; j++)
    rows[0][j] = j;
  for (size_t i = 1; i <= a.len; i++)
    next_row(a, i, b, rows[(i + 1) % 3], rows[(i + 2) % 3], rows[i % 3]);
  return rows[a.len % 3][b.len];
}
