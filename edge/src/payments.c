/* Responses about payments and their refunds, and the request for a list of these. */
#include "requests.h"
#include "responses.h"

#include <currency.h>

#include <inttypes.h>

static const struct bus_field payment_page_fields[] = {
    BUS_FIELD_ARRAY(struct payment_page, items, item_count, struct payment_view, &payment_view_schema, 0,
                    PAYMENT_ATTEMPTS_MAX, BUS_REQUIRED,
                    "the order's payment, if there is one; of an order that is paid later, all attempts"),
};
const struct bus_schema payment_page_schema = BUS_SCHEMA("payments", struct payment_page, payment_page_fields);

static const struct bus_field refunds_query[] = {
    BUS_FIELD_INT64(struct refund_list, limit, 1, REFUND_PAGE_MAX, BUS_OPTIONAL, "how many at most", .fallback = "20",
                    .example = "20"),
    BUS_FIELD_UUID(struct refund_list, cursor, BUS_OPTIONAL, "the next_cursor of an earlier page"),
};
const struct bus_http_input refunds_input = {.size = sizeof(struct refund_list),
                                             .query = BUS_TABLE(struct refund_list, refunds_query)};

static struct response refuse(int status, const char *detail) {
  return (struct response){.status = status, .detail = detail};
}

struct response response_payment(const void *said, struct bus_arena *arena) {
  const struct payment_answer *answer = said;
  (void)arena;
  if (answer->outcome == PAYMENT_NOT_FOUND)
    return refuse(404, "no such payment");
  if (answer->outcome != PAYMENT_FOUND || !answer->payment)
    return response_refusal(REFUSAL_BAD_ANSWER);
  struct response response = response_found(&payment_view_schema, answer->payment);
  response.version = answer->payment->version;
  return response;
}

struct response response_order_payments(const void *said, struct bus_arena *arena) {
  const struct payment_answer *answer = said;
  struct payment_page *page = bus_arena_alloc(arena, sizeof *page);
  if (!page)
    return response_refusal(REFUSAL_NO_MEMORY);
  *page = (struct payment_page){.items = answer->payments, .item_count = answer->payment_count};
  return response_found(&payment_page_schema, page);
}

static struct response too_large(const struct payment_answer *answer, struct bus_arena *arena) {
  int64_t most = answer->payment ? answer->payment->refundable : 0;
  struct bus_str detail = bus_arena_printf(arena, "at most %" PRId64 " can still be refunded", most);
  return detail.data ? refuse(409, detail.data) : response_refusal(REFUSAL_NO_MEMORY);
}

static struct response uneven(const struct payment_answer *answer, struct bus_arena *arena) {
  char amounts[CURRENCY_AMOUNTS_SIZE];
  const struct currency *currency = answer->payment ? currency_find(answer->payment->currency) : NULL;
  if (!currency)
    return response_refusal(REFUSAL_BAD_ANSWER);
  currency_amounts(currency, answer->payment->currency, amounts);
  struct bus_str detail = bus_arena_printf(arena, "amount must be %s", amounts);
  return detail.data ? refuse(409, detail.data) : response_refusal(REFUSAL_NO_MEMORY);
}

static struct response accepted(int status, const struct payment_answer *answer) {
  if (!answer->refund)
    return response_refusal(REFUSAL_BAD_ANSWER);
  struct response response = response_found(&refund_view_schema, answer->refund);
  response.status = status;
  response.replayed = status == 200;
  return response;
}

struct response response_refund(const void *said, struct bus_arena *arena) {
  const struct payment_answer *answer = said;
  switch (answer->outcome) {
  case PAYMENT_REFUND_ACCEPTED:
    return accepted(202, answer);
  case PAYMENT_REFUND_REPLAYED:
    return accepted(200, answer);
  case PAYMENT_REFUND_KEY_REUSED:
    return response_key_reused();
  case PAYMENT_REFUND_TOO_LARGE:
    return too_large(answer, arena);
  case PAYMENT_REFUND_UNEVEN:
    return uneven(answer, arena);
  case PAYMENT_NOT_REFUNDABLE:
    return refuse(409, "the payment is not captured, or all of it is being refunded");
  case PAYMENT_NOT_FOUND:
    return refuse(404, "no such payment");
  default:
    return response_refusal(REFUSAL_BAD_ANSWER);
  }
}
