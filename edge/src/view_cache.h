/* Views, such as of products, as a service showed them last. An entry lives for a short time and until an event says
 * that what it shows has changed; a read that was under way then is not kept. Its size is bounded: a set of places for
 * each hash of a key, of which the oldest gives way. Thread-safe; pure but for its mutex. */
#ifndef EDGE_VIEW_CACHE_H
#define EDGE_VIEW_CACHE_H

#include <bus/field.h>

struct view_cache;

enum { VIEW_KEY_MAX = 64, VIEW_SIZE_MAX = 2048 }; /* bytes: of a key; of a view as JSON, larger ones are not kept */

/* NULL: out of memory. Closed: it keeps nothing until it is opened. room: views; lifetime: of an entry, 0: it never
 * keeps any. */
struct view_cache *view_cache_new(const struct bus_schema *schema, size_t room, int64_t lifetime);
void view_cache_free(struct view_cache *cache); /* accepts NULL */

/* Changes are heard from now on. */
void view_cache_open(struct view_cache *cache);
/* Changes are missed from now on: all is forgotten, and nothing is kept. */
void view_cache_close(struct view_cache *cache);

/* Taken before a read: tells after it whether the view may have changed meanwhile. */
struct view_ticket {
  uint64_t epoch, changes;
};
/* True: *ret, a struct of the schema, is a copy, its texts in the arena. False: *ret_ticket is for the read that
 * follows. */
bool view_cache_find(struct view_cache *cache, struct bus_str key, int64_t now, struct bus_arena *arena, void *ret,
                     struct view_ticket *ret_ticket) BUS_MUST_CHECK;
/* Keeps the view, unless it may have changed since the ticket. arena: for the time of the call. */
void view_cache_keep(struct view_cache *cache, const struct view_ticket *ticket, struct bus_str key, const void *view,
                     struct bus_arena *arena, int64_t now);
/* It has changed. */
void view_cache_forget(struct view_cache *cache, struct bus_str key);

#endif
