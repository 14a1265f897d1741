/* Reads of owners: their webhooks, and what was sent to them. */
#pragma once

#include "notify_model.h"

#include <bus/page.h>
#include <bus/pong.h>
#include <bus/sql.h>

/* The first member of each page stands for its kind. */
struct notify_page {
  struct bus_page page, attempts; /* of deliveries; of their attempts, by delivery */
  const void *query;              /* NULL: none */
  bus_time behind_at;
  struct bus_uuid behind_id;
};

struct notify_query_model {
  struct bus_arena *arena;
  struct bus_set endpoints;
  struct notify_page *lists, *pages; /* of endpoints, of deliveries */
  size_t list_count, page_count;
  struct bus_pong pong;
};

bool notify_query_lock(void *worker, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                       struct bus_sql *sql, void **ret_model);
bool notify_query_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
void notify_query_decide(void *model, const struct bus_input *input, struct bus_effects *effects);
