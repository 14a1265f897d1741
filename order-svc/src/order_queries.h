/* The batch of queries: what it asks for, what was found, and the answers. */
#pragma once

#include "order.h"

#include <bus/page.h>
#include <bus/worker.h>

/* A page of orders is cut where its orders hold more items together: an answer stays well under a broker's limit. */
enum { ORDER_PAGE_ITEMS = 4000 };

enum order_question { ASK_ORDER, ASK_PAGE, ASK_PAGE_OF_CUSTOMER, ASK_EVENTS, ASK_AGE, ASK_KINDS };

/* One request of the batch, or one of the orders that a request asks for. */
struct order_asked {
  /* ASK_ORDER: at most one struct order; ASK_PAGE…: struct order; ASK_EVENTS: struct order_event_view, and found: the
   * order exists and may be seen. */
  struct bus_page page;
  const void *body; /* the request's, or its part; which is also its name */
  enum order_question kind;
  /* ASK_PAGE…: behind which order the page begins */
  bus_time before;
  struct bus_uuid before_id;
};

struct order_query_model {
  struct bus_arena *arena;
  struct order_asked *asked;   /* by kind, within it in order of arrival */
  struct order_pong pong;      /* ASK_AGE */
  size_t first[ASK_KINDS + 1]; /* asked[first[kind]] to asked[first[kind + 1]] */
};

bool order_query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                           struct order_query_model **ret) BUS_MUST_CHECK;

/* As struct bus_service has them; context: the worker, or NULL where there is none; model: a struct order_query_model.
 */
bool order_query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                      struct bus_sql *sql, void **ret_model);
bool order_query_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
void order_query_decide(void *model, const struct bus_input *input, struct bus_effects *effects);
