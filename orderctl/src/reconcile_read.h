/* The books of all places: rows of orders, reservations and payments, and the provider's records. */
#ifndef RECONCILE_READ_H
#define RECONCILE_READ_H

#include "misfit.h"
#include "program.h"

/* Rows of one kind, sorted by the order; each begins with a struct misfit_row. */
struct reconcile_shelf {
  char *rows;
  size_t size, count, room;
};

enum reconcile_kinds { RECONCILE_ORDERS, RECONCILE_STOCK, RECONCILE_PAYMENTS, RECONCILE_MOVEMENTS, RECONCILE_SHELVES };

struct reconcile_books {
  struct bus_arena *arena;
  struct reconcile_shelf shelves[RECONCILE_SHELVES];
};

/* since: Unix seconds, 0: all. Rows lie in the arena. */
bool reconcile_books_read(const struct program *program, int64_t since, struct bus_arena *arena,
                          struct reconcile_books *ret, struct bus_error *err) BUS_MUST_CHECK;

/* One order, with the newest times of its rows and movements. */
struct reconcile_page {
  struct misfit_row newest;
  struct misfit_facts facts;
};
/* The place of a walk through the books; zero at first. */
struct reconcile_walk {
  size_t at[RECONCILE_SHELVES];
};
/* The next order that any place knows; its facts point into the books. False: the end. */
bool reconcile_books_next(const struct reconcile_books *books, struct reconcile_walk *walk,
                          struct reconcile_page *ret) BUS_MUST_CHECK;

#endif
