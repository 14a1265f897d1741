/* The batch of queries: payments by their orders, with the refunds of operators, and pages of open refunds. */
#ifndef PAYMENT_QUERIES_H
#define PAYMENT_QUERIES_H

#include "payment.h"

#include <bus/aggregate.h>
#include <bus/effects.h>
#include <bus/page.h>
#include <bus/pong.h>
#include <bus/worker.h>

/* One page of open refunds that somebody asked for. */
struct payment_query_page {
  struct bus_page page; /* of struct payment */
  const struct refund_list *list;
};

struct payment_query_model {
  struct bus_arena *arena;
  struct bus_set payments; /* of struct payment, asked for by id; stored: it exists */
  struct bus_set refunds;  /* of struct refund: all of these payments */
  struct payment_query_page *pages;
  size_t page_count;
  struct bus_pong pong; /* to every ping */
};

/* The payments and pages that the inputs ask for. False: out of memory. */
bool payment_query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                             struct payment_query_model **ret) BUS_MUST_CHECK;

/* As struct bus_service has them; context: the worker, or NULL where there is none; model: a struct
 * payment_query_model. */
bool payment_query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                        struct bus_sql *sql, void **ret_model);
bool payment_query_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
void payment_query_decide(void *model, const struct bus_input *input, struct bus_effects *effects);

#endif
