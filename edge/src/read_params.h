/* The query parameters of a request, read once and checked for names that nobody knows. */
#ifndef EDGE_READ_PARAMS_H
#define EDGE_READ_PARAMS_H

#include <bus/http_server.h>

#include "pages.h"

/* names: those that this list knows, NULL-terminated; the members of *ret for the others stay absent. False:
 * problems says why. */
bool edge_read_params(struct bus_http_exchange *exchange, const char *const *names, struct page_params *ret,
                      struct bus_problems *problems) BUS_MUST_CHECK;

#endif
