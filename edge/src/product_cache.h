/* Products as inventory-svc showed them last. An entry lives for a short time and until an event says that its product
 * has changed; a read that was under way then is not kept. Its size is fixed: a set of places for each hash of an id,
 * of which the oldest gives way. Thread-safe; pure but for its mutex. */
#ifndef EDGE_PRODUCT_CACHE_H
#define EDGE_PRODUCT_CACHE_H

#include <bus/arena.h>
#include <inventory_messages.h>

struct product_cache;

/* NULL: out of memory. Closed: it keeps nothing until it is opened. lifetime: of an entry; 0: it never keeps any. */
struct product_cache *product_cache_new(int64_t lifetime);
void product_cache_free(struct product_cache *cache); /* accepts NULL */

/* Changes are heard from now on. */
void product_cache_open(struct product_cache *cache);
/* Changes are missed from now on: all is forgotten, and nothing is kept. */
void product_cache_close(struct product_cache *cache);

/* Taken before a read: tells after it whether the product may have changed meanwhile. */
struct product_ticket {
  uint64_t epoch, changes;
};
/* True: *ret is a copy, its texts in the arena. False: *ret_ticket is for the read that follows. */
bool product_cache_find(struct product_cache *cache, struct bus_str product_id, int64_t now, struct bus_arena *arena,
                        struct product_view *ret, struct product_ticket *ret_ticket) BUS_MUST_CHECK;
/* Keeps the product, unless it may have changed since the ticket. */
void product_cache_keep(struct product_cache *cache, const struct product_ticket *ticket,
                        const struct product_view *product, int64_t now);
/* The product has changed. */
void product_cache_forget(struct product_cache *cache, struct bus_str product_id);

#endif
