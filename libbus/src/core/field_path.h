/* Where in a document something is: "items[2].quantity". Private to libbus's pure half. */
#ifndef BUS_CORE_FIELD_PATH_H
#define BUS_CORE_FIELD_PATH_H

#include <bus/base.h>

struct bus_path {
  char text[96]; /* as in struct bus_problem; what does not fit is left out */
  size_t len;
};

/* Both return the length to go back to with bus_path_leave. A name may come from outside: it is shortened, and what is
 * not visible ASCII becomes '?'. */
size_t bus_path_enter(struct bus_path *path, const char *name);
size_t bus_path_enter_item(struct bus_path *path, size_t index);
void bus_path_leave(struct bus_path *path, size_t len);

#endif
