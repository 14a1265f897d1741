/* Reads of operators: revenue, figures, searches. */
#pragma once

#include "data_kpis.h"
#include "job_queries.h"

#include <bus/page.h>
#include <bus/worker.h>

enum report_search { BY_TIME, BY_CUSTOMER, BY_PRODUCT, SEARCHES };

/* The reading of a query; the page is the first member. */
struct data_page {
  struct bus_page page;
  const void *query;
  struct report_span span; /* of figures and of revenue */
  int64_t scan;            /* of a search: how many orders it walks at most */
  bus_time behind_at;
  struct bus_uuid behind_id;
  const struct report *stop; /* the last of them; NULL: it walked all that there are, or found enough before */
};
struct data_pages {
  struct data_page *items;
  size_t count;
};

struct data_query_model {
  struct bus_arena *arena;
  struct data_pages revenues, kpis, searches[SEARCHES];
  struct job_reads jobs;
  struct bus_pong pong;
};

/* The way to its orders that reads the fewest. */
enum report_search report_search_of(const struct report_orders_get *get);
/* False: what the index gives is what is asked for. */
bool report_search_is_filtered(const struct report_orders_get *get);

bool data_query_lock(void *worker, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                     struct bus_sql *sql, void **ret_model);
bool data_query_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
void data_query_decide(void *model, const struct bus_input *input, struct bus_effects *effects);
