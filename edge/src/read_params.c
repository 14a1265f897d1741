/* Query parameters into their struct: unknown, repeated and malformed ones are refused by name. */
#include "read_params.h"

static struct bus_str *slot_of(struct page_params *params, const char *name) {
  const struct {
    const char *name;
    struct bus_str *slot;
  } slots[] = {
      {"customer_id", &params->customer_id},
      {"status", &params->status},
      {"cursor", &params->cursor},
      {"after", &params->after},
      {"limit", &params->limit},
  };
  for (size_t i = 0; i < BUS_COUNT(slots); i++)
    if (strcmp(slots[i].name, name) == 0)
      return slots[i].slot;
  return NULL;
}

bool edge_read_params(struct bus_http_exchange *exchange, const char *const *names, struct page_params *ret,
                      struct bus_problems *problems) {
  struct page_params params = {.limit = BUS_NO_STR};
  for (size_t i = 0; names[i]; i++) {
    struct bus_str *slot = slot_of(&params, names[i]);
    if (slot && !bus_http_query(exchange, names[i], slot))
      bus_problem_add(problems, names[i], "is malformed or stands more than once");
  }
  if (bus_http_query_unknown(exchange, names).data)
    bus_problem_add(problems, "", "has an unknown query parameter");
  if (problems->count > 0)
    return false;
  *ret = params;
  return true;
}
