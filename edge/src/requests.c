/* Request bodies: their field tables, and what is checked beyond a table. */
#include "requests.h"

#include <bus/hash.h>

#include <stdio.h>

enum { KEY_MAX = 255, KEYED_FIELDS_MAX = 8 };

struct payment_choice {
  struct bus_str token;
};

struct place_request {
  struct bus_str idempotency_key, customer_id;
  struct order_item *items;
  size_t item_count;
  struct payment_choice *payment;
  int64_t expected_total;
};

struct cancel_request {
  struct bus_str reason;
};

struct stock_request {
  struct bus_str idempotency_key, product_id;
  int64_t on_hand;
};

#define KEY_FIELD(S)                                                                                                   \
  BUS_FIELD_STRING(S, idempotency_key, BUS_VISIBLE, 1, KEY_MAX, BUS_OPTIONAL,                                          \
                   "the same for every try of one request; or the header Idempotency-Key")

/* Prices are the catalogue's: a client cannot name one. */
static const struct bus_field item_fields[] = {
    BUS_FIELD_STRING(struct order_item, product_id, BUS_ID, 1, BUS_ID_MAX, BUS_REQUIRED, "product; each at most once"),
    BUS_FIELD_INT64(struct order_item, quantity, 1, ORDER_QUANTITY_MAX, BUS_REQUIRED, "how many"),
};
static const struct bus_schema item_schema = BUS_SCHEMA("item", struct order_item, item_fields);

static const struct bus_field payment_fields[] = {
    BUS_FIELD_STRING(struct payment_choice, token, BUS_TOKEN, 1, 128, BUS_REQUIRED, "the PSP's token of a card"),
};
static const struct bus_schema payment_schema = BUS_SCHEMA("payment", struct payment_choice, payment_fields);

static const struct bus_field place_fields[] = {
    KEY_FIELD(struct place_request),
    BUS_FIELD_STRING(struct place_request, customer_id, BUS_VISIBLE, 1, 64, BUS_OPTIONAL,
                     "whose order it is; anonymous where it is not given"),
    BUS_FIELD_ARRAY(struct place_request, items, item_count, struct order_item, &item_schema, 1, ORDER_ITEMS_MAX,
                    BUS_REQUIRED, "what is ordered"),
    BUS_FIELD_OBJECT(struct place_request, payment, struct payment_choice, &payment_schema, BUS_OPTIONAL,
                     "how it is paid"),
    BUS_FIELD_INT64(struct place_request, expected_total, 0, BUS_JSON_INT_MAX, BUS_OPTIONAL,
                    "what the order must cost, in minor units"),
};
_Static_assert(BUS_COUNT(place_fields) <= KEYED_FIELDS_MAX, "KEYED_FIELDS_MAX");
const struct bus_schema request_place_schema = BUS_SCHEMA("place order", struct place_request, place_fields);

static const struct bus_field cancel_fields[] = {
    BUS_FIELD_STRING(struct cancel_request, reason, BUS_PLAIN, 1, 200, BUS_OPTIONAL, "why"),
};
const struct bus_schema request_cancel_schema = BUS_SCHEMA("cancel order", struct cancel_request, cancel_fields);

static const struct bus_field stock_fields[] = {
    KEY_FIELD(struct stock_request),
    BUS_FIELD_STRING(struct stock_request, product_id, BUS_ID, 1, BUS_ID_MAX, BUS_REQUIRED, "product"),
    BUS_FIELD_INT64(struct stock_request, on_hand, 0, INT64_C(1000000000), BUS_REQUIRED,
                    "what can be reserved from now on"),
};
_Static_assert(BUS_COUNT(stock_fields) <= KEYED_FIELDS_MAX, "KEYED_FIELDS_MAX");
const struct bus_schema request_stock_schema = BUS_SCHEMA("update inventory", struct stock_request, stock_fields);

static bool is_key(struct bus_str key) {
  for (size_t i = 0; i < key.len; i++)
    if (key.data[i] < 0x21 || key.data[i] > 0x7E)
      return false;
  return key.len >= 1 && key.len <= KEY_MAX;
}

/* A quoted string of RFC 8941, as the IETF's draft of the header has it, is what stands between the quotes; the bare
 * form stays as it is. False where the quotes or escapes are malformed. */
static bool unquote(struct bus_str given, struct bus_arena *arena, struct bus_str *ret) {
  *ret = given;
  if (given.len == 0 || given.data[0] != '"')
    return true;
  char *text = bus_arena_alloc(arena, given.len);
  size_t len = 0, i = 1;
  if (!text)
    return false;
  for (; i < given.len && given.data[i] != '"'; i++) {
    bool escaped = given.data[i] == '\\' && i + 1 < given.len;
    if (escaped && strchr("\\\"", given.data[i + 1]) == NULL)
      return false;
    text[len++] = given.data[escaped ? ++i : i];
  }
  *ret = (struct bus_str){text, len};
  return i + 1 == given.len; /* the closing quote is the last character */
}

/* As bus_decode, for bodies whose first field is the key: it is required where the header does not give one, so that
 * all that is wrong is named at once. */
