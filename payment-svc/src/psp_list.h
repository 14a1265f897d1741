/* The provider's lists of payment intents and refunds: the request for a page, and the movements that a page shows.
 * Pure. */
#ifndef PSP_LIST_H
#define PSP_LIST_H

#include "reconcile.h"

enum psp_list_kind { PSP_LIST_INTENTS, PSP_LIST_REFUNDS };
enum { PSP_LIST_PAGE = 100, PSP_LIST_PATH_SIZE = 256 };

/* since: Unix seconds, 0: all. after: the last id of the page before; "": the first page. */
void psp_list_path(enum psp_list_kind kind, int64_t since, const char *after, char ret[PSP_LIST_PATH_SIZE]);

struct psp_page {
  struct reconcile_line lines[PSP_LIST_PAGE]; /* of the objects that moved money */
  size_t count;
  bool has_more;
  char last_id[PAYMENT_PSP_ID_SIZE]; /* HAS_MORE: where the next page begins */
};
/* False: it is not a page, or its next one could not be asked for. */
bool psp_page_read(enum psp_list_kind kind, struct bus_str body, struct bus_arena *arena,
                   struct psp_page *ret) BUS_MUST_CHECK;

#endif
