/* The batch of queries: products and own reservations by id, and pages of products, read in one statement of each kind
 * and answered. */
#ifndef INVENTORY_QUERIES_H
#define INVENTORY_QUERIES_H

#include "inventory.h"

#include <bus/aggregate.h>
#include <bus/effects.h>
#include <bus/page.h>
#include <bus/pong.h>
#include <bus/worker.h>

/* One page that somebody asked for; the same page asked for twice is read once. */
struct inventory_query_page {
  struct bus_page page; /* of struct product */
  const struct product_list *list;
};

enum { INVENTORY_PAGE_KINDS = 2 * PRODUCT_SORTS };

struct inventory_query_model {
  struct bus_arena *arena;
  struct bus_set products;                /* of struct product, asked for by id; stored: it exists */
  struct bus_set reservations;            /* of struct reservation; stored: it exists, and may be an order's */
  struct inventory_query_page *pages;     /* by kind: the order of their products, and whether words are searched for */
  size_t first[INVENTORY_PAGE_KINDS + 1]; /* pages[first[kind]] to pages[first[kind + 1]] */
  struct bus_pong pong;                   /* to every ping */
};

/* Collects the requests of the inputs. False: out of memory. */
bool inventory_query_model_new(const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                               struct inventory_query_model **ret) BUS_MUST_CHECK;

/* As struct bus_service has them; context: the worker, or NULL where there is none; model: a struct
 * inventory_query_model. */
bool inventory_query_lock(void *context, const struct bus_input *inputs, size_t count, struct bus_arena *arena,
                          struct bus_sql *sql, void **ret_model);
bool inventory_query_load(void *model, const struct bus_rows *const *rows, size_t count, struct bus_error *err);
void inventory_query_decide(void *model, const struct bus_input *input, struct bus_effects *effects);

#endif
