/* Requests without a server. */
#include "decode.h"

static bool decode(const struct bus_http_input *input, const struct bus_http_given *given, struct bus_arena *arena,
                   void *ret, size_t size, struct bus_problems *problems) {
  const void *request = bus_http_decode(input, given, arena, problems);
  if (request)
    memcpy(ret, request, size);
  return request != NULL;
}

bool decode_place(struct bus_str body, struct bus_str header, struct bus_str default_token, struct bus_arena *arena,
                  struct order_place *ret, struct bus_problems *problems) {
  struct place_request request;
  const struct bus_http_given given = {.body = body, .key = header};
  if (!decode(&place_input, &given, arena, &request, sizeof request, problems))
    return false;
  *ret = request_place(&request, default_token);
  return true;
}

bool decode_stock(struct bus_str body, struct bus_str header, struct bus_arena *arena, struct stock_request *ret,
                  struct bus_problems *problems) {
  const struct bus_http_given given = {.body = body, .key = header};
  return decode(&stock_input, &given, arena, ret, sizeof *ret, problems);
}

bool decode_put(struct bus_str body, struct bus_arena *arena, struct product_put *ret, struct bus_problems *problems) {
  const struct bus_str segment = BUS_STR("A");
  return decode(&put_input, &(struct bus_http_given){.segments = &segment, .body = body}, arena, ret, sizeof *ret,
                problems);
}

bool decode_cancel(struct bus_str body, const struct bus_uuid *order_id, struct bus_arena *arena,
                   struct order_cancel *ret, struct bus_problems *problems) {
  char id[BUS_UUID_TEXT];
  bus_uuid_format(order_id, id);
  const struct bus_str segment = bus_str(id);
  return decode(&cancel_input, &(struct bus_http_given){.segments = &segment, .body = body}, arena, ret, sizeof *ret,
                problems);
}

bool decode_orders(struct bus_str query, struct bus_arena *arena, struct order_list *ret,
                   struct bus_problems *problems) {
  return decode(&orders_input, &(struct bus_http_given){.query = query}, arena, ret, sizeof *ret, problems);
}

bool decode_events(struct bus_str query, const struct bus_uuid *order_id, struct bus_arena *arena,
                   struct order_events_get *ret, struct bus_problems *problems) {
  char id[BUS_UUID_TEXT];
  bus_uuid_format(order_id, id);
  const struct bus_str segment = bus_str(id);
  return decode(&events_input, &(struct bus_http_given){.segments = &segment, .query = query}, arena, ret, sizeof *ret,
                problems);
}

bool decode_products(struct bus_str query, struct bus_arena *arena, struct product_list *ret,
                     struct bus_problems *problems) {
  return decode(&products_input, &(struct bus_http_given){.query = query}, arena, ret, sizeof *ret, problems);
}
