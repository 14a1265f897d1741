/* The path of a value in a document: "items[2].quantity". Private to libbus's pure half. */
#pragma once

#include <bus/field.h>

/* Steps are only noted, and become text if there is a problem, because most documents have none. */
struct bus_path {
  struct bus_path_step {
    const char *name; /* NULL: an item */
    size_t index;
  } steps[BUS_JSON_DEPTH + 1];
  size_t depth;
  char text[96]; /* as in struct bus_problem; what does not fit is left out */
};

/* Both return the depth to go back to with bus_path_leave. The name must stay until then. */
size_t bus_path_enter(struct bus_path *path, const char *name);
size_t bus_path_enter_item(struct bus_path *path, size_t index);
void bus_path_leave(struct bus_path *path, size_t depth);

/* Valid until the next call. A name from outside is shortened, and each character that is not visible ASCII becomes
 * '?'. */
const char *bus_path_text(struct bus_path *path);