static bool decode_keyed(const struct bus_schema *schema, struct bus_str body, struct bus_str *header_key,
                         struct bus_arena *arena, void *ret, struct bus_problems *problems) {
  struct bus_field fields[KEYED_FIELDS_MAX];
  struct bus_schema keyed = *schema;
  memcpy(fields, schema->fields, schema->field_count * sizeof *fields);
  fields[0].presence = header_key->data ? BUS_OPTIONAL : BUS_REQUIRED;
  keyed.fields = fields;
  bool decoded = bus_decode(&keyed, body, BUS_REFUSE_UNKNOWN, arena, ret, problems);
  if (header_key->data && !(unquote(*header_key, arena, header_key) && is_key(*header_key)))
    bus_problem_add(problems, "Idempotency-Key", "must be 1 to %d visible ASCII characters, bare or in quotation marks",
                    KEY_MAX);
  return decoded && problems->count == 0;
}

/* One of the two is there. */
static struct bus_str choose_key(struct bus_str in_body, struct bus_str in_header, struct bus_problems *problems) {
  if (in_body.data && in_header.data && !bus_str_equal(in_body, in_header))
    bus_problem_add(problems, "idempotency_key", "differs from the header Idempotency-Key");
  return in_body.data ? in_body : in_header;
}

static bool stands_before(const struct order_item *items, size_t index) {
  for (size_t i = 0; i < index; i++)
    if (bus_str_equal(items[i].product_id, items[index].product_id))
      return true;
  return false;
}

static void check_items(struct order_item *items, size_t count, struct bus_problems *problems) {
  for (size_t i = 0; i < count; i++) {
    items[i].unit_price = BUS_NO_INT64;
    if (!stands_before(items, i))
      continue;
    char path[48];
    (void)snprintf(path, sizeof path, "items[%zu].product_id", i); /* 100 items at most: it fits */
    bus_problem_add(problems, path, "stands more than once; add the quantities up");
  }
}

/* The text of the hash of a request without its key, in the arena; data is NULL when out of memory. */
static struct bus_str hash_of(const struct bus_schema *schema, const void *keyless, struct bus_arena *arena) {
  struct bus_str canonical;
  char text[BUS_SHA256_TEXT];
  if (!bus_encode(schema, keyless, arena, &canonical))
    return BUS_NO_STR;
  bus_sha256_hex(canonical, text);
  return bus_arena_copy(arena, bus_str(text));
}

bool request_place_decode(struct bus_str body, struct bus_str header_key, struct bus_str payment_token,
                          struct bus_arena *arena, struct order_place *ret, struct bus_problems *problems) {
  struct place_request request;
  if (!decode_keyed(&request_place_schema, body, &header_key, arena, &request, problems))
    return false;
  struct bus_str key = choose_key(request.idempotency_key, header_key, problems);
  check_items(request.items, request.item_count, problems);
  if (problems->count > 0)
    return false;
  if (request.customer_id.data == NULL)
    request.customer_id = BUS_STR(REQUEST_CUSTOMER_DEFAULT);
  request.idempotency_key = BUS_NO_STR;
  struct bus_str hash = hash_of(&request_place_schema, &request, arena);
  if (hash.data == NULL) {
    bus_problem_add_no_memory(problems);
    return false;
  }
  *ret = (struct order_place){
      .customer_id = request.customer_id,
      .items = request.items,
      .item_count = request.item_count,
      .payment_token = request.payment ? request.payment->token : payment_token,
      .expected_total = request.expected_total,
      .request_hash = hash,
  };
  order_id_of(request.customer_id, key, &ret->order_id);
  return true;
}

bool request_cancel_decode(struct bus_str body, const struct bus_uuid *order_id, struct bus_arena *arena,
                           struct order_cancel *ret, struct bus_problems *problems) {
  struct cancel_request request = {BUS_NO_STR};
  if (body.len > 0 && !bus_decode(&request_cancel_schema, body, BUS_REFUSE_UNKNOWN, arena, &request, problems))
    return false;
  *ret = (struct order_cancel){.order_id = *order_id, .customer_id = BUS_NO_STR, .reason = request.reason};
  return true;
}

bool request_stock_decode(struct bus_str body, struct bus_str header_key, struct bus_arena *arena,
                          struct request_stock *ret, struct bus_problems *problems) {
  struct stock_request request;
  if (!decode_keyed(&request_stock_schema, body, &header_key, arena, &request, problems))
    return false;
  struct bus_str key = choose_key(request.idempotency_key, header_key, problems);
  if (problems->count > 0)
    return false;
  request.idempotency_key = BUS_NO_STR;
  struct bus_str hash = hash_of(&request_stock_schema, &request, arena);
  if (hash.data == NULL) {
    bus_problem_add_no_memory(problems);
    return false;
  }
  *ret = (struct request_stock){
      .command = {.product_id = request.product_id, .on_hand = request.on_hand}, .idempotency_key = key, .hash = hash};
  inventory_request_id_of(key, &ret->command.request_id);
  return true;
}
