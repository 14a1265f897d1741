/* Fuzzes requests behind the HTTP layer: bodies, idempotency keys, queries, cursors, preferences; and answers of
 * services. An accepted request must be a message that its receiver accepts. The first byte chooses. */
#include "fuzz.h"

#include "../decode.h"
#include "prefer.h"
#include "responses.h"

static struct bus_arena *arena;
static const struct bus_uuid some_order = {{1, 2, 3}};

/* A header's value, or absent: where the part is a single '-'. */
static struct bus_str header_key(struct bus_str *rest) {
  struct bus_str part = fuzz_part(rest);
  return bus_str_is(part, "-") ? BUS_NO_STR : part;
}

static void check_refused(const struct bus_problems *problems) {
  FUZZ_CHECK(problems->count > 0 && problems->items[0].text[0] != '\0');
}

/* Spaces and the order of members do not count: the canonical text of the body is the same request. */
static struct bus_str canonical_of(const struct bus_schema *schema, struct bus_str body) {
  struct bus_str text;
  void *request = fuzz_codec(schema, body, BUS_REFUSE_UNKNOWN, arena);
  FUZZ_CHECK(request && bus_encode(schema, request, arena, &text));
  return text;
}

/* The canonical text without its key, which comes first; absent where it has none. */
static struct bus_str without_key(struct bus_str canonical) {
  static const char start[] = "{\"idempotency_key\":\"";
  size_t at = sizeof start - 1;
  if (canonical.len < at || memcmp(canonical.data, start, at) != 0)
    return BUS_NO_STR;
  while (canonical.data[at] != '"')
    at += canonical.data[at] == '\\' ? 2 : 1;
  return bus_arena_printf(arena, "{%s", canonical.data + at + 2); /* behind the quote and a comma */
}

static void place(struct bus_str rest) {
  struct order_place order, again;
  struct bus_problems problems = {.count = 0};
  struct bus_str key = header_key(&rest);
  if (!decode_place(rest, key, BUS_STR("pm_card_visa"), arena, &order, &problems)) {
    check_refused(&problems);
    return;
  }
  fuzz_must_travel(&order_place_schema, &order, arena);
  struct bus_str canonical = canonical_of(place_input.body, rest);
  FUZZ_CHECK(decode_place(canonical, key, BUS_STR("pm_other"), arena, &again, &problems));
  FUZZ_CHECK(bus_uuid_equal(&order.order_id, &again.order_id));
  FUZZ_CHECK(order.request_hash.len == 64 && bus_str_equal(order.request_hash, again.request_hash));
  FUZZ_CHECK(decode_place(canonical, key, BUS_STR("pm_card_visa"), arena, &again, &problems));
  struct bus_str keyless = without_key(canonical);
  if (keyless.data) { /* another key is another order of the same request */
    FUZZ_CHECK(decode_place(keyless, BUS_STR("another-key"), BUS_STR("pm"), arena, &again, &problems));
    FUZZ_CHECK(bus_str_equal(order.request_hash, again.request_hash));
  }
  (void)response_place_accepted(&order.order_id, arena);
}

static void cancel(struct bus_str body) {
  struct order_cancel order;
  struct bus_problems problems = {.count = 0};
  if (decode_cancel(body, &some_order, arena, &order, &problems))
    fuzz_must_travel(&order_cancel_schema, &order, arena);
  else
    check_refused(&problems);
}

static void stock(struct bus_str rest) {
  struct stock_request update, again;
  struct bus_problems problems = {.count = 0};
  struct bus_str key = header_key(&rest);
  if (!decode_stock(rest, key, arena, &update, &problems)) {
    check_refused(&problems);
    return;
  }
  (void)request_condition(BUS_NO_STR, BUS_NO_STR, &update.update.condition); /* there is none */
  fuzz_must_travel(&stock_update_schema, &update.update, arena);
  struct bus_str canonical = canonical_of(stock_input.body, rest);
  FUZZ_CHECK(decode_stock(canonical, key, arena, &again, &problems));
  FUZZ_CHECK(bus_uuid_equal(&update.update.request_id, &again.update.request_id));
  FUZZ_CHECK(bus_str_equal(update.hash, again.hash));
}

static void pages(struct bus_str query) {
  struct bus_problems problems;
  struct order_list list;
  struct order_events_get events;
  struct product_list products;
  if (decode_orders(query, arena, &list, &problems))
    fuzz_must_travel(&order_list_schema, &list, arena);
  else
    check_refused(&problems);
  if (decode_events(query, &some_order, arena, &events, &problems))
    fuzz_must_travel(&order_events_get_schema, &events, arena);
  else
    check_refused(&problems);
  if (decode_products(query, arena, &products, &problems))
    fuzz_must_travel(&product_list_schema, &products, arena);
  else
    check_refused(&problems);
}

static void cursor(struct bus_str text) {
  bus_time at, at_again;
  struct bus_uuid id, id_again;
  char formatted[ORDER_CURSOR_TEXT];
  if (!order_cursor_parse(text, &at, &id))
    return;
  order_cursor_format(at, &id, formatted);
  FUZZ_CHECK(order_cursor_parse(bus_str(formatted), &at_again, &id_again));
  FUZZ_CHECK(at == at_again && bus_uuid_equal(&id, &id_again));
}

static void prefer(struct bus_str value) {
  int64_t seconds = prefer_wait(value, 30);
  FUZZ_CHECK(seconds >= 0 && seconds <= 30 && prefer_wait(value, 0) == 0);
}

static void check_answer(struct response answer) {
  FUZZ_CHECK(answer.status >= 200 && answer.status < 600);
  struct bus_str text;
  if (answer.schema)
    FUZZ_CHECK(bus_encode_nulls(answer.schema, answer.body, arena, &text));
}

/* Answers of order-svc, as HTTP responses. */
static void answers(struct bus_str json) {
  const struct order_answer *answer = fuzz_codec(&order_answer_schema, json, BUS_IGNORE_UNKNOWN, arena);
  const struct order_page *page = fuzz_codec(&order_page_schema, json, BUS_IGNORE_UNKNOWN, arena);
  const struct order_history *history = fuzz_codec(&order_history_schema, json, BUS_IGNORE_UNKNOWN, arena);
  const struct inventory_answer *product = fuzz_codec(&inventory_answer_schema, json, BUS_IGNORE_UNKNOWN, arena);
  if (answer) {
    check_answer(response_place(answer, 0));
    check_answer(response_place(answer, 5));
    check_answer(response_get(answer));
    check_answer(response_cancel(answer, &some_order, arena));
  }
  if (page)
    check_answer(response_found(&order_page_schema, page));
  if (history)
    check_answer(response_events(history, true, arena));
  if (product) {
    check_answer(response_product(product, arena));
    check_answer(response_stock(product, arena));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const modes[])(struct bus_str) = {place, cancel, stock, pages, cursor, prefer, answers};
  struct bus_str rest = fuzz_input(data, size);
  uint8_t mode = fuzz_byte(&rest);
  char *exact = fuzz_exact(rest);
  arena = bus_arena_new((size_t)64 << 20);
  modes[mode % BUS_COUNT(modes)]((struct bus_str){exact, rest.len});
  bus_arena_free(arena);
  free(exact);
  return 0;
}
