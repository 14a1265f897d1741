/* GET of a collection: pages of intents or refunds, newest first, as Stripe has them. */
#include <bus/form.h>

#include <stdio.h>
#include <stdlib.h>

#include "call.h"

enum { LIMIT_MAX = 100, LIMIT_FALLBACK = 10, NUMBER_DIGITS = 12 };

static const struct psp_error bad_query = {
    400, "invalid_request_error", NULL, NULL, NULL, "limit must be 1 to 100, created[gte] Unix seconds."};
static const struct psp_error no_cursor = {400,  "invalid_request_error", "resource_missing",
                                           NULL, "starting_after",        "No such object"};

struct question {
  int64_t limit, since;
  struct bus_str after;
};

/* An absent one is left as it is. */
static bool find_number(struct bus_str query, const char *name, struct bus_arena *arena, int64_t *ret) {
  struct bus_str text;
  if (!bus_form_find(query, name, arena, &text))
    return false;
  return text.data == NULL || bus_str_number(text, NUMBER_DIGITS, ret);
}

static bool read_question(struct bus_http_exchange *exchange, struct question *ret) {
  struct bus_arena *arena = bus_http_arena(exchange);
  struct bus_str query = bus_http_query(exchange);
  *ret = (struct question){.limit = LIMIT_FALLBACK};
  return find_number(query, "limit", arena, &ret->limit) && find_number(query, "created[gte]", arena, &ret->since) &&
         bus_form_find(query, "starting_after", arena, &ret->after) && ret->limit >= 1 && ret->limit <= LIMIT_MAX;
}

/* Records stay as they are forever, so that they are written without the lock. */
static void write_page(struct bus_http_exchange *exchange, const char *path, const struct psp_record *const *records,
                       size_t count, bool has_more) {
  char head[128];
  if (!bus_http_stream_start(exchange, 200, "application/json"))
    return;
  (void)snprintf(head, sizeof head, "{\"object\":\"list\",\"url\":\"%s\",\"has_more\":%s,\"data\":[", path,
                 has_more ? "true" : "false");
  bool written = bus_http_stream_write(exchange, bus_str(head));
  for (size_t i = 0; written && i < count; i++)
    written = (i == 0 || bus_http_stream_write(exchange, BUS_STR(","))) &&
              bus_http_stream_write(exchange, psp_object_of(records[i]));
  if (written)
    (void)bus_http_stream_write(exchange, BUS_STR("]}")); /* a client that is gone needs no end */
}

void psp_list(struct psp_sandbox *sandbox, struct bus_http_exchange *exchange, bool refunds) {
  const struct psp_record *records[LIMIT_MAX + 1];
  struct question question;
  size_t count = 0;
  if (!psp_authorize(sandbox, exchange))
    return;
  if (!read_question(exchange, &question)) {
    psp_reply_error(exchange, &bad_query);
    return;
  }
  pthread_mutex_lock(&sandbox->lock);
  bool found = psp_book_list(&sandbox->book, refunds, question.after, question.since * BUS_SECOND,
                             (size_t)question.limit + 1, records, &count);
  pthread_mutex_unlock(&sandbox->lock);
  if (!found) {
    psp_reply_error(exchange, &no_cursor);
    return;
  }
  bool has_more = count > (size_t)question.limit;
  write_page(exchange, refunds ? "/v1/refunds" : "/v1/payment_intents", records,
             has_more ? (size_t)question.limit : count, has_more);
}
