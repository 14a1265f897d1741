/* Pages of rows that a batch of queries asks for: one statement reads all pages of a kind. */
#pragma once

#include <bus/column.h>

BUS_C_BEGIN

struct bus_page {
  void *items; /* one more than limit: a next page exists */
  size_t count;
  int64_t limit; /* 0: the query has none */
  bool found;    /* the statement gave a row for the page, if only one of NULLs */
};

/* Pages, each the first member of a struct of that size. */
struct bus_pages {
  void *first;
  size_t count, size;
  struct bus_arena *arena;
};

/* How many items an answer shows. */
static inline size_t bus_page_shown(const struct bus_page *page) {
  return page->count > (size_t)page->limit ? (size_t)page->limit : page->count;
}

/* Reads rows in the order of their pages. Column 0 is the place of the page, counted from 1; the table's columns
 * that have the flag begin at column 1, and a row whose column 1 is NULL holds no item. */
bool bus_pages_load(const struct bus_pages *pages, const struct bus_table *table, unsigned flags,
                    const struct bus_rows *rows, struct bus_error *err) BUS_MUST_CHECK;

BUS_C_END
