/* Query parameters of lists, with the bounds of the messages that they become. */
#include "pages.h"

enum { CUSTOMER_MAX = 64 };

/* A plain decimal number of at most 13 digits. */
static bool parse_number(struct bus_str text, int64_t least, int64_t most, int64_t *ret) {
  int64_t number = 0;
  if (text.len < 1 || text.len > 13)
    return false;
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] < '0' || text.data[i] > '9')
      return false;
    number = number * 10 + (text.data[i] - '0');
  }
  if (number < least || number > most)
    return false;
  *ret = number;
  return true;
}

static int64_t take_limit(struct bus_str text, struct bus_problems *problems) {
  int64_t limit = PAGE_LIMIT_DEFAULT;
  if (text.data && !parse_number(text, 1, ORDER_PAGE_MAX, &limit))
    bus_problem_add(problems, "limit", "must be an integer from 1 to %d", ORDER_PAGE_MAX);
  return limit;
}

static int take_status(struct bus_str text, struct bus_problems *problems) {
  if (text.data == NULL)
    return -1;
  for (int i = 0; i < ORDER_STATUS_COUNT; i++)
    if (bus_str_is(text, order_status_names[i]))
      return i;
  bus_problem_add(problems, "status",
                  "must be one of PENDING, RESERVED, PAID, COMPENSATING, CONFIRMED, REJECTED, "
                  "CANCELLED");
  return -1;
}

static bool is_visible(struct bus_str text, size_t most) {
  for (size_t i = 0; i < text.len; i++)
    if (text.data[i] < 0x21 || text.data[i] > 0x7E)
      return false;
  return text.len >= 1 && text.len <= most;
}

bool page_orders(const struct page_params *params, struct order_list *ret, struct bus_problems *problems) {
  bus_time at;
  struct bus_uuid id;
  problems->count = 0;
  struct order_list list = {.customer_id = params->customer_id, .cursor = params->cursor};
  list.limit = take_limit(params->limit, problems);
  list.status = take_status(params->status, problems);
  if (list.customer_id.data && !is_visible(list.customer_id, CUSTOMER_MAX))
    bus_problem_add(problems, "customer_id", "must be 1 to %d visible ASCII characters", CUSTOMER_MAX);
  if (list.cursor.data && !order_cursor_parse(list.cursor, &at, &id))
    bus_problem_add(problems, "cursor", "must be the next_cursor of an earlier page");
  if (problems->count > 0)
    return false;
  *ret = list;
  return true;
}

bool page_events(const struct page_params *params, const struct bus_uuid *order_id, struct order_events_get *ret,
                 struct bus_problems *problems) {
  problems->count = 0;
  struct order_events_get get = {.order_id = *order_id, .customer_id = BUS_NO_STR};
  get.limit = take_limit(params->limit, problems);
  const char *name = params->after.data ? "after" : "cursor";
  struct bus_str after = params->after.data ? params->after : params->cursor;
  if (params->after.data && params->cursor.data)
    bus_problem_add(problems, "cursor", "is the same as after; give one of them");
  else if (after.data && !parse_number(after, 0, BUS_JSON_INT_MAX, &get.after_seq))
    bus_problem_add(problems, name, "must be the next_cursor of an earlier page, or the seq of an event");
  if (problems->count > 0)
    return false;
  *ret = get;
  return true;
}

bool page_products(const struct page_params *params, struct product_list *ret, struct bus_problems *problems) {
  problems->count = 0;
  struct product_list list = {.cursor = params->cursor};
  list.limit = take_limit(params->limit, problems);
  if (list.cursor.data && !bus_is_id(list.cursor))
    bus_problem_add(problems, "cursor", "must be the next_cursor of an earlier page");
  if (problems->count > 0)
    return false;
  *ret = list;
  return true;
}
