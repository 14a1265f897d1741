/* The mix, the bodies of requests, and the counts. */
#include "simulate_plan.h"

#include <inttypes.h>
#include <stdio.h>

enum { WEIGHT_MAX = 1000 };

const char *const simulate_names[SIMULATE_KINDS + 1] = {[SIMULATE_HAPPY] = "happy",
                                                        [SIMULATE_DECLINED] = "declined",
                                                        [SIMULATE_CANCELLED] = "cancelled",
                                                        [SIMULATE_LATER] = "pay-later"};

/* ---- the mix ---- */

static bool refuse(struct bus_error *err, struct bus_str part, const char *why) {
  return bus_fail(err, BUS_E_INVALID, "--mix %.*s: %s; a mix is like %s, with weights from 0 to %d", (int)part.len,
                  part.data, why, SIMULATE_MIX, WEIGHT_MAX);
}

static int kind_of(struct bus_str name) {
  int kind = 0;
  while (kind < SIMULATE_KINDS && !bus_str_is(name, simulate_names[kind]))
    kind++;
  return kind;
}

bool simulate_mix_parse(const char *text, struct simulate_mix *ret, struct bus_error *err) {
  struct bus_str rest = bus_str(text);
  bool named[SIMULATE_KINDS] = {false};
  *ret = (struct simulate_mix){.total = 0};
  while (rest.len > 0) {
    struct bus_str part = bus_str_cut(&rest, ','), number = part;
    int kind = kind_of(bus_str_cut(&number, '='));
    int64_t weight;
    if (kind == SIMULATE_KINDS)
      return refuse(err, part, "no such kind of order");
    if (named[kind])
      return refuse(err, part, "the kind stands twice");
    if (!bus_str_number(number, 4, &weight) || weight > WEIGHT_MAX)
      return refuse(err, part, "the weight is wrong");
    named[kind] = true;
    ret->weights[kind] = weight;
    ret->total += weight;
  }
  return ret->total > 0 || refuse(err, bus_str(text), "no kind has a weight");
}

enum simulate_kind simulate_mix_next(struct simulate_mix *mix) {
  int64_t sum = 1, most = INT64_MIN;
  int next = 0;
  for (int i = 0; i < SIMULATE_KINDS; i++)
    sum += mix->given[i];
  for (int i = 0; i < SIMULATE_KINDS; i++) {
    int64_t missing = mix->weights[i] * sum - mix->given[i] * mix->total;
    if (mix->weights[i] > 0 && missing > most) {
      most = missing;
      next = i;
    }
  }
  mix->given[next]++;
  return (enum simulate_kind)next;
}

/* ---- requests ---- */

/* The product's id and the key need no escapes: both are of visible characters without quotation marks. */
struct bus_str simulate_order(enum simulate_kind kind, struct bus_str product_id, struct bus_str key,
                              struct bus_arena *arena) {
  static const char *const payments[SIMULATE_KINDS] = {[SIMULATE_HAPPY] = "{\"token\":\"pm_card_visa\"}",
                                                       [SIMULATE_DECLINED] =
                                                           "{\"token\":\"pm_card_visa_chargeDeclined\"}",
                                                       [SIMULATE_CANCELLED] = "{\"token\":\"pm_card_visa\"}",
                                                       [SIMULATE_LATER] = "{\"when\":\"later\"}"};
  return bus_arena_printf(
      arena, "{\"idempotency_key\":\"%.*s\",\"items\":[{\"product_id\":\"%.*s\",\"quantity\":1}],\"payment\":%s}",
      (int)key.len, key.data, (int)product_id.len, product_id.data, payments[kind]);
}

bool simulate_follows(enum simulate_kind kind) {
  return kind == SIMULATE_CANCELLED || kind == SIMULATE_LATER;
}

struct bus_str simulate_follow_path(enum simulate_kind kind, const struct bus_uuid *order_id, struct bus_arena *arena) {
  char id[BUS_UUID_TEXT];
  bus_uuid_format(order_id, id);
  return kind == SIMULATE_LATER ? BUS_STR("/api/payments") : bus_arena_printf(arena, "/api/orders/%s/cancel", id);
}

struct bus_str simulate_follow_body(enum simulate_kind kind, const struct bus_uuid *order_id, struct bus_str key,
                                    struct bus_arena *arena) {
  char id[BUS_UUID_TEXT];
  bus_uuid_format(order_id, id);
  if (kind != SIMULATE_LATER)
    return BUS_STR("{}");
  return bus_arena_printf(
      arena, "{\"idempotency_key\":\"%.*s-pay\",\"order_id\":\"%s\",\"payment\":{\"token\":\"pm_card_visa\"}}",
      (int)key.len, key.data, id);
}

struct answer {
  struct bus_uuid order_id;
};
static const struct bus_field answer_fields[] = {BUS_FIELD_UUID(struct answer, order_id, BUS_REQUIRED, "the order")};
static const struct bus_schema answer_schema = BUS_SCHEMA("answer", struct answer, answer_fields);

bool simulate_order_id(struct bus_str json, struct bus_arena *arena, struct bus_uuid *ret) {
  struct answer answer;
  if (!bus_decode(&answer_schema, json, BUS_IGNORE_UNKNOWN, arena, &answer, NULL))
    return false;
  *ret = answer.order_id;
  return true;
}

