/* Questions to the broker's management API. */
#ifndef MANAGEMENT_H
#define MANAGEMENT_H

#include "program.h"

#include <bus/error.h>

struct management;

/* settings: its URL, http[s]://user:password@host:port, and the broker's URL, whose vhost is asked about. */
bool management_open(const struct program *program, struct management **ret, struct bus_error *err) BUS_MUST_CHECK;
/* Accepts NULL. */
void management_close(struct management *management);

/* GET /api/<what>/<vhost>?columns=<columns>; the answer's body in the arena. */
bool management_list(struct management *management, const char *what, const char *columns, struct bus_arena *arena,
                     struct bus_str *ret, struct bus_error *err) BUS_MUST_CHECK;

#endif
