/* inventory-svc's store on a link to a real Postgres. */
#ifndef INVENTORY_TESTS_STORE_H
#define INVENTORY_TESTS_STORE_H

#include "inventory_service.h"

#include <store_link.h>

struct link *store_connect(const struct migrated *database);
/* With the statements of the threads that answer queries. */
struct link *store_connect_queries(const struct migrated *database);
/* Puts a product, and asserts that it is stored. */
void store_put(struct link *link, const char *id, int64_t price, const char *currency, int64_t on_hand);

#endif
