/* Pages of a batch of queries, read from the rows of one statement. */
#include <bus/page.h>

static struct bus_page *page_at(const struct bus_pages *pages, int64_t place) {
  if (place < 1 || (uint64_t)place > pages->count)
    return NULL;
  return (void *)((char *)pages->first + ((size_t)place - 1) * pages->size);
}

bool bus_pages_load(const struct bus_pages *pages, const struct bus_table *table, unsigned flags,
                    const struct bus_rows *rows, struct bus_error *err) {
  char *item = bus_arena_array(pages->arena, bus_rows_count(rows), table->size);
  if (!item)
    return bus_fail(err, BUS_E_NOMEM, "out of memory for pages of %s", table->name);
  for (size_t row = 0; row < bus_rows_count(rows); row++, item += table->size) {
    struct bus_page *page = page_at(pages, bus_rows_int64(rows, row, 0));
    if (!page)
      return bus_fail(err, BUS_E_DB_OTHER, "row %zu of %s names no page that was asked for", row, table->name);
    page->found = true;
    if (bus_rows_is_null(rows, row, 1))
      continue;
    bus_row_init(table, item);
    if (!bus_row_read(table, flags, rows, row, 1, pages->arena, item, err))
      return false;
    if (page->count++ == 0)
      page->items = item;
  }
  return true;
}