struct product {
  struct bus_str product_id;
  int64_t on_hand;
};
static const struct bus_field product_fields[] = {
    BUS_FIELD_STRING(struct product, product_id, BUS_ID, 1, BUS_ID_MAX, BUS_REQUIRED, "product"),
    BUS_FIELD_INT64(struct product, on_hand, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "what can be reserved"),
};
static const struct bus_schema product_schema = BUS_SCHEMA("product", struct product, product_fields);

struct page {
  struct product *items;
  size_t item_count;
};
static const struct bus_field page_fields[] = {
    BUS_FIELD_ARRAY(struct page, items, item_count, struct product, &product_schema, 0, SIMULATE_PRODUCTS, BUS_REQUIRED,
                    "products"),
};
static const struct bus_schema page_schema = BUS_SCHEMA("page", struct page, page_fields);

bool simulate_products(struct bus_str json, struct bus_arena *arena, struct bus_str *products, size_t *ret_count) {
  struct page page;
  *ret_count = 0;
  if (!bus_decode(&page_schema, json, BUS_IGNORE_UNKNOWN, arena, &page, NULL))
    return false;
  for (size_t i = 0; i < page.item_count; i++)
    if (page.items[i].on_hand > 0)
      products[(*ret_count)++] = page.items[i].product_id;
  return true;
}

/* ---- counts ---- */

struct simulate_tally simulate_tally_begin(void) {
  struct simulate_tally tally = {.sent = 0};
  for (int i = 0; i < SIMULATE_KINDS; i++)
    tally.counts[i].kind = i;
  return tally;
}

static void refuse_one(struct simulate_tally *tally, int status) {
  size_t i = 0;
  while (i < tally->refused_count && tally->refused[i].status != status)
    i++;
  if (i == SIMULATE_STATUSES)
    i--;
  if (i == tally->refused_count)
    tally->refused[tally->refused_count++].status = status;
  tally->refused[i].count++;
}

bool simulate_tally_answer(struct simulate_tally *tally, enum simulate_kind kind, bool follows, int status) {
  struct simulate_count *count = &tally->counts[kind];
  bool taken = status >= 200 && status < 300;
  if (!follows) {
    count->sent++;
    tally->sent++;
    count->accepted += taken;
    tally->accepted += taken;
  } else
    count->followed += taken;
  if (!taken)
    refuse_one(tally, status);
  return taken;
}

void simulate_tally_text(const struct simulate_tally *tally, char *text, size_t size) {
  size_t used =
      (size_t)snprintf(text, size, "%" PRId64 " orders sent, %" PRId64 " accepted", tally->sent, tally->accepted);
  for (int i = 0; i < SIMULATE_KINDS && used < size; i++)
    used +=
        (size_t)snprintf(text + used, size - used, ", %" PRId64 " %s", tally->counts[i].accepted, simulate_names[i]);
  for (size_t i = 0; i < tally->refused_count && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "; status %" PRId64 " %" PRId64 " times",
                             tally->refused[i].status, tally->refused[i].count);
  if (tally->late > 0 && used < size)
    (void)snprintf(text + used, size - used, "; %" PRId64 " not sent: too many were under way", tally->late);
}

static const struct bus_field count_fields[] = {
    BUS_FIELD_ENUM(struct simulate_count, kind, simulate_names, BUS_REQUIRED, "kind"),
    BUS_FIELD_INT64(struct simulate_count, sent, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "orders sent"),
    BUS_FIELD_INT64(struct simulate_count, accepted, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "orders accepted"),
    BUS_FIELD_INT64(struct simulate_count, followed, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "second requests accepted"),
};
static const struct bus_schema count_schema = BUS_SCHEMA("count", struct simulate_count, count_fields);
static const struct bus_field status_fields[] = {
    BUS_FIELD_INT64(struct simulate_status, status, 0, 999, BUS_REQUIRED, "status; 0: no answer"),
    BUS_FIELD_INT64(struct simulate_status, count, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "requests with it"),
};
static const struct bus_schema status_schema = BUS_SCHEMA("status", struct simulate_status, status_fields);

struct document {
  int64_t sent, accepted, late;
  struct simulate_count *kinds;
  struct simulate_status *refused;
  size_t kind_count, refused_count;
};
static const struct bus_field document_fields[] = {
    BUS_FIELD_INT64(struct document, sent, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "orders sent"),
    BUS_FIELD_INT64(struct document, accepted, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "orders accepted"),
    BUS_FIELD_INT64(struct document, late, 0, BUS_JSON_INT_MAX, BUS_REQUIRED, "orders not sent"),
    BUS_FIELD_ARRAY(struct document, kinds, kind_count, struct simulate_count, &count_schema, 0, SIMULATE_KINDS,
                    BUS_REQUIRED, "by kind"),
    BUS_FIELD_ARRAY(struct document, refused, refused_count, struct simulate_status, &status_schema, 0,
                    SIMULATE_STATUSES, BUS_REQUIRED, "answers other than 2xx"),
};
static const struct bus_schema document_schema = BUS_SCHEMA("simulate", struct document, document_fields);

bool simulate_tally_encode(const struct simulate_tally *tally, struct bus_arena *arena, struct bus_str *ret) {
  struct simulate_tally copy = *tally; /* the encoder reads through pointers that are not const */
  const struct document document = {.sent = copy.sent,
                                    .accepted = copy.accepted,
                                    .late = copy.late,
                                    .kinds = copy.counts,
                                    .refused = copy.refused,
                                    .kind_count = SIMULATE_KINDS,
                                    .refused_count = copy.refused_count};
  return bus_encode(&document_schema, &document, arena, ret);
}
